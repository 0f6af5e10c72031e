"""Whether a job can be done in time, as far as that can be told at its submission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sprout_like.jobs.job import Item, Job, WorkerRecord
from sprout_like.jobs.planning import Due, Late, fits
from sprout_like.jobs.working.planner import stations_of

__all__ = ["Feasibility", "feasibility"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feasibility:
    """What the paces of the workers say of a job.

    Attributes:
        late: why it cannot be done in time; None where it can, or where nothing is known.
        work_s: time it takes at the joint pace of those that may run it, if every answer is as long as its limit; None
            where none of them has been measured.
    """

    late: Late | None
    work_s: float | None


def feasibility(
    job: Job,
    items: Sequence[Item],
    workers: Sequence[WorkerRecord],
    others: Sequence[Due],
    now_utc: datetime,
    *,
    margin: float,
) -> Feasibility:
    """Whether the job can be done by its deadline beside the others that wait.

    Args:
        job: as submitted.
        items: of it.
        workers: those alive.
        others: what is left of the other jobs.
        now_utc: now.
        margin: time kept free before the deadline, as a share of the time that is needed.
    """
    due = Due(
        job_id=job.job_id,
        model=job.model,
        work_tokens=float(sum(item.limit_tokens for item in items)),
        deadline_utc=job.deadline_utc,
        earliest_utc=job.earliest_utc,
        engine=job.engine,
        zones=frozenset(job.zones),
    )
    stations = stations_of(workers)
    able = [station for station in stations if station.takes(due)]
    if not able:
        return Feasibility(late=None, work_s=None)
    return Feasibility(
        late=fits(due, stations, now_utc, others, margin=margin),
        work_s=due.work_tokens / sum(station.pace_tokens_per_s for station in able),
    )
