"""In which order and for how long is measured. Pure: the clock and the randomness are given.

Every round goes through all cells in a new random order, so that a drift of the machine (heat, other work) meets all
directives alike instead of those that come last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final, Literal

from directives import FULL

__all__ = ["Pace", "Schedule", "Slot", "Turn", "workloads_that_fit"]

_MARGIN: Final = 1.2
"""A call is expected to take so much longer than the longest one like it."""


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One directive on one workload, by its index."""

    workload: int
    directive: str

    @property
    def is_full(self) -> bool:
        """Whether it is what the others are compared with."""
        return self.directive == FULL.name

    @property
    def full(self) -> Slot:
        """What it is compared with."""
        return Slot(self.workload, FULL.name)


@dataclass(frozen=True, slots=True)
class Turn:
    """A slot's call in a round."""

    slot: Slot
    round_number: int


@dataclass(slots=True)
class Pace:
    """How long calls take, from those seen so far.

    Attributes:
        longest_s: of each slot.
        factors: how much longer than `full` a directive takes for tokens of the same number.
    """

    longest_s: dict[Slot, float] = field(default_factory=dict)
    factors: dict[str, float] = field(default_factory=dict)

    def note(self, slot: Slot, seconds: float) -> None:
        """One call took so long."""
        self.longest_s[slot] = max(seconds, self.longest_s.get(slot, 0.0))

    def expected_s(self, slot: Slot) -> float | None:
        """How long the slot's next call takes, on the safe side; None where nothing like it was seen.

        Before its own first call: as long as `full` on the workload, longer by the directive's factor, but never
        shorter, as a directive that answers with fewer tokens need not do so everywhere.
        """
        own_s = self.longest_s.get(slot)
        if own_s is not None:
            return _MARGIN * own_s
        full_s = self.longest_s.get(slot.full)
        return None if full_s is None else _MARGIN * full_s * max(1.0, self.factors.get(slot.directive, 1.0))


def workloads_that_fit(round_s: Sequence[float], left_s: float, least_rounds: int) -> int:
    """How many workloads, from the first, can be measured in the time; at least one.

    Args:
        round_s: what a round of each workload takes, in s.
        left_s: the time that is left, in s.
        least_rounds: how many rounds are wanted at least.
    """
    kept = len(round_s)
    while kept > 1 and sum(round_s[:kept]) * least_rounds > left_s:
        kept -= 1
    return kept


class Schedule:
    """Whose turn it is, until all is known well enough or the time is spent.

    Args:
        slots: what is to be measured; `full` of each workload must be among them.
        rng: for the order.
        now_s: a monotonic clock.
        deadline_s: by that clock; no call is begun that is expected to end later.
        expected_s: how long a slot's call takes; None where unknown.
        is_tight: whether enough is known of a slot.
        least_rounds: rounds before any slot counts as known.

    Attributes:
        rounds: rounds begun so far.
        ended: why there are no more turns; None while there are.
    """

    def __init__(
        self,
        slots: Sequence[Slot],
        *,
        rng: Random,
        now_s: Callable[[], float],
        deadline_s: float,
        expected_s: Callable[[Slot], float | None],
        is_tight: Callable[[Slot], bool],
        least_rounds: int,
    ) -> None:
        self._slots = list(slots)
        self._rng = rng
        self._now_s = now_s
        self._deadline_s = deadline_s
        self._expected_s = expected_s
        self._is_tight = is_tight
        self._least_rounds = least_rounds
        self.rounds = 0
        self.ended: Literal["tight", "budget"] | None = None

    def drop(self, directive: str) -> None:
        """Give no more turns to a directive, as it cannot be measured."""
        self._slots = [slot for slot in self._slots if slot.directive != directive]

    def turns(self) -> Iterator[Turn]:
        """One turn after another; the caller measures it before asking for the next."""
        while order := self._next_round():
            self.rounds += 1
            skipped = False
            for slot in order:
                if slot not in self._slots:  # dropped in this round
                    continue
                if self.fits(slot):
                    yield Turn(slot, self.rounds - 1)
                else:
                    skipped = True  # a shorter one may still fit
            if skipped:
                self.ended = "budget"
                return
        self.ended = "tight"

    def fits(self, slot: Slot) -> bool:
        """Whether a call of the slot, begun now, is expected to end in time."""
        return self._now_s() + (self._expected_s(slot) or 0.0) < self._deadline_s

    def _next_round(self) -> list[Slot]:
        """The slots that are not known well enough, and `full` of their workloads to compare with, shuffled.

        In a round that cannot be finished `full` goes first: without it, the others' calls could be compared with none.
        """
        if self.rounds < self._least_rounds:
            wanted = list(self._slots)
        else:
            loose = [slot for slot in self._slots if not slot.is_full and not self._is_tight(slot)]
            wanted = sorted({*loose, *(slot.full for slot in loose)})
        self._rng.shuffle(wanted)
        if self._now_s() + sum(self._expected_s(slot) or 0.0 for slot in wanted) >= self._deadline_s:
            wanted.sort(key=lambda slot: not slot.is_full)
        return wanted
