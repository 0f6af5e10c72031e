"""The tables of jobs that can wait; their fields are those of `sprout_like.jobs.job`, and what the queue adds to them.

One index beside the keys: the order in which a job's waiting items are claimed. Those that somebody has on lease are
few, so that the same index finds them too.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from sprout_like.ledger.columns import Base

__all__ = [
    "JobItemRow",
    "JobPlanRow",
    "JobRow",
    "JobRunRow",
    "JobScheduleItemRow",
    "JobScheduleRow",
    "PromptColumns",
    "WorkerRow",
]


class JobRow(Base):
    """`Job` as a row, with what its items come to: added up as they end, so that nobody has to count them.

    Attributes:
        limit_tokens: Σ of the limits on new tokens of all items.
        done_n, failed_n: items that were answered, and that were set aside.
        done_tokens: new tokens of the answers. done_limit_tokens, failed_limit_tokens: Σ of the limits of these items.
        energy_j, operational_g: Σ over the answers; None where none is known.
        forgotten_utc: when its texts were wiped; None where they are there.
        delivered_utc: when its answers were written to `out`; None where they were not.
    """

    __tablename__ = "jobs"

    job_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    submitted_utc: Mapped[datetime]
    deadline_utc: Mapped[datetime]
    model: Mapped[str]
    earliest_utc: Mapped[datetime | None]
    engine: Mapped[str | None]
    task: Mapped[str | None]
    policy: Mapped[str | None]
    zones: Mapped[list[str]] = mapped_column(JSON)
    tags: Mapped[dict[str, str]]
    items_n: Mapped[int]
    out: Mapped[str | None]
    schedule_id: Mapped[str | None] = mapped_column(String(32))
    state: Mapped[str]
    finished_utc: Mapped[datetime | None]
    planned_g: Mapped[float | None]
    at_once_g: Mapped[float | None]

    limit_tokens: Mapped[int] = mapped_column(BigInteger)
    done_n: Mapped[int]
    failed_n: Mapped[int]
    done_tokens: Mapped[int] = mapped_column(BigInteger)
    done_limit_tokens: Mapped[int] = mapped_column(BigInteger)
    failed_limit_tokens: Mapped[int] = mapped_column(BigInteger)
    energy_j: Mapped[float | None]
    operational_g: Mapped[float | None]
    forgotten_utc: Mapped[datetime | None]
    delivered_utc: Mapped[datetime | None]


class PromptColumns:
    """`Item` as columns.

    Attributes:
        turn: its number in the order in which items are to be run, from 0: those of like length beside each other.
        messages: the conversation; None once it was forgotten. template: arguments of the chat template, likewise.
        limit_tokens: limit on new tokens, which is among the arguments too.
    """

    turn: Mapped[int]
    own_id: Mapped[str | None]
    task: Mapped[str | None]
    messages: Mapped[list[dict[str, str]] | None] = mapped_column(JSON(none_as_null=True))
    template: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON)
    limit_tokens: Mapped[int]


class JobItemRow(PromptColumns, Base):
    """An item, how it stands, and its answer once it has one.

    Attributes:
        job_id: the job that it is of.
        state: `waiting`, `leased`, `done` or `failed`.
        attempts: how often it was tried. lost_n: how often of these its lease ran out together with that of others, so
            that it cannot be blamed for it.
        not_before_utc: when it may be tried again; None: at once.
        token: of the claim that has it; None where none has. until_utc: when that claim ends unless it is renewed.
        worker_id: who had it last; None: nobody.
        error: what went wrong the last time; None: nothing did.
        answer: the text; None where there is none, or no longer. directive: how it was made.
        prompt_tokens, new_tokens, finish_reason: as in `requests`.
        finished_utc: when it was answered or set aside.
    """

    __tablename__ = "job_items"
    __table_args__ = (Index("ix_job_items_turn", "job_id", "state", "turn"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.job_id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str]
    attempts: Mapped[int]
    lost_n: Mapped[int]
    not_before_utc: Mapped[datetime | None]
    token: Mapped[str | None] = mapped_column(String(32))
    until_utc: Mapped[datetime | None]
    worker_id: Mapped[str | None]
    error: Mapped[str | None]
    finished_utc: Mapped[datetime | None]

    answer: Mapped[str | None]
    request_id: Mapped[str | None] = mapped_column(String(32))
    directive: Mapped[str | None]
    prompt_tokens: Mapped[int | None]
    new_tokens: Mapped[int | None]
    finish_reason: Mapped[str | None]
    energy_j: Mapped[float | None]
    energy_method: Mapped[str | None]
    operational_g: Mapped[float | None]


class JobRunRow(Base):
    """`Run` as a row.

    Attributes:
        run_id: 32 hex digits. job_id, worker_id, zone: who ran what, and where.
        started_utc, ended_utc: from its first batch to the end of its last.
        items_n, new_tokens: what came of it, items that failed included.
    """

    __tablename__ = "job_runs"

    run_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.job_id"), index=True)
    worker_id: Mapped[str]
    zone: Mapped[str]
    started_utc: Mapped[datetime]
    ended_utc: Mapped[datetime]
    items_n: Mapped[int]
    new_tokens: Mapped[int] = mapped_column(BigInteger)
    energy_j: Mapped[float | None]
    operational_g: Mapped[float | None]


class JobPlanRow(Base):
    """`Planned` as a row of the plan now in force; a new plan replaces all.

    Attributes:
        place: its number in the plan, from 0. job_id, worker_id, zone: who is to run what, and where.
        start_utc, end_utc: when, the end excluded.
    """

    __tablename__ = "job_plans"

    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.job_id"))
    worker_id: Mapped[str]
    zone: Mapped[str]
    start_utc: Mapped[datetime]
    end_utc: Mapped[datetime]


class JobScheduleRow(Base):
    """`Schedule` as a row.

    Attributes:
        schedule_id: 32 hex digits. timezone: the zone of the clock that `cron` is read by, an IANA name.
        within_s: time from a moment to its job's deadline, in s.
        job: fields of its jobs, as in `jobs`; stamps in ISO 8601.
    """

    __tablename__ = "job_schedules"

    schedule_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    cron: Mapped[str]
    timezone: Mapped[str]
    within_s: Mapped[float]
    next_utc: Mapped[datetime]
    job: Mapped[dict[str, Any]] = mapped_column(JSON)
    active: Mapped[bool]


class JobScheduleItemRow(PromptColumns, Base):
    """An item of every job that a schedule makes; gone with the schedule's end, as it is text.

    Attributes:
        schedule_id: the schedule that it is of.
    """

    __tablename__ = "job_schedule_items"

    schedule_id: Mapped[str] = mapped_column(ForeignKey("job_schedules.schedule_id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class WorkerRow(Base):
    """`WorkerRecord` as a row; an entry of `outlook` is [start, end, g per kWh], stamps in ISO 8601.

    Attributes:
        worker_id: 32 hex digits. host, pid: the machine that it runs on, and its process there.
        state: `idle`, `loading`, `loaded`, `running` or `stopped`.
        started_utc, seen_utc: when it began, and when it announced itself last.
        stop_asked: somebody asked it to stop.
    """

    __tablename__ = "workers"

    worker_id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    zone: Mapped[str]
    model: Mapped[str]
    engine: Mapped[str]
    schema: Mapped[str]
    state: Mapped[str]
    started_utc: Mapped[datetime]
    seen_utc: Mapped[datetime]
    batch_size: Mapped[int]
    pace_tokens_per_s: Mapped[float | None]
    power_w: Mapped[float | None]
    load_s: Mapped[float | None]
    load_j: Mapped[float | None]
    idle_w: Mapped[float | None]
    outlook: Mapped[list[Any]] = mapped_column(JSON)
    stop_asked: Mapped[bool]
