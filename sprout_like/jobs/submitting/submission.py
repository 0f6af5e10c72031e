"""A job as it goes into the queue, from what was asked for and what is known: pure."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from grid import resolve_zone
from sprout_like.errors import JobError
from sprout_like.jobs.job import Item, Job, Schedule, WorkerRecord
from sprout_like.jobs.planning import Due
from sprout_like.jobs.submitting.feasible import feasibility
from sprout_like.jobs.submitting.models import chosen_model, model_note
from sprout_like.jobs.submitting.moments import length_of_time, moment_utc
from sprout_like.jobs.submitting.recurring import FIRING, first_firing_utc
from sprout_like.jobs.submitting.tasks import near_task
from sprout_like.reports.figures import number

__all__ = ["ENGINES", "Known", "Order", "Submission", "check_order", "submission"]

ENGINES: Final = ("padded", "continuous", "openai", "ray")
"""Engines that we bring; what a worker announces is one too."""

_LONGEST: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for; it is checked where it is used, but for the kinds of what is a text.

    Attributes:
        deadline: a moment with its zone, or a length of time from now; None for a recurring job.
        earliest: before which it must not begin, likewise; None: at once.
        every, timezone, within: five fields of cron, the zone in which they are read, and the time from each firing to
            the deadline; None for a job that comes once.
        model: name or folder; None for the one that the workers run.
        engine, task, policy, tags: as of `Job`.
        zones: grid zones it may run in, each as for the setting `zone`, or one text with commas; None or () for any.
        out: file for the answers. Of a recurring job its name holds `{start}`.
        anyway: take a job that cannot be done in time, or a task that looks like a slip of another.

    Raises:
        JobError: one that is to be a text is none.
    """

    deadline: str | datetime | timedelta | None = None
    earliest: str | datetime | timedelta | None = None
    every: str | None = None
    timezone: str = "UTC"
    within: str | timedelta | None = None
    model: str | None = None
    engine: str | None = None
    task: str | None = None
    policy: str | None = None
    zones: str | Sequence[str] | None = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    out: str | Path | None = None
    anyway: bool = False

    def __post_init__(self) -> None:
        for name in ("every", "timezone", "model", "engine", "task", "policy"):
            given = getattr(self, name)
            if not isinstance(given, str) and (given is not None or name == "timezone"):
                raise JobError(f"{name}: {str(given)[:40]!r} is no text. Give one, or leave it out")
        if not isinstance(self.out, (str, os.PathLike, type(None))):
            raise JobError(f"out: {str(self.out)[:40]!r} is no name of a file. Give one, or leave it out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known when a job is submitted.

    Attributes:
        now_utc: now. job_id: for the job. margin: as the setting `job_margin`.
        workers: those alive. models: names that are right whoever runs, such as that of a wrapped model.
        others: what is left of the jobs that wait already.
        tasks: those known; None where nobody asked, and then nothing is said of tasks.
    """

    now_utc: datetime
    job_id: str
    margin: float
    workers: Sequence[WorkerRecord] = ()
    models: Collection[str] = ()
    others: Sequence[Due] = ()
    tasks: Collection[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What goes into the queue, and what the user is to be told.

    Attributes:
        job: it. items: its prompts.
        schedule: makes such jobs from now on, where the order recurs; `job` is then its pattern and not queued itself.
        notes: what is not wrong and yet worth knowing, a sentence each.
    """

    job: Job
    items: tuple[Item, ...] = field(repr=False)
    schedule: Schedule | None = None
    notes: tuple[str, ...] = ()


def check_order(order: Order, now_utc: datetime) -> None:
    """Find out what is wrong with an order by itself, before a queue is opened for it.

    Raises:
        JobError: a moment is none, has no zone or has passed, or the file for the answers cannot be a new one.
        grid.GridError: there is no such grid zone.
    """
    _span(order, now_utc)
    _zones(order.zones)
    _out(order)


def submission(order: Order, items: Sequence[Item], known: Known) -> Submission:
    """The job that was ordered.

    Raises:
        JobError: a moment is none, has no zone or has passed; nobody could know the model, the task or the engine; the
            file for the answers exists; or it cannot be done in time at the measured pace.
        grid.GridError: there is no such grid zone.
    """
    starts_utc, deadline_utc = _span(order, known.now_utc)
    _check_engine(order.engine, known.workers)
    task_notes = _task_notes(order, items, known)
    job = Job(
        job_id=known.job_id,
        submitted_utc=known.now_utc,
        deadline_utc=deadline_utc,
        earliest_utc=starts_utc,
        model=_model(order, known),
        engine=order.engine,
        task=order.task,
        policy=order.policy,
        zones=_zones(order.zones),
        tags=dict(order.tags),
        items_n=len(items),
        out=_out(order),
    )
    notes = [*task_notes, *_worker_notes(job, known.workers), *_time_notes(order, job, items, known)]
    return Submission(job=job, items=tuple(items), schedule=_schedule(order, job), notes=tuple(notes))


def _span(order: Order, now_utc: datetime) -> tuple[datetime | None, datetime]:
    """From when and until when the job, or the first of a recurring one, may run."""
    if order.every is not None:
        if order.deadline is not None or order.earliest is not None:
            raise JobError(
                "every: a recurring job has no deadline or beginning of its own. Give within, such as 8h, instead"
            )
        if order.within is None:
            raise JobError("within: a recurring job needs the time it has from each firing. Give one such as 8h")
        first_utc = first_firing_utc(order.every, order.timezone, now_utc)
        return first_utc, first_utc + _within(order.within)
    if order.within is not None:
        raise JobError("within: it goes with every. Give a deadline such as +8h to a job that comes once")
    if order.deadline is None:
        raise JobError("deadline: there is none. Give one such as 2026-12-01T08:00Z or +8h")
    deadline_utc = moment_utc("deadline", order.deadline, now_utc)
    earliest_utc = None if order.earliest is None else moment_utc("earliest", order.earliest, now_utc)
    if deadline_utc <= now_utc:
        raise JobError(f"deadline: {_moment(deadline_utc)} has passed, it is {_moment(now_utc)}. Give a later one")
    if deadline_utc - now_utc > _LONGEST:
        raise JobError(f"deadline: {_moment(deadline_utc)} is more than a year away. Give an earlier one")
    if earliest_utc is not None and earliest_utc >= deadline_utc:
        raise JobError("earliest: the job may not begin before its deadline has come. Give an earlier moment")
    return earliest_utc, deadline_utc


def _within(given: str | timedelta) -> timedelta:
    length = length_of_time("within", given)
    if length > _LONGEST:
        raise JobError(f"within: {length.days} days are more than a year. Give a shorter time")
    return length


def _moment(when_utc: datetime) -> str:
    return f"{when_utc:%Y-%m-%d %H:%M} UTC"


def _check_engine(engine: str | None, workers: Sequence[WorkerRecord]) -> None:
    known = dict.fromkeys((*ENGINES, *(worker.engine for worker in workers)))
    if engine is None or engine in known:
        return
    near = get_close_matches(engine, known, n=1)
    fix = f"Did you mean {near[0]!r}?" if near else f"Use one of: {', '.join(known)}"
    raise JobError(f"engine: there is none named {engine[:40]!r}. {fix}")


def _task_notes(order: Order, items: Sequence[Item], known: Known) -> list[str]:
    if known.tasks is None:
        return []
    tasks = dict.fromkeys(task for task in (order.task, *(item.task for item in items)) if task)
    unknown = [task for task in tasks if task not in known.tasks]
    for task in unknown:
        near = near_task(task, known.tasks)
        if near is not None and not order.anyway:
            fix = f"Did you mean {near!r}? If it is another task, add --anyway (anyway=True)"
            raise JobError(f"task: nothing is known of {task[:40]!r}. {fix}")
    if not unknown:
        return []
    return [f"No evidence yet for task {', '.join(unknown[:3])}{', …' if len(unknown) > 3 else ''}."]


def _model(order: Order, known: Known) -> str:
    """The model's name; a server may call its models as it likes."""
    if order.model and (order.model in known.models or order.engine == "openai"):
        return order.model
    return chosen_model(order.model, known.workers)


def _zones(given: str | Sequence[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    names = given.split(",") if isinstance(given, str) else given
    if isinstance(names, (bytes, Mapping)) or not isinstance(names, Iterable):
        raise JobError(f"zones: {str(given)[:40]!r} is no list of grid zones. Give some such as GB,FR")
    names = list(names)
    for name in names:
        if not isinstance(name, str):
            raise JobError(f"zones: {str(name)[:40]!r} is no grid zone. Give some such as GB,FR")
    zones = tuple(dict.fromkeys(resolve_zone(name.strip()) for name in names if name.strip()))
    if names and not zones:  # an empty variable of a shell must not let data out of its zone
        raise JobError("zones: none is named. Give some such as GB,FR, or leave it out where the job may run anywhere")
    return zones


def _out(order: Order) -> str | None:
    if order.out is None:
        return None
    try:
        out = Path(order.out).expanduser().absolute()  # the worker that writes it may run in another folder
        out.resolve()  # unlike the questions below, it takes no NUL for part of a name
        exists, has_folder = out.exists(), out.parent.is_dir()
    except (OSError, RuntimeError, ValueError):  # too long for a path, a home that nobody has, a NUL
        raise JobError(f"out: {str(order.out)[:40]!r} is no name of a file. Give another") from None
    if order.every is not None and FIRING not in out.name:
        raise JobError(f"out: each job of a recurring one needs a file of its own. Put {FIRING} into the name")
    if exists:
        raise JobError(f"out: {out} exists. Name another file, or move it away")
    if not has_folder:
        raise JobError(f"out: there is no folder {out.parent}. Make it, or name another")
    return str(out)


def _schedule(order: Order, job: Job) -> Schedule | None:
    if order.every is None or order.within is None or job.earliest_utc is None:
        return None
    return Schedule(
        schedule_id=job.job_id,
        cron=order.every,
        timezone=order.timezone,
        within=_within(order.within),
        next_utc=job.earliest_utc,
        job=job,
    )


def _worker_notes(job: Job, workers: Sequence[WorkerRecord]) -> list[str]:
    note = model_note(job.model, workers)
    if note is not None:
        return [note]
    zones = sorted({worker.zone for worker in workers if worker.model == job.model})
    if job.zones and not set(job.zones) & set(zones):
        return [f"No worker runs {job.model} in {', '.join(job.zones)}; those alive are in {', '.join(zones)}."]
    return []


def _time_notes(order: Order, job: Job, items: Sequence[Item], known: Known) -> list[str]:
    found = feasibility(job, items, known.workers, known.others, known.now_utc, margin=known.margin)
    if found.work_s is None:
        return ["Whether it can be done in time is unknown until a worker has measured its pace on a first batch."]
    work = f"{number(job.items_n, 0)} items, about {_hours(found.work_s)} of work at most"
    left_s = (job.deadline_utc - max(known.now_utc, job.earliest_utc or known.now_utc)).total_seconds()
    if found.late is None:
        return [f"{work} at the measured pace, {_hours(left_s)} left."]
    if found.late.short_s <= 0:
        return [f"{work} at the measured pace, {_hours(left_s)} left: in time, but with little to spare."]
    problem = f"it cannot be done in time at the measured pace: {work}, {_hours(left_s)} left ({found.late.reason})"
    if order.anyway:
        return [f"{problem[0].upper()}{problem[1:]}."]
    raise JobError(
        f"deadline: {problem}. Give a later one or fewer items, start workers, or add --anyway (anyway=True)"
    )


def _hours(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"
