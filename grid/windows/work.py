"""What is to be planned, and what a plan says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["JOULES_PER_KWH", "Window", "WindowPlan", "Work"]

# 1 kWh = 3.6e6 J exactly (BIPM, SI brochure, 9th edition, table 8).
JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A piece of work that can wait.

    A run is a stretch without a break: first its start-up, then work. Work that is not interruptible is one run.

    Attributes:
        duration_s: time the work itself takes, in s, start-up not counted; above 0.
        power_w: what it draws while it works, in W; above 0.
        deadline_utc: when it must be done.
        earliest_utc: when it may begin; None: as soon as the series begins.
        interruptible: whether it may be done in several runs.
        start_up_s: time every run takes before work goes on, in s.
        start_up_j: energy of one start-up in J, drawn evenly over `start_up_s`.

    Raises:
        ValueError: a figure that is negative or not finite, energy for a start-up that takes no time, or a stamp that
            is not in UTC.
    """

    duration_s: float
    power_w: float
    deadline_utc: datetime
    earliest_utc: datetime | None = None
    interruptible: bool = False
    start_up_s: float = 0.0
    start_up_j: float = 0.0

    def __post_init__(self) -> None:
        for name in ("duration_s", "power_w"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"work: {name} is {getattr(self, name)}, it must be above 0 and finite")
        for name in ("start_up_s", "start_up_j"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"work: {name} is {getattr(self, name)}, it must be 0 or more and finite")
        if self.start_up_j and not self.start_up_s:
            raise ValueError("work: start_up_j takes time to be drawn, give start_up_s as well")
        for name in ("deadline_utc", "earliest_utc"):
            stamp = getattr(self, name)
            if stamp is not None and stamp.utcoffset() != timedelta(0):
                raise ValueError(f"work: {name} {stamp.isoformat()} is not in UTC")


@dataclass(frozen=True, slots=True)
class Window:
    """A span in which to run, end exclusive."""

    start_utc: datetime
    end_utc: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPlan:
    """When to run a piece of work.

    Attributes:
        windows: the runs in order of time, start-up included; windows that touch are two runs with a start-up each.
        emitted_g: what the runs emit, in g CO2e, start-ups included; without PUE and embodied carbon.
        mean_g_per_kwh: intensity of the energy they take.
        at_once_g: what one run from the earliest moment on would emit; None where an intensity it needs is unknown.
    """

    windows: tuple[Window, ...]
    emitted_g: float
    mean_g_per_kwh: float
    at_once_g: float | None
