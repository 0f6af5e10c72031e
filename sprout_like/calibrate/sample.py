"""One measured call, and the cells that many of them make. Pure."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from directives import Directive, Observation
from directives.estimate import Estimate
from directives.profile import Cell
from directives.workload import Bin, bin_of
from sprout_like.calibrate.schedule import Slot, Turn
from sprout_like.calibrate.similarity import is_same, similarity
from sprout_like.record import RequestRecord

__all__ = ["Sample", "cells", "energy_j", "ratio_to_full", "time_s"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One call.

    Attributes:
        turn: whose and in which round.
        prompts: which of the workload's prompts were asked, by row. answers: the answers' texts, by row.
        limit_tokens: the call's own limit on new tokens per row.
        record: the call's row in the ledger, whose figures are those of all rows of the batch together.
    """

    turn: Turn
    prompts: tuple[int, ...]
    answers: tuple[str, ...] = field(repr=False)
    limit_tokens: int
    record: RequestRecord

    @property
    def rows(self) -> int:
        """Rows of the call."""
        return self.record.batch_size or len(self.prompts)

    @property
    def energy_j(self) -> float | None:
        """Energy charged to the call, in J; None where unknown."""
        return self.record.energy_j

    @property
    def time_s(self) -> float:
        """Time in the engine, compilation left out, in s."""
        return (self.record.engine_s or 0.0) - (self.record.compile_s or 0.0)

    @property
    def reused_share(self) -> float:
        """Share of the prompt tokens that were not computed again."""
        record = self.record
        return (record.reused_tokens or 0) / record.prompt_tokens if record.prompt_tokens else 0.0

    @property
    def bin(self) -> Bin:
        """The bin of the call."""
        record = self.record
        return bin_of(
            Observation(
                task=record.task,
                prompt_tokens=record.prompt_tokens,
                # Not the row's, which a directive's budget may have lowered.
                limit_tokens=self.limit_tokens,
                batch_size=record.batch_size,
            )
        )


def cells(samples: Sequence[Sample], directives: Mapping[str, Directive]) -> tuple[Cell, ...]:
    """One cell per slot that was measured, `full` first in each workload, the others in the directives' order."""
    by_slot: dict[Slot, list[Sample]] = {}
    for sample in samples:
        by_slot.setdefault(sample.turn.slot, []).append(sample)
    places = {name: place for place, name in enumerate(directives)}
    ordered = sorted(by_slot, key=lambda slot: (slot.workload, places[slot.directive]))
    return tuple(_cell(directives[slot.directive], by_slot[slot], by_slot.get(slot.full, [])) for slot in ordered)


def ratio_to_full(
    samples: Sequence[Sample], full: Sequence[Sample], figure: Callable[[Sample], float | None]
) -> Estimate | None:
    """A figure's ratio to `full`'s of the same round, which asked the same prompts; None where no round has both."""
    of_full = {sample.turn.round_number: figure(sample) for sample in full}
    return Estimate.of(_ratio(figure(sample), of_full.get(sample.turn.round_number)) for sample in samples)


def energy_j(sample: Sample) -> float | None:
    """Energy of the call, in J."""
    return sample.energy_j


def time_s(sample: Sample) -> float:
    """Time of the call, in s."""
    return sample.time_s


def _cell(directive: Directive, samples: Sequence[Sample], full: Sequence[Sample]) -> Cell:
    rows = samples[0].rows
    same, alike = _agreement(samples, full)
    return Cell(
        directive=directive.name,
        # Prompts of a workload are of about the same length; where a bucket's edge lies between them, the first decides
        # for all directives alike.
        bin=(full or samples)[0].bin,
        knobs=tuple(sorted(directive.knobs)),
        lossless=directive.lossless,
        batch_size=rows,
        n=len(samples),
        energy_j=Estimate.of(_ratio(s.energy_j, rows) for s in samples),
        time_s=_known(Estimate.of(s.time_s / rows for s in samples)),
        energy_per_token_j=Estimate.of(_ratio(s.energy_j, s.record.new_tokens) for s in samples),
        time_per_token_s=Estimate.of(_ratio(s.time_s, s.record.new_tokens) for s in samples),
        new_tokens=Estimate.of(_ratio(s.record.new_tokens, rows) for s in samples),
        energy_ratio=ratio_to_full(samples, full, energy_j),
        time_ratio=ratio_to_full(samples, full, time_s),
        exact_share=same,
        similarity=alike,
        finish_reasons=dict(Counter(reason for s in samples if (reason := s.record.finish_reason) is not None)),
        reused_share=statistics.fmean(s.reused_share for s in samples),
    )


def _agreement(samples: Sequence[Sample], full: Sequence[Sample]) -> tuple[float | None, Estimate | None]:
    """Share of answers that are `full`'s, and their likeness, one value per prompt.

    A greedy answer comes again when its prompt does: to count it twice would make the interval look tighter than it is.
    """
    references: dict[int, str] = {}
    for prompt, answer in _answers(full):
        references.setdefault(prompt, answer)
    pairs = [(prompt, answer, references[prompt]) for prompt, answer in _answers(samples) if prompt in references]
    if not pairs:
        return None, None
    same: dict[int, list[float]] = {}
    alike: dict[int, list[float]] = {}
    for prompt, answer, reference in pairs:
        same.setdefault(prompt, []).append(float(is_same(answer, reference)))
        alike.setdefault(prompt, []).append(similarity(answer, reference))
    exact = statistics.fmean(statistics.fmean(values) for values in same.values())
    return exact, Estimate.of(statistics.fmean(values) for values in alike.values())


def _answers(samples: Iterable[Sample]) -> Iterable[tuple[int, str]]:
    return (pair for sample in samples for pair in zip(sample.prompts, sample.answers, strict=True))


def _ratio(figure: float | None, base: float | None) -> float | None:
    return None if figure is None or not base else figure / base


def _known(estimate: Estimate | None) -> Estimate:
    if estimate is None:
        raise ValueError("a cell without a measurement")
    return estimate
