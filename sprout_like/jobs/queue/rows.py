"""Between what a job is and its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Table

from sprout_like.errors import JobError
from sprout_like.jobs.job import Answer, Attempt, Item, Job, Planned, Run, Schedule, Standing, WorkerRecord
from sprout_like.ledger.schema import (
    Base,
    JobItemRow,
    JobPlanRow,
    JobRow,
    JobRunRow,
    JobScheduleItemRow,
    JobScheduleRow,
    WorkerRow,
)

__all__ = [
    "ANSWER_COLUMNS",
    "ITEMS",
    "JOBS",
    "PLANS",
    "PROMPT_COLUMNS",
    "RUNS",
    "SCHEDULES",
    "SCHEDULE_ITEMS",
    "WORKERS",
    "answer_values",
    "as_attempt",
    "as_item",
    "as_job",
    "as_planned",
    "as_run",
    "as_schedule",
    "as_standing",
    "as_worker",
    "job_values",
    "names_of",
    "prompt_values",
    "schedule_values",
    "storable",
    "worker_values",
]


def _table(row: type[Base]) -> Table:
    return Base.metadata.tables[row.__tablename__]


JOBS: Final = _table(JobRow)
ITEMS: Final = _table(JobItemRow)
RUNS: Final = _table(JobRunRow)
PLANS: Final = _table(JobPlanRow)
SCHEDULES: Final = _table(JobScheduleRow)
SCHEDULE_ITEMS: Final = _table(JobScheduleItemRow)
WORKERS: Final = _table(WorkerRow)


def names_of(kind: type) -> list[str]:
    """Names of a dataclass's fields."""
    return [field.name for field in fields(kind)]


_OF_JOB: Final = names_of(Job)
ANSWER_COLUMNS: Final = tuple(name for name in names_of(Answer) if name not in ("place", "text"))
"""Of an answer, beside its text."""

_OF_RUN: Final = names_of(Run)
_OF_PLANNED: Final = names_of(Planned)
_OF_WORKER: Final = [name for name in names_of(WorkerRecord) if name != "outlook"]

PROMPT_COLUMNS: Final = (*names_of(Item), "turn", "limit_tokens")
"""Of a job's item and of a schedule's alike."""


def job_values(job: Job, *, limit_tokens: int) -> dict[str, Any]:
    """Columns of a job none of whose items has ended; `limit_tokens` is the sum over them."""
    return {
        **{name: getattr(job, name) for name in _OF_JOB},
        "zones": list(job.zones),
        "tags": dict(job.tags),
        "limit_tokens": limit_tokens,
        **dict.fromkeys(("done_n", "failed_n", "done_tokens", "done_limit_tokens", "failed_limit_tokens"), 0),
    }


def as_job(row: Row[*tuple[Any, ...]]) -> Job:
    """A job from its row."""
    return _job({name: getattr(row, name) for name in _OF_JOB})


def as_standing(row: Row[*tuple[Any, ...]], leased_n: int) -> Standing:
    """How far a job is: what ended is in its row, and somebody has `leased_n` of the others."""
    return Standing(
        waiting_n=row.items_n - row.done_n - row.failed_n - leased_n,
        leased_n=leased_n,
        done_n=row.done_n,
        failed_n=row.failed_n,
        left_tokens=row.limit_tokens - row.done_limit_tokens - row.failed_limit_tokens,
        done_tokens=row.done_tokens,
        done_limit_tokens=row.done_limit_tokens,
        energy_j=row.energy_j,
        operational_g=row.operational_g,
    )


