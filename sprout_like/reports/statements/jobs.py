"""Work that could wait: when it ran, and how clean the grid was around it. Data alone; unknown is None."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = ["JobLine", "Window", "ZoneIntensity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span in which a job ran, or is planned to.

    Attributes:
        state: `planned` or `run`. zone: where. start_utc, end_utc: the span.
        items_n: items; None where unknown. operational_g: emitted, or expected to be, in g CO2e.
    """

    state: Literal["planned", "run"]
    zone: str
    start_utc: datetime
    end_utc: datetime
    items_n: int | None
    operational_g: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """One job.

    Attributes:
        job_id, model, task, state: as in the ledger.
        submitted_utc, deadline_utc, finished_utc: moments; `finished_utc` is None while it goes on.
        items_n, done_n, failed_n: items in all, answered, and set aside.
        energy_j, operational_g: of the answers, in J and g CO2e; None where unknown.
        planned_saving: share of the emissions that the plan was to save against running at once; None: unknown.
        emitted_g, at_once_g: of the runs whose intensities are published, and of the same energy had they begun at
            once; None where there is none. saving: 1 - emitted / at once. known_runs, runs: how many these are, of all.
        windows: in order of time.
    """

    job_id: str
    model: str
    task: str | None
    state: str
    submitted_utc: datetime
    deadline_utc: datetime
    finished_utc: datetime | None
    items_n: int
    done_n: int
    failed_n: int
    energy_j: float | None
    operational_g: float | None
    planned_saving: float | None
    emitted_g: float | None
    at_once_g: float | None
    saving: float | None
    known_runs: int
    runs: int
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneIntensity:
    """The intensity of a zone in one slot, beside the windows of jobs.

    Attributes:
        zone, intensity_kind, intensity_factors: whose; the latter two are None for a forecast that says neither.
        status: `actual`, `estimated` or `forecast`.
        start_utc, end_utc: the slot. g_per_kwh: g CO2e per kWh.
    """

    zone: str
    intensity_kind: str | None
    intensity_factors: str | None
    status: str
    start_utc: datetime
    end_utc: datetime
    g_per_kwh: float
