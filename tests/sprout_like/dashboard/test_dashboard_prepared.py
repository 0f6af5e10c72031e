"""What is made in the background: at once for who asks, seldom for the database, gone with what it is of."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from sprout_like.dashboard.prepared import Prepared
from sprout_like.meters.testing import ManualClock


class Maker:
    """Counts up whenever it is let go on."""

    def __init__(self) -> None:
        self.go_on = threading.Semaphore(0)
        self.made = 0
        self.fault: Exception | None = None

    def __call__(self, _: str) -> int:
        self.go_on.acquire(timeout=20)
        self.made += 1
        if self.fault is not None:
            raise self.fault
        return self.made


def test_nobody_waits_for_what_takes_long() -> None:
    maker = Maker()
    with closing(Prepared(maker, every_s=30, clock=ManualClock(), patience_s=0, of=lambda: 1)) as prepared:
        assert prepared("a") is None
        maker.go_on.release()
        while prepared("a") is None:
            pass
        assert prepared("a") == 1


def test_an_answer_is_made_anew_when_its_time_is_up_and_somebody_asks() -> None:
    maker, clock = Maker(), ManualClock()
    with closing(Prepared(maker, every_s=30, clock=clock, patience_s=20, of=lambda: 1)) as prepared:
        maker.go_on.release()
        assert prepared("a") == 1
        clock.advance(29)
        assert prepared("a") == 1
        clock.advance(1)
        assert prepared("a") == 1  # the last one, while the next is made
        maker.go_on.release()
        while prepared("a") == 1:
            pass
        assert maker.made == 2


def test_what_was_of_another_database_is_forgotten() -> None:
    maker, of = Maker(), [1]
    with closing(Prepared(maker, every_s=30, clock=ManualClock(), patience_s=20, of=lambda: of[0])) as prepared:
        maker.go_on.release()
        assert prepared("a") == 1
        of[0] = 2
        maker.go_on.release()
        assert prepared("a") == 2


def test_a_fault_is_told_and_tried_again_soon() -> None:
    maker, clock = Maker(), ManualClock()
    maker.fault = ValueError("no")
    with closing(Prepared(maker, every_s=30, clock=clock, patience_s=20, of=lambda: 1)) as prepared:
        maker.go_on.release()
        with pytest.raises(ValueError, match="no"):
            prepared("a")
        maker.fault = None
        clock.advance(1)
        maker.go_on.release()
        with pytest.raises(ValueError, match="no"):
            prepared("a")
        while True:
            try:
                assert prepared("a") == 2
                break
            except ValueError:
                continue


def test_nothing_is_made_after_the_end() -> None:
    maker = Maker()
    prepared = Prepared(maker, every_s=30, clock=ManualClock(), patience_s=20, of=lambda: 1)
    prepared.close()
    maker.go_on.release()
    assert prepared("a") is None
    assert maker.made == 0
