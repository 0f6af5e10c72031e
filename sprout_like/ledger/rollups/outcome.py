"""What became of an attempt to add hours up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["Ended", "RollUp"]

Ended = Literal["done", "budget", "busy", "read_only"]

_MANY: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RollUp:
    """The outcome of `roll_up`.

    Attributes:
        hours_n: hours that were added up.
        requests_n: their requests. lines_n: the lines that these came to.
        left_n: hours that are over and have to be read from the rows still.
        ended: `done`; `budget` where the time was up; `busy` where somebody else wrote for too long; `read_only` where
            this user, or anybody, may only read.
    """

    hours_n: int
    requests_n: int
    lines_n: int
    left_n: int
    ended: Ended

    @property
    def saves_little(self) -> bool:
        """Whether there are more than half as many lines as requests, in a ledger of a size where it matters."""
        return self.requests_n >= _MANY and 2 * self.lines_n > self.requests_n
