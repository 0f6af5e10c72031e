"""When live answers turn out worse than planned: everything is served `full` until an evaluation says otherwise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

from directives import FULL, Decision, Observation, Uniform
from directives.breaker import Breaker
from directives.constraints import Constraints
from directives.evidence import Quality

__all__ = ["OPEN", "Judged", "Kind", "LiveQuality", "Tripped", "as_served", "opened"]

OPEN: Final = ";breaker"
"""How versions end that are served while the breaker is open."""

_MOST: Final = 0.5
"""Share of the lossy traffic that an evaluation must have judged to speak for all of it."""

_ROUNDING: Final = 1e-9


Kind = tuple[str, str]
"""A task, empty for none, and the directive that its requests got."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one evaluation said of the directives whose answers need judging.

    Attributes:
        served: answers that requests had got; None where none was judged.
        again: answers generated for the judge alone, by the prompts' task and directive.
    """

    served: Quality | None = None
    again: Mapping[Kind, Quality] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveQuality:
    """Verdicts since a policy became active.

    Attributes:
        evaluations: in the order of time.
        shares: of the requests since then, by task and directive, those of directives whose answers need judging.
    """

    evaluations: tuple[Judged, ...]
    shares: Mapping[Kind, float]


def opened(live: LiveQuality | None, asked: Constraints) -> str | None:
    """Why the breaker is open; None while it is closed.

    It follows from the ledger alone, so that all processes on it, and those started later, agree. Verdicts on answers
    that requests got are added up, and apart from these the verdicts on answers generated for the judge, each weighing
    as much as its task and directive do in the traffic; either opens it. Then nothing lossy is served, and what
    evaluations generate from then on is added up until it says otherwise, and all begins anew.
    """
    share = 0.0 if live is None else min(1.0, math.fsum(live.shares.values()))
    if live is None or asked.floor is None or share == 0:
        return None
    # All else is as good as `full`: share x quality + (1 - share) >= floor.
    lossy_floor = max(0.0, 1 - (1 - asked.floor) / share)
    # Two sums are watched, and each may be wrong with half the probability.
    breaker = Breaker(floor=lossy_floor, confidence=(1 + asked.confidence) / 2)
    served: Quality | None = None
    again: Quality | None = None
    why: str | None = None
    for judged in live.evaluations:
        again = _merged(again, as_served(judged.again, live.shares))
        if why is not None:
            if again is not None and breaker.holds(again):
                served = again = why = None
            continue
        served = _merged(served, judged.served)
        for found, of in ((served, "live"), (again, "of an evaluation's")):
            if found is not None and breaker.tripped(found):
                why = _reason(of, found, share, asked.floor)
                again = None
                break
    return why


def as_served(again: Mapping[Kind, Quality], shares: Mapping[Kind, float]) -> Quality | None:
    """Verdicts on answers that nobody was served, weighed by what is served; None where most of that was not judged.

    A directive of which a task that is served was not judged is taken over all tasks. The variance of a weighted mean
    is that of Σ w² / n, which gives the number of verdicts that it is worth.
    """
    parts: list[tuple[float, Quality]] = []
    for directive in {directive for _, directive in shares}:
        mine = {kind: share for kind, share in shares.items() if kind[1] == directive}
        if mine.keys() <= again.keys():
            parts += [(share, again[kind]) for kind, share in mine.items()]
        elif found := [quality for kind, quality in again.items() if kind[1] == directive]:
            parts.append((math.fsum(mine.values()), reduce(Quality.merged, found)))
    covered = math.fsum(share for share, _ in parts)
    if covered == 0 or covered < _MOST * math.fsum(shares.values()):
        return None
    weighed = [(share / covered, quality) for share, quality in parts]
    mean = math.fsum(w * q.mean for w, q in weighed)
    full_mean = math.fsum(w * q.full_mean for w, q in weighed)
    return Quality(
        n=max(1, math.floor(1 / math.fsum(w * w / q.n for w, q in weighed) + _ROUNDING)),
        mean=mean,
        full_mean=full_mean,
        variance=math.fsum(w * (q.variance + (q.mean - mean) ** 2) for w, q in weighed),
        full_variance=math.fsum(w * (q.full_variance + (q.full_mean - full_mean) ** 2) for w, q in weighed),
        covariance=math.fsum(w * (q.covariance + (q.mean - mean) * (q.full_mean - full_mean)) for w, q in weighed),
    )


def _merged(one: Quality | None, other: Quality | None) -> Quality | None:
    return one.merged(other) if one is not None and other is not None else one or other


def _reason(of: str, judged: Quality, share: float, floor: float) -> str:
    found = f"{judged.n} {of} verdicts do not show the floor {floor:g} of full's quality"
    if judged.full_mean > 0:
        found += f", they put it at {1 - share * (1 - judged.mean / judged.full_mean):.3f}"
    return f"breaker: {found}"


class Tripped:
    """Serves `full`, and goes on drawing the control group, so that the two groups stay alike.

    Args:
        version: of the policy that it stands in for. control_share: as in `Constraints`. why: the reason, for the rows.
    """

    name = "contextual"
    reach = frozenset({FULL.name})

    def __init__(self, version: str, control_share: float, why: str) -> None:
        self.version = version + OPEN
        self._control_share = control_share
        self._why = why

    def choose(self, observation: Observation, candidates: Sequence[str], rng: Uniform) -> Decision:  # noqa: ARG002
        """`full`, with propensity 1."""
        control = rng.random() < self._control_share
        return Decision(directive=FULL.name, propensity=1.0, reason=self._why, group="control" if control else "policy")
