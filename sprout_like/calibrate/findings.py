"""What a profile says, in sentences: every figure in them is computed from it, with its 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from directives import FULL
from directives.estimate import Estimate
from directives.profile import Cell, Point, Profile
from sprout_like.reports.figures import number

__all__ = ["findings"]

_QUIET = 0.1
"""Share of the processor that others may take before the figures are to be distrusted."""

_BREVITY = frozenset({"instruction", "budget"})


@dataclass(frozen=True, slots=True)
class _Saving:
    """Something that was done, and the share of `full`'s cost that it takes."""

    what: str
    cost: float
    half_width: float | None


def findings(profile: Profile) -> list[str]:
    """One sentence per finding; what cannot be told for lack of repetitions is said to be so."""
    unit = "energy" if profile.measure == "energy" else "time"
    batch = _batching(profile)
    said = [*_drafts(profile, unit), *_brevity(profile, unit), *(sentence for sentence, _ in batch)]
    savings = [*_best_of(profile), *(saving for _, saving in batch)]
    return [*_disturbed(profile), *said, *_ranking(savings, unit), *_dominated(profile), *_not_lossless(profile)]


def _disturbed(profile: Profile) -> Iterator[str]:
    """A busy machine changes ratios too: threads that wait for each other cost most where steps are many and small."""
    share = profile.settings.get("other_cpu_share", 0.0)
    if share > _QUIET:
        yield f"Other processes took {100 * share:.0f} % of the processor meanwhile: measure again on a quiet machine."


def _drafts(profile: Profile, unit: str) -> Iterator[str]:
    """Per directive with a draft, bin by bin, as a draft can pay on one kind of prompt and cost on another."""
    for name in profile.directives:
        cells = [cell for cell in profile.cells if cell.directive == name and "draft" in cell.knobs]
        parts = [part for cell in cells if (part := _in_bin(profile, cell))]
        if parts:
            yield f"Speculation, {name}: {unit} against full " + "; ".join(parts) + "."


def _in_bin(profile: Profile, cell: Cell) -> str | None:
    ratio = cell.ratio(profile.measure)
    if ratio is None:
        return None
    verdict = "not told apart"
    if ratio.high is not None and ratio.high < 1:
        verdict = "saves"
    elif ratio.low is not None and ratio.low > 1:
        verdict = "costs"
    return f"{change(ratio.mean, ratio.half_width)} on {label(cell)} ({verdict})"


def _brevity(profile: Profile, unit: str) -> Iterator[str]:
    short = [point for point in _points(profile) if _knobs(profile, point) and _knobs(profile, point) <= _BREVITY]
    for point in sorted(short, key=lambda point: point.cost):
        yield (
            f"Brevity, {point.directive}: {unit} {change(point.cost, point.cost_half_width)} over {_bins(point)}, at a "
            f"likeness to full's answers of {number(point.similarity, 2)}."
        )


def _batching(profile: Profile) -> list[tuple[str, _Saving]]:
    """`full` in a batch against `full` alone, on the same kind of prompt."""
    found = []
    full = [cell for cell in profile.cells if cell.directive == FULL.name]
    for batch in full:
        alone = next((c for c in full if c.batch_size == 1 and _same_work(c, batch)), None)
        if batch.batch_size == 1 or alone is None:
            continue
        ours, theirs = _per_request(profile, batch), _per_request(profile, alone)
        token = _per_token(profile, batch, alone)
        if ours is None or theirs is None:
            continue
        unit = "J" if profile.measure == "energy" else "s"
        cost, half = _quotient(ours, theirs)
        sentence = (
            f"Batching {batch.batch_size} requests: {figures(ours)} {unit} per request instead of {figures(theirs)} "
            f"{unit}: {change(cost, half)}{token}."
        )
        found.append((sentence, _Saving(f"a batch of {batch.batch_size}", cost, half)))
    return found


def _best_of(profile: Profile) -> Iterator[_Saving]:
    """The cheapest directive of each kind: shorter answers, drafts, and all else."""
    kinds: dict[str, list[Point]] = {}
    for point in _points(profile):
        knobs = _knobs(profile, point)
        kind = "draft" if "draft" in knobs else "brevity" if knobs and knobs <= _BREVITY else "other"
        if knobs:
            kinds.setdefault(kind, []).append(point)
    for points in kinds.values():
        best = min(points, key=lambda point: point.cost)
        yield _Saving(best.directive, best.cost, best.cost_half_width)


