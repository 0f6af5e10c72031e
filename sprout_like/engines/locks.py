"""One lock per model object, shared by everything that wraps it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["hold_all", "lock_of"]

# A process-wide registry on purpose: two wrappers of one model must not run it at once, and neither knows the other.
# `generate` keeps state on the model (static caches, assisted decoding), see huggingface/transformers#48286.
_LOCKS: WeakKeyDictionary[Any, threading.RLock] = WeakKeyDictionary()
_REGISTRY_LOCK = threading.Lock()


def lock_of(thing: Any) -> threading.RLock:
    """The lock of a model or tokenizer; the same object for the same thing, for as long as the thing lives."""
    with _REGISTRY_LOCK:
        return _LOCKS.setdefault(thing, threading.RLock())


@contextmanager
def hold_all(things: Iterable[Any]) -> Iterator[None]:
    """Hold the locks of all of them, always taken in the same order, so that two holders never wait for each other."""
    locks = {id(lock): lock for lock in map(lock_of, things)}
    with ExitStack() as held:
        for _, lock in sorted(locks.items()):
            held.enter_context(lock)
        yield
