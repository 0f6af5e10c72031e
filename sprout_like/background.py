"""The clock behind the request path: refreshes the grid, ships spooled rows, closes energy accounts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

__all__ = ["Background", "apart", "within"]

_LOG = logging.getLogger("sprout_like")

_THREAD = "APScheduler"


class Background:
    """Calls each job about once per interval, one at a time, in one daemon thread.

    Args:
        jobs: by name; each is quick or bounded by its own timeouts, and decides itself whether there is work.
        interval_s: time between calls, in s.
        patient: whether `close` waits for a job under way; a job that waits for a network is left to its own end.
    """

    def __init__(
        self, jobs: Mapping[str, Callable[[], object]], *, interval_s: float = 1.0, patient: bool = True
    ) -> None:
        from apscheduler.executors.debug import DebugExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        # DebugExecutor runs jobs in the scheduler's own daemon thread. A pool's threads would hold up the exit of the
        # interpreter for as long as a request to a slow grid source takes.
        self._patient = patient
        self._closed = False
        self._scheduler = BackgroundScheduler(daemon=True, executors={"default": DebugExecutor()}, timezone="UTC")
        for name, job in jobs.items():
            self._scheduler.add_job(
                _logged(name, job),
                "interval",
                seconds=interval_s,
                id=name,
                coalesce=True,
                misfire_grace_time=None,
            )
        self._scheduler.start()

    def close(self) -> None:
        """Stop; a patient one waits for a job under way, so a job itself can only do it `apart`. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        if self._patient:
            self._scheduler.shutdown()
        else:
            threading.Thread(target=self._scheduler.shutdown, name="sprout-like-closing", daemon=True).start()


def apart(call: Callable[[], object]) -> None:
    """Call at once; in a background thread, from another one, which the interpreter's exit waits for.

    For what may happen wherever garbage is collected: in the middle of a job, such a call could wait for the job's own
    end, or for a lock that the job holds.
    """
    if threading.current_thread().name == _THREAD:
        threading.Thread(target=call, name="sprout-like-apart").start()
    else:
        call()


def within(wait_s: float, call: Callable[[], object], *, name: str) -> bool:
    """Call in a daemon thread, waiting no longer than `wait_s`; whether it has ended by then.

    Args:
        wait_s: in s.
        call: it says itself what goes wrong in it, and is left to its own end where it takes longer.
        name: of the thread.
    """
    calling = threading.Thread(target=call, name=name, daemon=True)
    calling.start()
    calling.join(wait_s)
    return not calling.is_alive()


def _logged(name: str, job: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        try:
            job()
        except Exception:  # noqa: BLE001 - a job's own faults must not end the thread that the other jobs need
            _LOG.exception("background job %s failed; it is tried again", name)

    return run
