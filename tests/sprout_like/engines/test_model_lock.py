"""A model's lock: alone, together, in turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from sprout_like.engines.model_lock import ModelLock

WAIT_S = 10.0


class Visitor:
    """A thread that goes in by `enter`, and out when told to."""

    def __init__(self, pool: ThreadPoolExecutor, enter: Callable[[], AbstractContextManager[Any]]) -> None:
        self.inside, self._leave = threading.Event(), threading.Event()
        self._done: Future[None] = pool.submit(self._visit, enter)

    def leave(self) -> None:
        self._leave.set()
        self._done.result(WAIT_S)

    def _visit(self, enter: Callable[[], AbstractContextManager[Any]]) -> None:
        with enter():
            self.inside.set()
            self._leave.wait(WAIT_S)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def queued(lock: ModelLock, waiting: int) -> None:
    """Wait until that many threads stand in the queue."""
    for _ in range(1000):
        if len(lock._queue) == waiting:
            return
        threading.Event().wait(0.01)
    raise AssertionError


def test_one_thread_holds_it_as_often_as_it_likes() -> None:
    lock = ModelLock()
    assert not lock.held_here
    with lock, lock:
        assert lock.held_here
    assert not lock.held_here


def test_others_wait_for_who_is_alone(pool: ThreadPoolExecutor) -> None:
    lock = ModelLock()
    first = Visitor(pool, lambda: lock)
    assert first.inside.wait(WAIT_S)
    others = [Visitor(pool, lambda: lock), Visitor(pool, lambda: lock.together("party"))]
    queued(lock, 2)
    assert not any(other.inside.is_set() for other in others)
    first.leave()
    for other in sorted(others, key=lambda other: not other.inside.wait(0.05)):
        assert other.inside.wait(WAIT_S)
        other.leave()


def test_a_party_is_inside_together_and_another_party_waits(pool: ThreadPoolExecutor) -> None:
    lock = ModelLock()
    party = [Visitor(pool, lambda: lock.together("one")) for _ in range(3)]
    assert all(visitor.inside.wait(WAIT_S) for visitor in party)
    other = Visitor(pool, lambda: lock.together("other"))
    queued(lock, 1)
    for visitor in party:
        assert not other.inside.is_set()
        visitor.leave()
    assert other.inside.wait(WAIT_S)
    other.leave()


def test_who_joins_later_waits_behind_who_is_to_be_alone(pool: ThreadPoolExecutor) -> None:
    lock = ModelLock()
    guest = Visitor(pool, lambda: lock.together("party"))
    assert guest.inside.wait(WAIT_S)
    alone = Visitor(pool, lambda: lock)
    queued(lock, 1)
    late = Visitor(pool, lambda: lock.together("party"))
    queued(lock, 2)
    guest.leave()
    assert alone.inside.wait(WAIT_S)
    assert not late.inside.is_set()
    alone.leave()
    assert late.inside.wait(WAIT_S)
    late.leave()


def test_a_wait_that_is_interrupted_leaves_no_place_behind() -> None:
    lock = ModelLock()

    @contextmanager
    def interrupted() -> Iterator[None]:
        lock._admit(lambda: 1 / 0 > 0, lambda: None)
        yield

    with pytest.raises(ZeroDivisionError), interrupted():
        pass
    with lock:
        assert lock.held_here
