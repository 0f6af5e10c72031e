"""A batch in parts: which are still to be run, and what came of the others. Knows nothing of Ray."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sprout_like.errors import EngineUnavailable
from sprout_like.jobs.engines.engine import Answered, Ask, Outcome
from sprout_like.jobs.engines.ray_actor import Reply
from sprout_like.jobs.engines.ray_energy import pooled
from sprout_like.jobs.engines.sharing import parts_of_one

__all__ = ["Part", "Parts"]

# A prompt that ends the process which runs it must not be handed on until no process is left.
_ACTORS_PER_PART: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Prompts that one actor runs together: their places in the batch, and how many actors were lost over them."""

    places: Sequence[int]
    lost: int = 0


class Parts:
    """The bookkeeping of one batch.

    Args:
        asks: the batch.
        at_once: most prompts in a part.
    """

    def __init__(self, asks: Sequence[Ask], *, at_once: int) -> None:
        self._asks = asks
        places = range(len(asks))
        self._waiting = deque(Part(places=places[at : at + at_once]) for at in range(0, len(places), at_once))
        self._replies: list[tuple[Part, Reply]] = []
        self._failed: dict[int, Answered] = {}

    @property
    def waiting(self) -> bool:
        """Whether a part is to be run."""
        return bool(self._waiting)

    def take(self) -> tuple[Part, list[Ask]]:
        """The next part and its prompts."""
        part = self._waiting.popleft()
        return part, [self._asks[place] for place in part.places]

    def done(self, part: Part, reply: Reply) -> None:
        """It was run."""
        self._replies.append((part, reply))

    def too_large(self, part: Part) -> None:
        """It did not fit into memory: both halves are to be run; a single prompt fails for good."""
        if len(part.places) == 1:
            self._fail(part, "BatchTooLarge: it does not fit into memory alone", for_good=True)
            return
        half = len(part.places) // 2
        self._waiting.extendleft(Part(places=places) for places in (part.places[half:], part.places[:half]))

    def lost(self, part: Part) -> None:
        """Its actor is gone: it goes to another one, once."""
        if part.lost + 1 < _ACTORS_PER_PART:
            self._waiting.append(dataclasses.replace(part, lost=part.lost + 1))
        else:
            self._fail(part, f"ActorLost: {_ACTORS_PER_PART} actors ended while they ran it")

    def not_run(self, part: Part) -> None:
        """Its actor's engine was not available: it goes to another one."""
        self._waiting.append(part)

    def outcome(self, fault: str) -> Outcome:
        """The whole; prompts that nobody is left to run fail for this time.

        Args:
            fault: why nobody is left.

        Raises:
            EngineUnavailable: not one part was run, and some are left.
        """
        if self._waiting and not self._replies:
            raise EngineUnavailable(fault)
        while self._waiting:
            self._fail(self._waiting.popleft(), f"EngineUnavailable: {fault}")
        energy, weights = pooled([reply.reading for _, reply in self._replies])
        answers = dict(self._failed)
        for (part, reply), weight in zip(self._replies, weights, strict=True):
            for place, answer in zip(part.places, reply.answers, strict=True):
                answers[place] = dataclasses.replace(answer, share=answer.share * weight)
        ordered = [answers[place] for place in range(len(self._asks))]
        shares = parts_of_one([answer.share for answer in ordered])
        whole = [dataclasses.replace(answer, share=share) for answer, share in zip(ordered, shares, strict=True)]
        return Outcome(answers=tuple(whole), energy=energy)

    def _fail(self, part: Part, error: str, *, for_good: bool = False) -> None:
        self._failed |= dict.fromkeys(part.places, Answered(error=error, for_good=for_good))
