"""A fake for tests, ours and yours."""

from __future__ import annotations

from sprout_like.choosing.breaker import LiveQuality
from sprout_like.choosing.knowledge import Basis
from sprout_like.errors import SproutError

__all__ = ["ScriptedKnowledge"]


class ScriptedKnowledge:
    """A `Knowledge` that knows what it is told.

    Attributes:
        now: the basis. live: verdicts of live answers; None for none.
        failure: raised by both questions while it is set.
        asked: how often the basis was asked for. closed: whether it was closed.
    """

    def __init__(self, basis: Basis) -> None:
        self.now = basis
        self.live: LiveQuality | None = None
        self.failure: SproutError | None = None
        self.asked = 0
        self.closed = False

    def basis(self) -> Basis:
        """The one it was told, or the failure."""
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return self.now

    def quality(self) -> LiveQuality | None:
        """What it was told, or the failure."""
        if self.failure is not None:
            raise self.failure
        return self.live

    def close(self) -> None:
        """Remember it."""
        self.closed = True
