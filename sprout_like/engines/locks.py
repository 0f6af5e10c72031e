"""One lock per model object, shared by everything that wraps it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from sprout_like.engines.model_lock import ModelLock

__all__ = ["hold_all", "lock_of"]


class _Registry:
    """The locks by what they guard."""

    def __init__(self) -> None:
        self.restart()

    def lock_of(self, thing: Any) -> ModelLock:
        with self._lock:
            found = self._locks.get(thing)
            if found is None:
                found = self._locks[thing] = ModelLock()
            return found

    def restart(self) -> None:
        """In a forked child: new locks, as the threads that may have held the old ones are not there to let go."""
        self._lock = threading.Lock()
        self._locks: WeakKeyDictionary[Any, ModelLock] = WeakKeyDictionary()


# A process-wide registry on purpose: two wrappers of one model must not run it at once, and neither knows the other.
# `generate` keeps state on the model (static caches, assisted decoding), see huggingface/transformers#48286.
_REGISTRY = _Registry()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_REGISTRY.restart)


def lock_of(thing: Any) -> ModelLock:
    """The lock of a model or tokenizer; the same object for the same thing, for as long as the thing lives."""
    return _REGISTRY.lock_of(thing)


@contextmanager
def hold_all(things: Iterable[Any]) -> Iterator[None]:
    """Hold the locks of all of them, always taken in the same order, so that two holders never wait for each other."""
    locks = {id(lock): lock for lock in map(lock_of, things)}
    with ExitStack() as held:
        for _, lock in sorted(locks.items()):
            held.enter_context(lock)
        yield
