"""Answers that are kept for a moment, so that ten pages cost the database no more than one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sprout_like.clock import Clock

__all__ = ["Remembered"]

Key = TypeVar("Key")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Answer]):
    answer: Answer
    made_s: float


class Remembered(Generic[Key, Answer]):
    """Calls `make` for a key, at most once per `keep_s` and never twice at a time; who comes meanwhile waits for it.

    What `make` raises is raised to whoever asked, and not kept.

    Args:
        make: what to call. The keys are few: what was made last of each is kept for ever.
        keep_s: how long an answer is good, in s.
        clock: measures that.
    """

    def __init__(self, make: Callable[[Key], Answer], *, keep_s: float, clock: Clock) -> None:
        self._make = make
        self._keep_s = keep_s
        self._clock = clock
        self._kept: dict[Key, _Kept[Answer]] = {}
        self._making: dict[Key, threading.Lock] = {}
        self._lock = threading.Lock()

    def __call__(self, key: Key) -> Answer:
        """The answer."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            kept = self._kept.get(key)
            if kept is None or self._clock.monotonic_s() - kept.made_s >= self._keep_s:
                kept = self._kept[key] = _Kept(self._make(key), self._clock.monotonic_s())
            return kept.answer
