"""Sums of requests, added up by the database and then by us, and the figures they make."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Subquery, case, func

from sprout_like.carbon import JOULES_PER_KWH
from sprout_like.reports.interval import UNKNOWN, Figure
from sprout_like.reports.report import Emission, Usage
from sprout_like.reports.uncertainty import EnergyPart, carbon_total, energy_total

__all__ = ["Sums", "columns", "emission", "energy", "grams", "ratio", "size", "usage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What some requests come to. Sums are over those that know them; None where none does.

    Attributes:
        requests_n … provisional_n: as in the facts.
        facility_j: Σ energy × PUE.
        priced_j: Σ energy × PUE of the groups in which each request of known energy has grams. priced_g: their grams.
        paired_j: energy of the groups in which each request knows its energy. paired_tokens: their new tokens.
        meters: energy and its uncertainty by meter and method, whose errors are each its own; in their order.
    """

    requests_n: int = 0
    rows_n: int | None = None
    errors_n: int = 0
    prompt_tokens: int | None = None
    new_tokens: int | None = None
    duration_s: float | None = None
    energy_j: float | None = None
    energy_known_n: int = 0
    operational_g: float | None = None
    carbon_known_n: int = 0
    embodied_g: float | None = None
    embodied_known_n: int = 0
    logged_operational_g: float | None = None
    stale_n: int = 0
    settled_n: int = 0
    provisional_n: int = 0
    facility_j: float | None = None
    priced_j: float | None = None
    priced_g: float | None = None
    paired_j: float | None = None
    paired_tokens: int | None = None
    meters: tuple[EnergyPart, ...] = ()

    @classmethod
    def of(cls, values: Sequence[Any], *, meter: str, method: str) -> Sums:
        """From a row of `columns`, all of that meter and method; databases give some whole numbers as decimals."""
        known: dict[str, Any] = {
            name: float(value) if name in _FLOATS else int(value)
            for name, value in zip(_NAMES, values, strict=False)
            if value is not None
        }
        uncertainty_j, squares, known_n = values[len(_NAMES) :]
        part = EnergyPart(
            meter=meter,
            method=method,
            energy_j=known.get("energy_j"),
            energy_known_n=known.get("energy_known_n", 0),
            uncertainty_j=_float(uncertainty_j),
            uncertainty_squares=_float(squares),
            uncertainty_known_n=int(known_n or 0),
        )
        return cls(**known, meters=(part,))

    @classmethod
    def over(cls, parts: Iterable[Sums]) -> Sums:
        """Of all parts together, whatever order they come in."""
        kept = list(parts)
        if len(kept) == 1:
            return kept[0]
        meters: defaultdict[tuple[str, str], list[EnergyPart]] = defaultdict(list)
        for part in kept:
            for meter in part.meters:
                meters[meter.meter, meter.method].append(meter)
        transposed = zip(*map(_VALUES, kept), strict=True) if kept else ((),) * len(_NAMES)
        totals = {name: _total(values, name) for name, values in zip(_NAMES, transposed, strict=True)}
        return cls(**totals, meters=tuple(_meter(key, meters[key]) for key in sorted(meters)))


_NAMES = tuple(field.name for field in fields(Sums) if field.name != "meters")
_VALUES = attrgetter(*_NAMES)
_FLOATS = frozenset(field.name for field in fields(Sums) if "float" in str(field.type))
_COUNTS = frozenset(field.name for field in fields(Sums) if field.default == 0)


def columns(facts: Subquery) -> list[ColumnElement[Any]]:
    """The sums over lines of the facts, as `Sums.of` takes them."""
    c = facts.c
    facility = c.energy_j * c.pue
    priced = c.carbon_known_n == c.energy_known_n
    paired = c.energy_known_n == c.requests_n
    made: dict[str, Any] = {
        "facility_j": facility,
        "priced_j": case((priced & c.operational_g.is_not(None), facility)),
        "priced_g": case((priced, c.operational_g)),
        "paired_j": case((paired & c.new_tokens.is_not(None), c.energy_j)),
        "paired_tokens": case((paired, c.new_tokens)),
    }
    names = (*_NAMES, "uncertainty_j", "uncertainty_squares", "uncertainty_known_n")
    return [func.sum(made[name] if name in made else c[name]).label(name) for name in names]


def ratio(one: float | None, other: float | None) -> float | None:
    """One by the other; None where either is unknown, or the other is 0."""
    return None if one is None or not other else one / other


def size(total: float | None) -> float:
    """A total to sort by: databases add up in orders of their own, whose last digits would swap equals."""
    return float(f"{total or 0.0:.9g}")


def energy(sums: Sums) -> Figure:
    """In J, with its interval."""
    return energy_total(sums.meters)


def grams(sums: Sums) -> Figure:
    """Operational, in g CO2e; no interval where some of it rests on no published actual, which is off unknown far."""
    return carbon_total(sums.operational_g, energy(sums), provisional=sums.provisional_n > 0)


def usage(sums: Sums, *, idle_j: float | None = None) -> Usage:
    """As a report states it."""
    return Usage(
        requests=sums.requests_n,
        rows=sums.requests_n if sums.rows_n is None else sums.rows_n,
        errors=sums.errors_n,
        prompt_tokens=sums.prompt_tokens,
        new_tokens=sums.new_tokens,
        duration_s=sums.duration_s,
        energy_j=energy(sums),
        energy_unknown=sums.requests_n - sums.energy_known_n,
        embodied_g=UNKNOWN if sums.embodied_g is None else Figure(sums.embodied_g),
        embodied_unknown=sums.requests_n - sums.embodied_known_n,
        idle_j=idle_j,
    )


def emission(kind: str | None, factors: str | None, sums: Sums) -> Emission:
    """As a report states it.

    intensity_g_per_kwh = Σ grams / (Σ energy × PUE / 3.6e6), the mean over the energy behind the grams
    """
    mean = ratio(sums.priced_g, sums.priced_j)
    return Emission(
        intensity_kind=kind,
        intensity_factors=factors,
        requests=sums.requests_n,
        operational_g=grams(sums),
        carbon_unknown=sums.requests_n - sums.carbon_known_n,
        intensity_g_per_kwh=None if mean is None else mean * JOULES_PER_KWH,
        logged_operational_g=sums.logged_operational_g,
        stale=sums.stale_n,
        settled=sums.settled_n,
        provisional=sums.provisional_n,
    )


def _meter(key: tuple[str, str], parts: Sequence[EnergyPart]) -> EnergyPart:
    """All of one meter and method; squares that one part has not added up are unknown for all."""
    squares = [part.uncertainty_squares for part in parts if part.uncertainty_known_n]
    return EnergyPart(
        meter=key[0],
        method=key[1],
        energy_j=_sum(part.energy_j for part in parts),
        energy_known_n=sum(part.energy_known_n for part in parts),
        uncertainty_j=_sum(part.uncertainty_j for part in parts),
        uncertainty_squares=None if None in squares else _sum(squares),
        uncertainty_known_n=sum(part.uncertainty_known_n for part in parts),
    )


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if known else None


def _total(values: Iterable[Any], name: str) -> Any:
    known = [value for value in values if value is not None]
    if not known:
        return 0 if name in _COUNTS else None
    add_up: Callable[[list[Any]], Any] = math.fsum if name in _FLOATS else sum
    return add_up(known)
