"""What a worker does next, from what is planned for it and from what is open: pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sprout_like.jobs.job import Job, Planned

__all__ = ["Here", "Move", "next_move", "suits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """The worker that asks.

    Attributes:
        worker_id, zone, model, engine: as it announces itself.
        tokens_per_s: its pace; None where it is unknown yet. idle_w, load_j: None likewise.
        together_tokens_per_s: pace of all workers of its model that are alive; None: its own alone.
        loaded: whether its model is in memory.
    """

    worker_id: str
    zone: str
    model: str
    engine: str
    tokens_per_s: float | None
    loaded: bool
    together_tokens_per_s: float | None = None
    idle_w: float | None = None
    load_j: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What to do: try these jobs in turn; where none has an item to give, wait.

    Attributes:
        jobs: ids, the first one first; empty where it is time to wait.
        reason: why, for the log and the run. until_utc: when something is planned next; None where nothing is.
        unload: whether to give the model's memory back meanwhile.
    """

    jobs: tuple[str, ...] = ()
    reason: str = ""
    until_utc: datetime | None = None
    unload: bool = False


def suits(job: Job, here: Here) -> bool:
    """Whether this worker may run that job."""
    return (
        job.state == "waiting"
        and job.model == here.model
        and job.engine in (None, here.engine)
        and (not job.zones or here.zone in job.zones)
    )


def next_move(
    here: Here,
    jobs: Collection[Job],
    planned: Sequence[Planned],
    work: Mapping[str, float],
    now_utc: datetime,
    *,
    at_once: bool = False,
    margin: float = 0.1,
) -> Move:
    """The jobs to try now.

    A job is tried while a span planned for it here holds now; before that, jobs that could not all be done in time any
    more if nobody worked until later, as a plan may be old or its planner gone. A worker that does not know its pace
    runs a batch first: nothing can be planned without it.

    Args:
        here: the worker.
        jobs: open jobs.
        planned: the spans of the last plan.
        work: new tokens that each job still takes, by its id.
        now_utc: now.
        at_once: whether to heed no plan.
        margin: time kept free before a deadline, as a share of the time that is still needed.
    """
    mine = sorted(
        (job for job in jobs if suits(job, here) and (job.earliest_utc is None or job.earliest_utc <= now_utc)),
        key=lambda job: (job.deadline_utc, job.job_id),
    )
    if not mine:
        return _waiting(here, planned, now_utc)
    if at_once:
        return Move(jobs=tuple(job.job_id for job in mine), reason="at once")
    if here.tokens_per_s is None:
        return Move(jobs=tuple(job.job_id for job in mine), reason="to measure the pace")
    open_ids = {job.job_id for job in mine}
    now_planned = [
        span.job_id
        for span in planned
        if span.worker_id == here.worker_id and span.start_utc <= now_utc < span.end_utc and span.job_id in open_ids
    ]
    urgent = _urgent(mine, work, max(here.tokens_per_s, here.together_tokens_per_s or 0.0), margin, now_utc)
    chosen = tuple(dict.fromkeys((*urgent, *now_planned)))
    if chosen:
        return Move(jobs=chosen, reason="or a deadline is missed" if urgent else "planned")
    return _waiting(here, planned, now_utc)


def _urgent(
    by_deadline: Sequence[Job], work: Mapping[str, float], tokens_per_s: float, margin: float, now_utc: datetime
) -> list[str]:
    """The first jobs by deadline, up to the last of which the work until then leaves no time to wait."""
    last, tokens = 0, 0.0
    for number, job in enumerate(by_deadline, start=1):
        tokens += work.get(job.job_id, 0.0)
        if job.deadline_utc - timedelta(seconds=(1 + margin) * tokens / tokens_per_s) <= now_utc:
            last = number
    return [job.job_id for job in by_deadline[:last]]


def _waiting(here: Here, planned: Sequence[Planned], now_utc: datetime) -> Move:
    ahead = [span.start_utc for span in planned if span.worker_id == here.worker_id and span.end_utc > now_utc]
    until = max(min(ahead), now_utc) if ahead else None
    return Move(reason="nothing is due", until_utc=until, unload=here.loaded and _is_dear(here, until, now_utc))


def _is_dear(here: Here, until_utc: datetime | None, now_utc: datetime) -> bool:
    """Whether staying loaded until then takes more energy than loading again; where it is unknown, after no time."""
    if until_utc is None:
        return True
    if here.idle_w is None or here.load_j is None:
        return until_utc > now_utc
    return here.idle_w * (until_utc - now_utc).total_seconds() > here.load_j
