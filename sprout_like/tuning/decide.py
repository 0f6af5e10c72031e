"""Whether a candidate is taken: the floor first, then the carbon."""

from __future__ import annotations

from collections.abc import Mapping

from directives import FULL
from directives.constraints import Constraints
from directives.evidence import Evidence, Quality
from directives.off_policy import Value
from directives.plan import Plan
from sprout_like.tuning.compare import Compared, Qualities, mean_floor
from sprout_like.tuning.store import State

__all__ = ["decided"]


def decided(
    plan: Plan,
    constraints: Constraints,
    evidence: Evidence,
    costs: Compared | None,
    served: Qualities,
    lived: Value | None,
    *,
    tuned: bool,
) -> tuple[State, str]:
    """The state of a candidate, and why.

    Costs are those of serving requests. What evaluations took is spent whichever policy serves, so that it is taken
    off the saving that is stated and decides nothing.

    Args:
        plan: the candidate.
        constraints: what was asked of it.
        evidence: what it was solved from.
        costs: carbon, or energy where no intensity is known; None where neither can be told.
        served: quality by verdicts.
        lived: quality by verdicts on answers that requests had got; None where there are none.
        tuned: whether a tuned policy runs; else the log stands for what does.
    """
    floor = constraints.floor if constraints.floor is not None else constraints.mean_floor
    low = plan.expected.quality_low
    if floor is not None and low is not None and low < floor:
        return "rejected", f"the lower bound of its quality, {low:.3f} of full's, is under the floor {floor:g}"
    if floor is not None and lived is not None and lived.high < floor and not _spared(served):
        return "rejected", f"answers like its own that were judged live had {lived.mean:.3f} of full's quality"
    if costs is None:
        return "rejected", "what it costs cannot be told: fewer than two requests know their energy and propensity"
    now = "the running policy" if tuned else "what was served so far"
    kept = _kept(served, constraints)
    change, beside, name = (
        (costs.from_running, costs.running, now) if kept else (costs.from_full, costs.full, FULL.name)
    )
    broken = "" if kept else f"; {now} does not hold the floor on today's evidence"
    if all(shares.keys() <= {FULL.name} for level in plan.levels for shares in level.values()):
        nothing = _nothing_saves(evidence, floor)
        if tuned and not kept:
            return "active", f"{nothing}{broken}"
        if change.high < 0:
            return "active", f"{nothing}; it still emits {_share(change, beside)} than {name}"
        return "rejected", nothing
    # A policy that breaks the floor must go, even for one that is not surely below `full`.
    if change.high >= 0 and not (tuned and not kept and change.mean <= 0):
        return "rejected", f"it does not surely emit less than {name}: {_share(change, beside)}{broken}"
    return "active", f"it emits {_share(change, beside)} than {name}, and holds the floor{broken}"


def _kept(served: Qualities, constraints: Constraints) -> bool:
    """Whether what runs is a measure: it holds the floor, or at least as much of it as the candidate does."""
    present, candidate = served.running, served.candidate
    if present is None or mean_floor(constraints) is None or present.margin >= 0:
        return True
    return candidate is not None and present.margin >= candidate.margin


def _spared(served: Qualities) -> bool:
    """Whether what was judged as bad is so small a part of the traffic that all of it keeps the floor."""
    return served.candidate is None or served.candidate.margin >= 0


def _nothing_saves(evidence: Evidence, floor: float | None) -> str:
    """Why the plan serves `full` alone, and what could change that."""
    full = {cell.bin: cell.energy_j.mean for cell in evidence.cells if cell.directive == FULL.name and cell.energy_j}
    cheaper = {
        cell.directive
        for cell in evidence.cells
        if not cell.lossless and cell.energy_j is not None and cell.energy_j.mean < full.get(cell.bin, 0.0)
    }
    judged: dict[str, Quality] = {}
    for cell in evidence.cells:
        if cell.quality is not None and cell.directive in cheaper:
            before = judged.get(cell.directive)
            judged[cell.directive] = cell.quality if before is None else before.merged(cell.quality)
    unjudged = sorted(cheaper - judged.keys())
    if unjudged:
        return f"what costs less than full was not judged yet: `sprout-like judge` ({', '.join(unjudged)})"
    if judged and floor is not None:
        return f"what costs less than full does not surely hold the floor {floor:g}: {_listed(judged)}"
    return "nothing that was measured costs less than full"


def _listed(judged: Mapping[str, Quality]) -> str:
    shares = {
        name: quality.mean / quality.full_mean if quality.full_mean > 0 else 0.0 for name, quality in judged.items()
    }
    best = sorted(judged, key=lambda name: -shares[name])
    return ", ".join(f"{name} has {shares[name]:.2f} of its quality by {judged[name].n} verdicts" for name in best)


def _share(change: Value, beside: Value) -> str:
    if beside.mean <= 0:
        return f"{change.mean:+.3g} per request more"
    mean, low, high = (100 * part / beside.mean for part in (change.mean, change.low, change.high))
    return f"{abs(mean):.1f} % {'more' if mean > 0 else 'less'} ({low:+.1f} to {high:+.1f} %)"
