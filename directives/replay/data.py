"""What a replay runs on: measured and judged prompts, and the hours of a window."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Indices", "Prompts", "Window", "Year"]

Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """Prompts of which every directive's answer was measured and judged. Rows are prompts, columns directives.

    Attributes:
        tasks: names of the tasks. directives: names of the directives, `full` first.
        task: index of each prompt's task.
        energy_j: energy per request, in J. time_s: time per request, in s. quality: score in [0, 1].
        text: each prompt's.
    """

    tasks: tuple[str, ...]
    directives: tuple[str, ...]
    task: Indices
    energy_j: Floats
    time_s: Floats
    quality: Floats
    text: NDArray[np.object_] = field(repr=False)

    def __len__(self) -> int:
        """How many prompts there are."""
        return len(self.task)

    def of(self, rows: Indices) -> Prompts:
        """Those in the given rows, in that order."""
        return Prompts(
            tasks=self.tasks,
            directives=self.directives,
            task=self.task[rows],
            energy_j=self.energy_j[rows],
            time_s=self.time_s[rows],
            quality=self.quality[rows],
            text=self.text[rows],
        )

    def rows_by_task(self) -> tuple[Indices, ...]:
        """The rows of each task."""
        return tuple(np.flatnonzero(self.task == task) for task in range(len(self.tasks)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The hours of a replay.

    Attributes:
        intensity_g_per_kwh: one per hour. past_g_per_kwh: the hours before the first, oldest first.
        mix: share of each task (columns) among the requests of each hour (rows).
        requests_per_hour: how many come.
        embodied_g_per_s: making the hardware, in g CO2e per s of use.
    """

    intensity_g_per_kwh: Floats
    past_g_per_kwh: Floats
    mix: Floats
    requests_per_hour: int
    embodied_g_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """Extremes and mean of a zone's intensity over a whole year, in g CO2e/kWh: known only after it."""

    lowest_g_per_kwh: float
    highest_g_per_kwh: float
    mean_g_per_kwh: float
