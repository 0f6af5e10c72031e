"""What the demonstration found: per request and in total, as data."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sprout_like.demo.run import Pair
from sprout_like.record import RequestRecord

__all__ = ["Totals", "as_data", "totals"]


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all prompts; None where any request's figure is unknown.

    Attributes:
        requests: number of prompts.
        tokens, seconds, energy_j, operational_g: under the policy. full_…: under `full`.
        uncertainty_j: half-width of `energy_j` in J; the errors share one meter, so they are added up.
        energy_saving, carbon_saving: 1 − policy / full.
    """

    requests: int
    tokens: float | None
    seconds: float | None
    energy_j: float | None
    uncertainty_j: float | None
    operational_g: float | None
    full_tokens: float | None
    full_seconds: float | None
    full_energy_j: float | None
    full_operational_g: float | None

    @property
    def energy_saving(self) -> float | None:
        """Share of the energy saved."""
        return _saving(self.energy_j, self.full_energy_j)

    @property
    def carbon_saving(self) -> float | None:
        """Share of the operational emissions saved."""
        return _saving(self.operational_g, self.full_operational_g)


def totals(pairs: Sequence[Pair]) -> Totals:
    """Add up."""
    served, full = [p.served for p in pairs], [p.full for p in pairs]
    return Totals(
        requests=len(pairs),
        tokens=_sum(served, lambda r: r.new_tokens),
        seconds=_sum(served, lambda r: r.engine_s),
        energy_j=_sum(served, lambda r: r.energy_j),
        uncertainty_j=_sum(served, lambda r: r.energy_uncertainty_j),
        operational_g=_sum(served, lambda r: r.operational_g),
        full_tokens=_sum(full, lambda r: r.new_tokens),
        full_seconds=_sum(full, lambda r: r.engine_s),
        full_energy_j=_sum(full, lambda r: r.energy_j),
        full_operational_g=_sum(full, lambda r: r.operational_g),
    )


def as_data(pairs: Sequence[Pair], label: str, model: str) -> dict[str, Any]:
    """The same as the table, and every column of the rows, for machines."""
    summed = totals(pairs)
    return {
        "model": model,
        "intensity": label,
        "requests": [
            {
                "when_utc": pair.when_utc,
                "task": pair.prompt.task,
                "served": pair.served.as_dict(),
                "full": pair.full.as_dict(),
            }
            for pair in pairs
        ],
        "totals": {
            **asdict(summed),
            "energy_saving": summed.energy_saving,
            "carbon_saving": summed.carbon_saving,
        },
    }


def _sum(records: Sequence[RequestRecord], figure: Callable[[RequestRecord], float | None]) -> float | None:
    figures = [figure(r) for r in records]
    known = [f for f in figures if f is not None]
    return math.fsum(known) if known and len(known) == len(figures) else None


def _saving(ours: float | None, full: float | None) -> float | None:
    return None if ours is None or not full else 1 - ours / full
