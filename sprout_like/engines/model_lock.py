"""A model's lock: held by one thread alone, or by a party of threads that run it together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

__all__ = ["ModelLock"]


class ModelLock:
    """As a context manager it is held alone, and by the same thread as often as it likes; see also `together`.

    First come, first served: who asks to be alone waits for a party that is inside, and who would join that party
    afterwards waits behind. So neither keeps the other out for ever.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._queue: deque[object] = deque()
        self._owner: int | None = None
        self._depth = 0
        self._party: Hashable | None = None
        self._inside = 0

    @property
    def held_here(self) -> bool:
        """Whether the calling thread holds it alone."""
        return self._owner == threading.get_ident()

    def __enter__(self) -> None:
        if not self.held_here:
            self._admit(lambda: self._owner is None and not self._inside, self._own)
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            with self._changed:
                self._owner = None
                self._changed.notify_all()

    @contextmanager
    def together(self, party: Hashable) -> Iterator[None]:
        """Hold it beside all others of the same party; not for a thread that holds it alone, which would wait for ever.

        Args:
            party: who may be inside at the same time.
        """

        def join() -> None:
            self._party = party
            self._inside += 1

        self._admit(lambda: self._owner is None and (not self._inside or self._party == party), join)
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def _own(self) -> None:
        self._owner = threading.get_ident()

    def _admit(self, is_free: Callable[[], bool], enter: Callable[[], None]) -> None:
        place = object()
        with self._changed:
            self._queue.append(place)
            try:
                self._changed.wait_for(lambda: self._queue[0] is place and is_free())
                enter()
            finally:  # also when a waiting thread is interrupted
                self._queue.remove(place)
                self._changed.notify_all()