def _ranking(savings: Sequence[_Saving], unit: str) -> Iterator[str]:
    if len(savings) > 1:
        ranked = sorted(savings, key=lambda saving: saving.cost)
        each = (f"{saving.what} {change(saving.cost, saving.half_width)}" for saving in ranked)
        yield f"In order of what they save in {unit} per request (of each kind the best): " + "; ".join(each) + "."


def _dominated(profile: Profile) -> Iterator[str]:
    everywhere: list[str] = []
    somewhere: list[str] = []
    for name in profile.directives:
        cells = [cell for cell in profile.cells if cell.directive == name]
        rivals: dict[str, list[str]] = {}
        for cell in cells:
            by = profile.dominated_by(cell)
            if by is not None:
                rivals.setdefault(by, []).append(label(cell))
        said = f"{name} (" + "; ".join(f"by {by} on {', '.join(on)}" for by, on in rivals.items()) + ")"
        if rivals:
            (everywhere if sum(map(len, rivals.values())) == len(cells) else somewhere).append(said)
    meaning = "another costs less, the intervals apart, and is at least as much like full"
    if everywhere:
        yield f"Dominated wherever measured ({meaning}): {'; '.join(everywhere)}."
    if somewhere:
        yield f"Dominated on some workloads: {'; '.join(somewhere)}."


def _not_lossless(profile: Profile) -> Iterator[str]:
    """What should have answered as `full` and did not; `full` itself where its answers do not come again."""
    off = [
        f"{cell.directive} on {label(cell)} ({number(100 * cell.exact_share, 0)} % the same)"
        for cell in profile.cells
        if cell.lossless and cell.exact_share is not None and cell.exact_share < 1
    ]
    if off:
        yield (
            f"Lossless in exact arithmetic, yet not word for word here: {'; '.join(off)}. In reduced precision, sums "
            "taken in another order can tip a near-tie, and the answer goes on from there."
        )


def label(cell: Cell) -> str:
    """The workload of a cell, for people."""
    task = cell.bin.task or "any task"
    return task if cell.batch_size == 1 else f"{task} x{cell.batch_size}"


def change(ratio: float, half_width: float | None) -> str:
    """A ratio to `full` as a change: `-48.0 % (± 3.1)`; `±` is half the 95 % interval, in points of percent."""
    share = 100 * (ratio - 1)
    sign = "+" if share > 0 else ""
    spread = "one trial" if half_width is None else f"± {number(100 * half_width, 1)}"
    return f"{sign}{number(share, 1)} % ({spread})"


def figures(estimate: Estimate) -> str:
    """Mean and half of the 95 % interval: `3.21 ± 0.12`."""
    half = estimate.half_width
    return number(estimate.mean, 2) if half is None else f"{number(estimate.mean, 2)} ± {number(half, 2)}"


def _points(profile: Profile) -> list[Point]:
    return [point for point in profile.points() if point.directive != FULL.name]


def _knobs(profile: Profile, point: Point) -> frozenset[str]:
    return frozenset(next(cell.knobs for cell in profile.cells if cell.directive == point.directive))


def _bins(point: Point) -> str:
    return f"{point.bins} workload{'' if point.bins == 1 else 's'}"


def _same_work(one: Cell, other: Cell) -> bool:
    return one.bin.task == other.bin.task and one.bin.limit_tokens == other.bin.limit_tokens


def _per_request(profile: Profile, cell: Cell) -> Estimate | None:
    return cell.energy_j if profile.measure == "energy" else cell.time_s


def _per_token(profile: Profile, batch: Cell, alone: Cell) -> str:
    energy = profile.measure == "energy"
    ours = batch.energy_per_token_j if energy else batch.time_per_token_s
    theirs = alone.energy_per_token_j if energy else alone.time_per_token_s
    if ours is None or theirs is None:
        return ""
    return f", per generated token {change(*_quotient(ours, theirs))}"


def _quotient(one: Estimate, other: Estimate) -> tuple[float, float | None]:
    """A quotient of two independent means and its half-width, the relative half-widths added in quadrature."""
    quotient = one.mean / other.mean
    halves = one.half_width, other.half_width
    if halves[0] is None or halves[1] is None or not one.mean:
        return quotient, None
    return quotient, abs(quotient) * math.hypot(halves[0] / one.mean, halves[1] / other.mean)
