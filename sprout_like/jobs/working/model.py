"""The worker's model: in memory when there is work, given back for long waits; what both cost is measured."""

from __future__ import annotations

from collections.abc import Callable

from sprout_like.clock import Clock
from sprout_like.jobs.engines.engine import BatchEngine
from sprout_like.jobs.working.presence import Condition
from sprout_like.meters import Window

__all__ = ["Model"]


class Model:
    """Loads and unloads an engine.

    Args:
        engine: the engine.
        clock: time.
        open_window: a metering window on what the engine sits on.
        condition: what is told of it.
    """

    def __init__(
        self, engine: BatchEngine, clock: Clock, open_window: Callable[[], Window], condition: Condition
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._open_window = open_window
        self._condition = condition

    def load(self) -> None:
        """Make it ready; the energy is overhead.

        Raises:
            EngineUnavailable: it cannot be made ready now.
        """
        energy_j, time_s = self._measured(self._engine.load)
        self._condition.pace = self._condition.pace.after_load(time_s=time_s, energy_j=energy_j)
        self._condition.loaded = True

    def unload(self) -> None:
        """Give its memory back."""
        self._engine.unload()
        self._condition.loaded = False

    def idle(self, wait: Callable[[float], object], wait_s: float) -> None:
        """Wait with the model loaded; the first time, find out what it draws, which is overhead that once."""
        if self._condition.idle_w is not None:
            wait(wait_s)
            return
        energy_j, time_s = self._measured(lambda: wait(wait_s))
        if energy_j is not None and time_s >= wait_s / 2:
            self._condition.idle_w = energy_j / time_s

    def _measured(self, block: Callable[[], object]) -> tuple[float | None, float]:
        """Energy of a block that no row will tell of, None where unknown, and its time in s."""
        begun_s, window = self._clock.monotonic_s(), self._open_window()
        window.drop()
        try:
            block()
        finally:
            energy = window.close()
        return energy.energy_j, self._clock.monotonic_s() - begun_s
