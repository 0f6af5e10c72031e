"""What the candidate would change: its cost and its quality beside the running policy's and `full`'s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from directives import FULL
from directives.constraints import Constraints
from directives.direct import Served, direct_quality, traffic
from directives.evidence import Evidence
from directives.off_policy import (
    Chances,
    Context,
    Logged,
    Model,
    Value,
    as_logged,
    difference,
    doubly_robust,
    self_normalised,
)

__all__ = ["Compared", "Qualities", "compared", "mean_floor", "qualities", "value_data"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Cost per request, J or g CO2e of operation, over the requests of the log.

    Attributes:
        candidate, running, full: doubly robust. candidate_by_log: self-normalised; None where the log has too little
            in common with the candidate.
        from_running, from_full: the candidate's minus theirs, on the same requests.
    """

    candidate: Value
    candidate_by_log: Value | None
    running: Value
    full: Value
    from_running: Value
    from_full: Value

    def data(self, evaluation: float) -> dict[str, Any]:
        """In JSON's own types.

        `saving` is against `full`, with the evaluations' cost per request taken off; None where `full` costs nothing.
        """
        full = self.full.mean
        ends = {"saving": self.from_full.mean, "saving_low": self.from_full.high, "saving_high": self.from_full.low}
        return {
            "candidate": value_data(self.candidate),
            "candidate_by_log": value_data(self.candidate_by_log),
            "running": value_data(self.running),
            "full": value_data(self.full),
            "from_running": value_data(self.from_running),
            "from_full": value_data(self.from_full),
            "evaluation": evaluation,
            **{name: -(end + evaluation) / full if full > 0 else None for name, end in ends.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualities:
    """By the direct method; None where nothing is served that needs judging.

    Attributes:
        candidate, running: of either policy, on today's evidence.
    """

    candidate: Served | None
    running: Served | None


def compared(log: Sequence[Logged], candidate: Chances, running: Chances | None, model: Model) -> Compared | None:
    """By the calls of a log; None with fewer than two.

    Args:
        log: calls with propensities and one cost.
        candidate: the new policy.
        running: the one in force; None for what the log itself shows of it.
        model: of the cost.
    """
    present = as_logged(log) if running is None else running
    value, now, full, from_running, from_full = (
        doubly_robust(log, policy, model)
        for policy in (candidate, present, _full, difference(candidate, present), difference(candidate, _full))
    )
    if value is None or now is None or full is None or from_running is None or from_full is None:
        return None
    return Compared(
        candidate=value,
        candidate_by_log=self_normalised(log, candidate),
        running=now,
        full=full,
        from_running=from_running,
        from_full=from_full,
    )


def qualities(
    log: Sequence[Logged], candidate: Chances, running: Chances | None, evidence: Evidence, constraints: Constraints
) -> Qualities:
    """Of both policies on the requests of a log."""
    requests = traffic((group.context, group.n * group.size) for group in log)
    ours, theirs = (
        direct_quality(
            requests, policy, evidence, floor=mean_floor(constraints) or 0.0, confidence=constraints.confidence
        )
        for policy in (candidate, as_logged(log) if running is None else running)
    )
    return Qualities(candidate=ours, running=theirs)


def mean_floor(constraints: Constraints) -> float | None:
    """The floor over time that is in force; None where a price stands in its place."""
    if constraints.mean_floor is not None or constraints.floor is None:
        return constraints.mean_floor
    return (1 + constraints.floor) / 2


def value_data(value: Value | None) -> dict[str, Any] | None:
    """A value in JSON's own types."""
    return None if value is None else {**asdict(value), "low": value.low, "high": value.high}


def _full(_context: Context) -> Mapping[str, float]:
    return {FULL.name: 1.0}
