"""Answers that take long, made in a thread of their own: who asks gets the last one, at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from sprout_like.clock import Clock

__all__ = ["Prepared"]

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")

_REST: Final = 9
"""Nothing is made anew before nine times as long as it took: at most a tenth of the time goes into it."""

_AFTER_FAULT_S: Final = 1.0
_LAST_WORDS_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Made(Generic[Answer]):
    answer: Answer | None
    fault: Exception | None
    of: object
    good_until_s: float


class Prepared(Generic[Key, Answer]):
    """Makes what is asked for, one at a time, as long as somebody asks.

    Args:
        make: what to call; from one thread alone.
        every_s: how long an answer is good at least, in s.
        clock: measures that.
        patience_s: how long to wait for a first answer, in s.
        of: what answers are of; those of something else are forgotten.
    """

    def __init__(
        self,
        make: Callable[[Key], Answer],
        *,
        every_s: float,
        clock: Clock,
        patience_s: float,
        of: Callable[[], object],
    ) -> None:
        self._make = make
        self._every_s = every_s
        self._clock = clock
        self._patience_s = patience_s
        self._of = of
        self._made: dict[Key, _Made[Answer]] = {}
        self._asked: dict[Key, None] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="sprout-like-preparing", daemon=True)
        self._thread.start()

    def __call__(self, key: Key) -> Answer | None:
        """The last answer; None where there is none yet.

        Raises:
            Exception: whatever `make` raised the last time.
        """
        with self._changed:
            made = self._known(key)
            if made is None or self._clock.monotonic_s() >= made.good_until_s:
                self.ahead(key)
            if made is None:
                self._changed.wait_for(lambda: self._closed or self._known(key) is not None, self._patience_s)
                made = self._known(key)
        if made is not None and made.fault is not None:
            raise made.fault
        return None if made is None else made.answer

    def ahead(self, key: Key) -> None:
        """Make it, as it will be asked for soon."""
        with self._changed:
            self._asked[key] = None
            self._changed.notify_all()

    def close(self) -> None:
        """Make nothing more; what is being made has some seconds to end. Safe to call twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(_LAST_WORDS_S)

    def _known(self, key: Key) -> _Made[Answer] | None:
        made = self._made.get(key)
        return made if made is not None and made.of == self._of() else None

    def _work(self) -> None:
        while (key := self._next()) is not None:
            of, begun_s = self._of(), self._clock.monotonic_s()
            answer, fault = None, None
            try:
                answer = self._make(key)
            except Exception as exc:  # noqa: BLE001 - told to who asks, and the thread goes on with what else is asked
                fault = exc
            ended_s = self._clock.monotonic_s()
            rest_s = _AFTER_FAULT_S if fault else max(self._every_s, _REST * (ended_s - begun_s))
            with self._changed:
                self._made[key] = _Made(answer, fault, of, ended_s + rest_s)
                self._asked.pop(key, None)
                self._changed.notify_all()

    def _next(self) -> Key | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._asked)
            return None if self._closed else next(iter(self._asked))
