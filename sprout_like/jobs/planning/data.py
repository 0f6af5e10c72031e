"""What is planned, for whom, and what comes of it: data alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from grid.intensity import Series

__all__ = ["Agenda", "Due", "Expected", "Late", "Span", "Station"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is left of a job.

    Attributes:
        work_tokens: new tokens that are expected to be left; above 0.
        earliest_utc: when it may begin; None: at once.
        engine: the engine that must run it; None for any.
        zones: where it may run; empty for anywhere.

    Raises:
        ValueError: work that is not above 0 and finite, or a stamp that is not in UTC.
    """

    job_id: str
    model: str
    work_tokens: float
    deadline_utc: datetime
    earliest_utc: datetime | None = None
    engine: str | None = None
    zones: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not 0 < self.work_tokens < math.inf:
            raise ValueError(f"job {self.job_id}: work_tokens is {self.work_tokens}, it must be above 0 and finite")
        for stamp in (self.deadline_utc, self.earliest_utc):
            if stamp is not None and stamp.utcoffset() != timedelta(0):
                raise ValueError(f"job {self.job_id}: {stamp.isoformat()} is not in UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A worker that can run jobs, one at a time.

    Attributes:
        pace_tokens_per_s: new tokens per second; above 0. power_w: draw while it runs; above 0.
        load_s, load_j: time and energy of loading the model, which each start after a stop takes.
        idle_w: draw while the model is loaded and nothing runs.
        loaded: whether the model is loaded now. running: the job that it runs now; None for none.
        outlook: forecast of its zone's intensity, with or without gaps; empty where unknown.

    Raises:
        ValueError: a figure that is negative, not finite, or 0 where it must be above.
    """

    worker_id: str
    zone: str
    model: str
    engine: str
    pace_tokens_per_s: float
    power_w: float
    load_s: float = 0.0
    load_j: float = 0.0
    idle_w: float = 0.0
    loaded: bool = False
    running: str | None = None
    outlook: Series | tuple[tuple[datetime, datetime, float], ...] = ()

    def __post_init__(self) -> None:
        for name in ("pace_tokens_per_s", "power_w"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(
                    f"worker {self.worker_id}: {name} is {getattr(self, name)}, it must be above 0 and finite"
                )
        for name in ("load_s", "load_j", "idle_w"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(
                    f"worker {self.worker_id}: {name} is {getattr(self, name)}, it must be 0 or more and finite"
                )

    def takes(self, due: Due) -> bool:
        """Whether it may run that job."""
        return (
            due.model == self.model and due.engine in (None, self.engine) and (not due.zones or self.zone in due.zones)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch in which a worker is to run a job, end exclusive, loading included.

    Attributes:
        tokens: new tokens that are expected of it.
        loads: whether it begins with loading; a later span of the worker without it finds the model still loaded.
    """

    job_id: str
    worker_id: str
    zone: str
    start_utc: datetime
    end_utc: datetime
    tokens: float
    loads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A job that cannot be done in time.

    Attributes:
        short_s: how long after its deadline it would be done at the measured pace, without margin; infinite where no
            worker takes it; 0 where it would be in time, and only the margin is lacking.
    """

    job_id: str
    short_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a job is expected to emit, in g CO2e; None where an intensity that it takes is unknown.

    Attributes:
        planned_g: as planned, with the loading and idling that come before its spans.
        at_once_g: on the same workers, were all their jobs run from now on without a break.
    """

    planned_g: float | None
    at_once_g: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """A plan: spans in order of time, the jobs that will be late, and what each job is expected to emit."""

    spans: tuple[Span, ...]
    late: tuple[Late, ...]
    expected: Mapping[str, Expected]
