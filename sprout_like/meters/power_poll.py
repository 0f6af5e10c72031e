"""Energy from power: what is done on GPUs that tell their power but count no energy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from sprout_like.errors import MeterError

__all__ = ["PERIOD_S", "PolledEnergy"]

PERIOD_S: Final = 0.1
"""s between samples: the rate at which most NVIDIA GPUs renew their power figure (arXiv 2312.02741)."""


class PolledEnergy:
    """Integrates sampled power by the trapezoidal rule, in a daemon thread that starts with the first reading.

    Args:
        power_w: the power now, in W; raises MeterError where it cannot be read.
        monotonic_s: a monotonic clock in s. period_s: s between samples.
    """

    def __init__(
        self, power_w: Callable[[], float], *, monotonic_s: Callable[[], float], period_s: float = PERIOD_S
    ) -> None:
        self._power_w = power_w
        self._monotonic_s = monotonic_s
        self._period_s = period_s
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._energy_j = 0.0
        self._last: tuple[float, float] | None = None
        self._gap: MeterError | None = None

    def read_j(self) -> float:
        """J since the first reading, up to now.

        Raises:
            MeterError: a sample failed since the last reading, so that a stretch was not measured. The integral goes on
                behind the gap with the next reading.
        """
        self._ensure_polling()
        self.sample()
        with self._lock:
            gap, self._gap = self._gap, None
            if gap is not None:
                raise gap
            return self._energy_j

    def sample(self) -> None:
        """Take one sample; a failure is kept for the next reading to raise."""
        with self._lock:
            try:
                power_w, now_s = self._power_w(), self._monotonic_s()
            except MeterError as exc:
                self._gap, self._last = exc, None
                return
            if self._last is not None:
                last_s, last_w = self._last
                self._energy_j += (last_w + power_w) / 2 * (now_s - last_s)
            self._last = (now_s, power_w)

    def close(self) -> None:
        """Stop polling; safe to call twice."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _ensure_polling(self) -> None:
        # Looked at on every reading, because threads do not survive a fork.
        if not self._closed.is_set() and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._poll, name="sprout-like power", daemon=True)
            self._thread.start()

    def _poll(self) -> None:
        while not self._closed.wait(self._period_s):
            self.sample()
