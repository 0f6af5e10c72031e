"""The calibration itself: warm up, see what fits into the time, then measure turn by turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from directives import FULL, Directive
from directives.profile import Ended, LeftOut
from sprout_like.calibrate.grid import Workload
from sprout_like.calibrate.runner import NotServed, Runner
from sprout_like.calibrate.sample import Sample, energy_j, ratio_to_full, time_s
from sprout_like.calibrate.schedule import Pace, Schedule, Slot, Turn, workloads_that_fit

__all__ = ["Measurements", "Step", "calibrate"]

TIGHT: Final = 0.05
"""Half-width of the 95 % interval of the ratio to `full` at which a cell is known well enough."""

WARM_UP_TOKENS: Final = 16
"""Long enough to reach the steady state of a knob, short enough that no time is lost."""

WARM_UP_SHARE: Final = 0.4
"""Most of the time that the warm-up may take; what it does not reach is not measured."""

_SERVED_FROM_CACHE: Final = (
    "reuse.answers: its repetitions would be answered from the cache at 0 J; what it saves is the share of questions "
    "that come again, which your traffic knows and no trial"
)
_FULL_ALONE: Final = "but for full: that takes a run without --quick"
_NO_TIME: Final = "the time was spent before its turn came"


@dataclass(frozen=True, slots=True)
class Step:
    """What happens next, for a progress bar.

    Attributes:
        round_number: from 1; 0 while warming up. directive, workload: names.
        left_s: time until the end at the latest, in s.
    """

    round_number: int
    directive: str
    workload: str
    left_s: float


@dataclass(slots=True)
class Measurements:
    """What was found so far; what stands here stays when the run is interrupted.

    Attributes:
        samples: counted calls. left_out: what is not measured, and why.
        rounds: rounds begun. ended: how it ended; `interrupted` until it did.
    """

    samples: list[Sample] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    rounds: int = 0
    ended: Ended = "interrupted"


def calibrate(
    found: Measurements,
    runner: Runner,
    directives: Mapping[str, Directive],
    workloads: Sequence[Workload],
    *,
    rng: Random,
    now_s: Callable[[], float],
    deadline_s: float,
    least_rounds: int = 3,
    on_step: Callable[[Step], None] = lambda _: None,
) -> None:
    """Measure what can be measured, and write it into `found` as it comes.

    Args:
        found: filled step by step.
        runner: runs the turns.
        directives: what is measured, by name; `full` must be among them.
        workloads: on what, from the least dispensable.
        rng: for the order.
        now_s: a monotonic clock, in s.
        deadline_s: by that clock; no call is begun that is expected to end later.
        least_rounds: rounds wanted at least; where the time is short, workloads are left out for them.
        on_step: called before each call.

    Raises:
        Exception: what the model raises under `full`. What it raises under a directive is a reason to leave that out.
    """
    run = _Run(found, runner, directives, workloads, now_s, deadline_s, on_step)
    slots = run.warm_up(run.applicable())
    kept = workloads_that_fit(run.round_s(slots), deadline_s - now_s(), least_rounds)
    for workload in workloads[kept:]:
        found.left_out.append(LeftOut(directive=None, workload=workload.name, reason="the time is too short for it"))
    schedule = Schedule(
        [slot for slot in slots if slot.workload < kept],
        rng=rng,
        now_s=now_s,
        deadline_s=deadline_s,
        expected_s=run.pace.expected_s,
        is_tight=run.is_tight,
        least_rounds=least_rounds,
    )
    for turn in schedule.turns():
        found.rounds = schedule.rounds
        sample = run.measure(turn, workloads[turn.slot.workload].limit_tokens)
        if sample is None:
            schedule.drop(turn.slot.directive)
        else:
            found.samples.append(sample)
    measured = {sample.turn.slot for sample in found.samples}
    failed = {left.directive for left in found.left_out if left.workload is None}
    for slot in slots:
        if slot.workload < kept and slot not in measured and slot.directive not in failed:
            found.left_out.append(_left_out(slot, workloads, _NO_TIME))
    found.ended = schedule.ended or "interrupted"


class _Run:
    """What the steps share."""

    def __init__(
        self,
        found: Measurements,
        runner: Runner,
        directives: Mapping[str, Directive],
        workloads: Sequence[Workload],
        now_s: Callable[[], float],
        deadline_s: float,
        on_step: Callable[[Step], None],
    ) -> None:
        self._found = found
        self._runner = runner
        self._directives = directives
        self._workloads = workloads
        self._now_s = now_s
        self._deadline_s = deadline_s
        self._on_step = on_step
        self.pace = Pace()

    def applicable(self) -> list[Slot]:
        """Every directive on every workload that it can be applied to; the others are noted with their reasons."""
        slots = []
        measurable = []
        for directive in self._directives.values():
            if directive.reuse is not None and directive.reuse.answers:
                self._leave_out(directive.name, _SERVED_FROM_CACHE)
            else:
                measurable.append(directive.name)
        refused = [self._runner.refusals(workload) for workload in self._workloads]
        for workload in self._workloads:
            if workload.full_alone:
                self._found.left_out.append(LeftOut(directive=None, workload=workload.name, reason=_FULL_ALONE))
        for name in measurable:
            reasons = {reasons[name] for reasons in refused if name in reasons}
            if len(reasons) == 1 and all(name in reasons for reasons in refused):
                self._leave_out(name, reasons.pop())
                continue
            for index, by_name in enumerate(refused):
                slot = Slot(index, name)
                if self._workloads[index].full_alone and not slot.is_full:
                    continue
                if name in by_name:
                    self._found.left_out.append(_left_out(slot, self._workloads, by_name[name]))
                else:
                    slots.append(slot)
        return slots

    def warm_up(self, slots: Sequence[Slot]) -> list[Slot]:
        """Run everything once, uncounted: models load, caches fill, and the pace becomes known.

        Directives answer in a few tokens, `full` also in as many as each workload allows.
        """
        first = Slot(0, FULL.name)
        until_s = self._now_s() + WARM_UP_SHARE * (self._deadline_s - self._now_s())
        failed: set[str] = set()
        base_s: float | None = None
        # The first call of all also pays for what `generate` sets up once, so `full` goes twice.
        once = list({slot.directive: slot for slot in reversed(slots)}.values())[::-1]
        for slot in [first, first, *(slot for slot in once if not slot.is_full)]:
            start_s = self._now_s()
            if start_s >= self._deadline_s:
                break
            if start_s >= until_s and slot != first:
                self._leave_out(slot.directive, _NO_TIME)
                failed.add(slot.directive)
                continue
            sample = self.measure(Turn(slot, 0), WARM_UP_TOKENS, counted=False)
            if sample is None:
                failed.add(slot.directive)
            elif slot == first:
                base_s = sample.time_s
            elif base_s and slot.workload == first.workload:
                self.pace.factors[slot.directive] = sample.time_s / base_s  # without what loading a variant took
        for index, workload in enumerate(self._workloads):
            slot = Slot(index, FULL.name)
            expected_s = (base_s or 0.0) * workload.limit_tokens / WARM_UP_TOKENS
            if self._now_s() + expected_s < (until_s if index else self._deadline_s):
                self.measure(Turn(slot, 0), workload.limit_tokens)
        return [slot for slot in slots if slot.directive not in failed]

    def round_s(self, slots: Sequence[Slot]) -> list[float]:
        """What a round of each workload takes, in s; of one not seen yet, all the time there is."""
        of_workload: list[list[float | None]] = [[] for _ in self._workloads]
        for slot in slots:
            of_workload[slot.workload].append(self.pace.expected_s(slot))
        return [sum(float("inf") if each is None else each for each in times) for times in of_workload]

    def measure(self, turn: Turn, limit_tokens: int, *, counted: bool = True) -> Sample | None:
        """One call; None where it cannot be done, which is noted."""
        workload, slot = self._workloads[turn.slot.workload], turn.slot
        start_s = self._now_s()
        self._on_step(Step(self._found.rounds, slot.directive, workload.name, self._deadline_s - start_s))
        try:
            sample = self._runner.run(turn, workload, limit_tokens)
        except NotServed as exc:
            self._leave_out(slot.directive, str(exc))
            return None
        except Exception as exc:
            if slot.is_full:
                raise
            self._leave_out(slot.directive, f"it failed with {type(exc).__qualname__}")
            return None
        if counted:
            self.pace.note(slot, self._now_s() - start_s)
        return sample

    def is_tight(self, slot: Slot) -> bool:
        """Whether the slot's ratio to `full` is known well enough: in energy, or in time where energy is unknown."""
        own = [sample for sample in self._found.samples if sample.turn.slot == slot]
        full = [sample for sample in self._found.samples if sample.turn.slot == slot.full]
        ratio = ratio_to_full(own, full, energy_j) or ratio_to_full(own, full, time_s)
        half = None if ratio is None else ratio.half_width
        return half is not None and half <= TIGHT

    def _leave_out(self, directive: str, reason: str) -> None:
        self._found.left_out.append(LeftOut(directive=directive, workload=None, reason=reason))


def _left_out(slot: Slot, workloads: Sequence[Workload], reason: str) -> LeftOut:
    return LeftOut(directive=slot.directive, workload=workloads[slot.workload].name, reason=reason)
