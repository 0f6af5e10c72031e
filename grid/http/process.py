"""What must not be shared with a process that is forked: locks that nobody there releases, sockets that two read."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["PerProcess"]

T = TypeVar("T")


class PerProcess(Generic[T]):
    """A thing that is made anew, on first use, in each process that a fork leaves it in.

    Args:
        make: makes it.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        # The parent's stays here, unused: a socket that is collected or closed here might end the parent's connection.
        self._by_pid: dict[int, T] = {}

    def __call__(self) -> T:
        """This process's own."""
        pid = os.getpid()
        try:
            return self._by_pid[pid]
        except KeyError:
            return self._by_pid.setdefault(pid, self._make())  # atomic: two threads get the same
