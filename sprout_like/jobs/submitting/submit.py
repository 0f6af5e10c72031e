"""Puts a job into the queue: asks it what is known, makes the job, writes it. Nothing is written where that fails."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime

from sprout_like.jobs.job import Item
from sprout_like.jobs.queue import Queue
from sprout_like.jobs.submitting.submission import Known, Order, Submission, submission
from sprout_like.jobs.working.planner import ALIVE, due_of

__all__ = ["new_job_id", "submit"]


def new_job_id(now_utc: datetime) -> str:
    """32 hex digits, unique, rising with time, as those of requests."""
    return f"{int(now_utc.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def submit(
    queue: Queue,
    order: Order,
    items: Sequence[Item],
    *,
    now_utc: datetime,
    margin: float,
    tasks: Collection[str] | None = None,
    models: Collection[str] = (),
) -> Submission:
    """Submit a job, or add the schedule that makes it again and again.

    Args:
        queue: where it goes.
        order: what is asked for.
        items: its prompts.
        now_utc: now.
        margin: as the setting `job_margin`.
        models: names of models that are right whoever runs, such as that of a wrapped model.
        tasks: those known, as `known_tasks` finds them; None says nothing of tasks.

    Raises:
        JobError: see `submission`; the queue is as it was.
    """
    waiting = queue.jobs(states=["waiting"])
    standings = queue.standings([job.job_id for job in waiting])
    known = Known(
        now_utc=now_utc,
        job_id=new_job_id(now_utc),
        margin=margin,
        workers=[worker for worker in queue.workers(seen_after_utc=now_utc - ALIVE) if worker.state != "stopped"],
        others=[due for job in waiting if (due := due_of(job, standings.get(job.job_id))) is not None],
        tasks=tasks,
        models=models,
    )
    made = submission(order, items, known)
    if made.schedule is None:
        queue.submit(made.job, made.items)
    else:
        queue.add_schedule(made.schedule, made.items)
    return made