def prompt_values(items: Sequence[Item]) -> list[dict[str, Any]]:
    """`PROMPT_COLUMNS` of a job's items, in order of place.

    Their turns go from the longest to the shortest, first by limit on new tokens, then by length of the prompt: a batch
    of neighbours waits least for its longest, and what needs most memory shows it first.

    Raises:
        JobError: there are none, their places are not 0, 1, 2, …, or one has no limit on new tokens.
    """
    if not items:
        raise JobError("jobs: there are no prompts to answer. Give at least one")
    ordered = sorted(items, key=lambda item: item.place)
    if [item.place for item in ordered] != list(range(len(ordered))):
        raise JobError("jobs: the places of the prompts are not 0, 1, 2, …. Number them so")
    for item in ordered:
        if not isinstance(item.arguments.get("max_new_tokens"), int) or item.limit_tokens < 1:
            raise JobError(f"jobs: prompt {item.place} has no limit on new tokens. Give max_new_tokens, 1 or more")
    by_length = sorted(ordered, key=lambda item: (-item.limit_tokens, -_characters(item), item.place))
    turns = {item.place: turn for turn, item in enumerate(by_length)}
    return [
        {
            "place": item.place,
            "turn": turns[item.place],
            "own_id": item.own_id,
            "task": item.task,
            "messages": [dict(message) for message in item.messages],
            "template": dict(item.template),
            "arguments": dict(item.arguments),
            "limit_tokens": item.limit_tokens,
        }
        for item in ordered
    ]


def as_item(row: Row[*tuple[Any, ...]]) -> Item:
    """An item from its row."""
    return Item(
        place=row.place,
        messages=row.messages,
        template=row.template,
        arguments=row.arguments,
        task=row.task,
        own_id=row.own_id,
    )


def answer_values(answer: Answer) -> dict[str, Any]:
    """Columns of an answer."""
    text = None if answer.text is None else storable(answer.text)
    return {"answer": text, **{name: getattr(answer, name) for name in ANSWER_COLUMNS}}


def as_attempt(row: Row[*tuple[Any, ...]]) -> Attempt:
    """How an item stands, from its row."""
    answer = None
    if row.state == "done":
        answer = Answer(place=row.place, text=row.answer, **{name: getattr(row, name) for name in ANSWER_COLUMNS})
    return Attempt(
        place=row.place,
        state=row.state,
        attempts=row.attempts,
        own_id=row.own_id,
        error=row.error,
        answer=answer,
    )


def as_run(row: Row[*tuple[Any, ...]]) -> Run:
    """A run from its row."""
    return Run(**{name: getattr(row, name) for name in _OF_RUN})


def as_planned(row: Row[*tuple[Any, ...]]) -> Planned:
    """A planned span from its row."""
    return Planned(**{name: getattr(row, name) for name in _OF_PLANNED})


def worker_values(worker: WorkerRecord) -> dict[str, Any]:
    """Columns of what a worker announces."""
    outlook = [[start.isoformat(), end.isoformat(), value] for start, end, value in worker.outlook]
    return {**{name: getattr(worker, name) for name in _OF_WORKER}, "outlook": outlook}


def as_worker(row: Row[*tuple[Any, ...]]) -> WorkerRecord:
    """What a worker announced, from its row."""
    outlook = tuple((datetime.fromisoformat(start), datetime.fromisoformat(end), g) for start, end, g in row.outlook)
    return WorkerRecord(**{name: getattr(row, name) for name in _OF_WORKER}, outlook=outlook)


def schedule_values(schedule: Schedule) -> dict[str, Any]:
    """Columns of a schedule; stamps of its job in ISO 8601."""
    job = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(schedule.job).items()
    }
    return {
        "schedule_id": schedule.schedule_id,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "within_s": schedule.within.total_seconds(),
        "next_utc": schedule.next_utc,
        "job": job,
        "active": schedule.active,
    }


def as_schedule(row: Row[*tuple[Any, ...]]) -> Schedule:
    """A schedule from its row."""
    job = {
        name: datetime.fromisoformat(value) if name.endswith("_utc") and value is not None else value
        for name, value in row.job.items()
    }
    return Schedule(
        schedule_id=row.schedule_id,
        cron=row.cron,
        timezone=row.timezone,
        within=timedelta(seconds=row.within_s),
        next_utc=row.next_utc,
        job=_job(job),
        active=row.active,
    )


def storable(text: str) -> str:
    """The text as every database takes it: PostgreSQL has no NUL, and UTF-8 no lone surrogates.

    Models write both, and an answer that could not be stored would be asked for again and again.
    """
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _job(values: Mapping[str, Any]) -> Job:
    return Job(**{**values, "zones": tuple(values["zones"])})


def _characters(item: Item) -> int:
    return sum(map(len, _texts(item)))


def _texts(item: Item) -> Iterable[str]:
    return (content for message in item.messages if isinstance(content := message.get("content"), str))
