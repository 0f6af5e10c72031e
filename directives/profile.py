"""What directives cost and are worth, per workload bin, on one machine with one model."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from directives.estimate import Estimate
from directives.workload import Bin

__all__ = ["Cell", "Ended", "LeftOut", "Measure", "Point", "Profile"]

Measure = Literal["energy", "time"]
Ended = Literal["tight", "budget", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One directive in one bin. Figures are per request, which in a batch is one row: the batch's figure over its rows.

    Attributes:
        directive: its name. bin: the workload bin.
        knobs: names of the knobs it turns. lossless: whether they provably leave a greedy answer as it was.
        batch_size: rows of the calls that were measured.
        n: calls measured.
        energy_j: energy charged per request, in J; None where unknown.
        time_s: time in the engine per request, compilation left out, in s. In a batch, rows share the time.
        energy_per_token_j, time_per_token_s: the same per generated token; None where no token came or it is unknown.
        new_tokens: generated tokens per request.
        energy_ratio, time_ratio: to `full` on the same prompt in the same round, so that what differs between prompts
            and drifts over the run cancels out; None where no round had both.
        exact_share: share of the prompts whose answer was `full`'s, word for word; None where `full` was not measured.
        similarity: likeness of the answer's text to `full`'s, from 0 to 1; one value per prompt. It says how much an
            answer differs, not whether it is worse.
        finish_reasons: calls by finish reason.
        reused_share: share of the prompt tokens that were not computed again; 0 where no knob keeps any.
    """

    directive: str
    bin: Bin
    knobs: tuple[str, ...]
    lossless: bool
    batch_size: int
    n: int
    energy_j: Estimate | None
    time_s: Estimate
    energy_per_token_j: Estimate | None
    time_per_token_s: Estimate | None
    new_tokens: Estimate | None
    energy_ratio: Estimate | None
    time_ratio: Estimate | None
    exact_share: float | None
    similarity: Estimate | None
    finish_reasons: Mapping[str, int] = field(default_factory=dict)
    reused_share: float = 0.0

    def ratio(self, measure: Measure) -> Estimate | None:
        """The ratio to `full` in energy or in time; None where unknown."""
        return self.energy_ratio if measure == "energy" else self.time_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What was not measured.

    Attributes:
        directive: its name; None for all. workload: in which workload; None for all.
        reason: why not.
    """

    directive: str | None
    workload: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A directive over all bins in which it was measured, each bin counting the same.

    Attributes:
        directive: its name. lossless: as in `Cell`.
        bins: in how many bins it was measured.
        cost: mean ratio to `full`; 1 costs the same. cost_half_width: of its 95 % interval; None where a bin has none.
        similarity: mean likeness to `full`'s answers. similarity_half_width: likewise.
        dominated: whether it is dominated in every bin.
    """

    directive: str
    lossless: bool
    bins: int
    cost: float
    cost_half_width: float | None
    similarity: float
    similarity_half_width: float | None
    dominated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One calibration.

    Attributes:
        profile_id: 32 hex digits.
        created_utc: when it was begun, as ISO 8601 in UTC.
        model: the model's name or path. family: its architecture; None where unknown.
        hardware: what it ran on. versions: of the packages that matter, by name.
        meter: the meter's name. energy_method: the weakest method among the calls; `none` where energy is unknown.
        catalogue_version: the catalogue's.
        settings: what the run was asked for: budget, limits, seed; and `other_cpu_share`, the share of
            the processor that other processes took meanwhile.
        rounds: rounds begun. duration_s: time taken, warm-up included.
        ended: `tight` where every interval got tight enough, `budget` where the time was spent, `interrupted`.
        cells: what was measured. left_out: what was not, and why.
    """

    profile_id: str
    created_utc: str
    model: str
    family: str | None
    hardware: str
    versions: Mapping[str, str]
    meter: str
    energy_method: str
    catalogue_version: str
    settings: Mapping[str, float]
    rounds: int
    duration_s: float
    ended: Ended
    cells: tuple[Cell, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def measure(self) -> Measure:
        """`energy`; `time` where the energy of any cell is unknown, as costs must be compared in one measure."""
        return "time" if any(cell.energy_j is None for cell in self.cells) else "energy"

    @property
    def bins(self) -> tuple[Bin, ...]:
        """The bins that have a cell, each once, in the order of the cells."""
        return tuple(dict.fromkeys(cell.bin for cell in self.cells))

    @property
    def directives(self) -> tuple[str, ...]:
        """The directives that have a cell, each once, in the order of the cells."""
        return tuple(dict.fromkeys(cell.directive for cell in self.cells))

    def cell(self, directive: str, bin: Bin) -> Cell | None:  # noqa: A002 - the word of the domain
        """The cell of a directive in a bin; None where it was not measured."""
        return next((c for c in self.cells if c.directive == directive and c.bin == bin), None)

    def dominated_by(self, cell: Cell) -> str | None:
        """The cheapest directive that costs less in the same bin and is not worse; None where there is none.

        Less is less beyond doubt: the 95 % intervals of the two ratios to `full` lie apart. Not worse means a mean
        likeness to `full`'s answers that is at least as high; a cell whose likeness is unknown is never dominated.
        """
        rivals = [other for other in self.cells if other.bin == cell.bin and self._dominates(other, cell)]
        costs = {other.directive: _mean(other.ratio(self.measure)) for other in rivals}
        return min(costs, key=lambda name: costs[name]) if costs else None

    def points(self) -> Iterator[Point]:
        """One point per directive whose cost and likeness are known, in the order of the cells."""
        for name in self.directives:
            cells = [cell for cell in self.cells if cell.directive == name]
            pairs = [(cell.ratio(self.measure), cell.similarity) for cell in cells]
            known = [(cost, alike) for cost, alike in pairs if cost is not None and alike is not None]
            if not known:
                continue
            costs, likes = [cost for cost, _ in known], [alike for _, alike in known]
            yield Point(
                directive=name,
                lossless=cells[0].lossless,
                bins=len(known),
                cost=statistics.fmean(cost.mean for cost in costs),
                cost_half_width=_pooled_half_width(costs),
                similarity=statistics.fmean(alike.mean for alike in likes),
                similarity_half_width=_pooled_half_width(likes),
                dominated=all(self.dominated_by(cell) is not None for cell in cells),
            )

    def _dominates(self, other: Cell, cell: Cell) -> bool:
        if other.directive == cell.directive or other.similarity is None or cell.similarity is None:
            return False
        cost, dearer = other.ratio(self.measure), cell.ratio(self.measure)
        high, low = (None if cost is None else cost.high), (None if dearer is None else dearer.low)
        return high is not None and low is not None and high < low and other.similarity.mean >= cell.similarity.mean


def _mean(estimate: Estimate | None) -> float:
    return math.inf if estimate is None else estimate.mean


def _pooled_half_width(estimates: Sequence[Estimate]) -> float | None:
    """Of the mean of independent means: their half-widths added in quadrature, over their number."""
    halves = [estimate.half_width for estimate in estimates]
    known = [half for half in halves if half is not None]
    return math.hypot(*known) / len(halves) if len(known) == len(halves) else None
