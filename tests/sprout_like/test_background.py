"""Jobs run by and by in one thread, which may be told to stop from within."""

from __future__ import annotations

import threading

import pytest

from sprout_like.background import Background, apart

PATIENCE_S = 10
"""How long a test waits for what does come."""


class Thread:
    """What a job tells of the thread that it runs in."""

    def __init__(self) -> None:
        self.runs = 0
        self.known = threading.Event()

    def job(self) -> None:
        self.runs += 1
        self.thread = threading.current_thread()
        self.known.set()


def test_a_failing_job_is_tried_again_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    again, other = threading.Event(), threading.Event()
    seen = []

    def failing() -> None:
        if seen:
            again.set()
        seen.append(1)
        raise ValueError

    background = Background({"failing": failing, "other": other.set}, interval_s=0.01)
    assert again.wait(PATIENCE_S)
    assert other.wait(PATIENCE_S)
    background.close()
    assert "background job failing failed" in caplog.text


def test_after_close_no_job_runs_and_closing_twice_is_safe() -> None:
    seen = Thread()
    background = Background({"job": seen.job}, interval_s=0.01)
    assert seen.known.wait(PATIENCE_S)
    background.close()
    background.close()
    assert not seen.thread.is_alive()


def test_an_impatient_one_leaves_a_job_to_its_own_end() -> None:
    begun, over, runs = threading.Event(), threading.Event(), []

    def waiting() -> None:
        runs.append(1)
        begun.set()
        assert over.wait(PATIENCE_S)

    background = Background({"waiting": waiting}, interval_s=0.01, patient=False)
    assert begun.wait(PATIENCE_S)
    background.close()
    assert not over.is_set()
    over.set()
    for thread in threading.enumerate():
        if thread.name == "sprout-like-closing":
            thread.join(PATIENCE_S)
    assert runs == [1]


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_job_can_close_its_own_background() -> None:
    seen, closed = Thread(), threading.Event()

    def close() -> None:
        background.close()
        closed.set()

    def job() -> None:
        if not seen.known.is_set():
            seen.job()
            apart(close)

    background = Background({"job": job, "next": lambda: None}, interval_s=0.01)
    assert closed.wait(PATIENCE_S)
    assert not seen.thread.is_alive()
    assert seen.runs == 1


def test_elsewhere_apart_calls_at_once() -> None:
    threads = []
    apart(lambda: threads.append(threading.current_thread()))
    assert threads == [threading.current_thread()]
