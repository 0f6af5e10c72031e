"""What a job is: data alone, so that any process can read it and none has to run what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

__all__ = [
    "ENDED_STATES",
    "OPEN_STATES",
    "RUNNABLE",
    "Answer",
    "Attempt",
    "Claim",
    "Failure",
    "Item",
    "Job",
    "JobState",
    "Planned",
    "Run",
    "Schedule",
    "Standing",
    "WorkerRecord",
    "WorkerState",
]

JobState = Literal["waiting", "paused", "done", "cancelled", "failed"]
"""`waiting` until each item is answered or set aside, also while some of them run; `failed` where none was answered."""

OPEN_STATES: Final[tuple[JobState, ...]] = ("waiting", "paused")

ENDED_STATES: Final[tuple[JobState, ...]] = ("done", "failed")

RUNNABLE: Final[tuple[JobState, ...]] = ("waiting",)

WorkerState = Literal["idle", "loading", "loaded", "running", "stopped"]
"""`loaded` waits with the model in memory, `idle` without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work with a deadline.

    Attributes:
        job_id: 32 hex digits, unique, rising with time.
        submitted_utc, deadline_utc: when it came, and when it must be done.
        earliest_utc: when it may begin; None: at once.
        model: name or path of the model that is to answer, as its worker announces it.
        engine: name of the engine that must run it; None for any.
        task: kind of work, for the rows and the policy. policy: as the setting `policy`; None for the worker's own.
        zones: grid zones it may run in; empty for any.
        tags: of its rows.
        items_n: how many items it has.
        out: file that the answers are to be written to when it is done; None for none.
        schedule_id: the schedule that made it; None where a user did.
        state, finished_utc: where it stands, and when it came to an end.
        planned_g, at_once_g: what its first plan expected it to emit, and what running at once would have.
    """

    job_id: str
    submitted_utc: datetime
    deadline_utc: datetime
    model: str
    earliest_utc: datetime | None = None
    engine: str | None = None
    task: str | None = None
    policy: str | None = None
    zones: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    items_n: int = 0
    out: str | None = None
    schedule_id: str | None = None
    state: JobState = "waiting"
    finished_utc: datetime | None = None
    planned_g: float | None = None
    at_once_g: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One prompt of a job; its texts are kept out of the repr.

    Attributes:
        place: number in its job, from 0.
        messages: the conversation. template: arguments of the chat template.
        arguments: of `generate`, `max_new_tokens` among them. task: where it differs from the job's.
        own_id: the user's own name for it, given back with the answer; None for none.
    """

    place: int
    messages: Sequence[Mapping[str, str]] = field(repr=False)
    template: Mapping[str, Any] = field(repr=False, default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    task: str | None = None
    own_id: str | None = None

    @property
    def limit_tokens(self) -> int:
        """Limit on new tokens."""
        return int(self.arguments["max_new_tokens"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Items that one worker has for a while.

    Attributes:
        token: what it must show to finish them; a later claim of the same item has another.
        until_utc: when the lease ends unless it is renewed.
        items: in the order in which they should be run.
        attempts: how often each was tried before, by its place.
    """

    job_id: str
    token: str
    worker_id: str
    until_utc: datetime
    items: tuple[Item, ...]
    attempts: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An item's answer; the text is kept out of the repr.

    Attributes:
        place: of the item. text: None once it was forgotten; all else stays.
        request_id: its row in `requests`; None where there is none.
        energy_j, operational_g: its share; None where unknown. energy_method: as in `RequestRecord`.
    """

    place: int
    text: str | None = field(repr=False)
    request_id: str | None = None
    directive: str = "full"
    prompt_tokens: int | None = None
    new_tokens: int | None = None
    finish_reason: str | None = None
    energy_j: float | None = None
    energy_method: str = "none"
    operational_g: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An item that could not be answered this time.

    Attributes:
        error: class name of the exception and what may be told of it; never text of the prompt.
        for_good: whether trying again is of no use.
    """

    place: int
    error: str
    for_good: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How an item stands, for people.

    Attributes:
        state: `waiting`, `leased`, `done` or `failed`.
        answer: of one that is done; None for any other.
    """

    place: int
    state: str
    attempts: int
    own_id: str | None = None
    error: str | None = None
    answer: Answer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a job is.

    Attributes:
        waiting_n, leased_n, done_n, failed_n: items by state.
        left_tokens: Σ of the limits on new tokens of the items that are not done or failed.
        done_tokens: new tokens of the answers. done_limit_tokens: Σ of the limits of these items.
        energy_j, operational_g: Σ over the answers; None where none is known.
    """

    waiting_n: int
    leased_n: int
    done_n: int
    failed_n: int
    left_tokens: int
    done_tokens: int
    done_limit_tokens: int
    energy_j: float | None = None
    operational_g: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecord:
    """What a worker announces with every heart-beat.

    Attributes:
        zone: where it draws its power. model, engine: what it runs. schema: revision of the ledger that it knows.
        batch_size: items it takes at a time.
        pace_tokens_per_s: new tokens per second over a batch; None until it was measured.
        power_w: mean draw while it runs, None likewise. load_s, load_j: time and energy of loading the model, likewise.
        idle_w: draw while the model is loaded and nothing runs.
        outlook: forecast of the intensity, as (start, end, g per kWh); empty where unknown.
        stop_asked: somebody asked it to stop.
    """

    worker_id: str
    host: str
    pid: int
    zone: str
    model: str
    engine: str
    schema: str
    state: WorkerState
    started_utc: datetime
    seen_utc: datetime
    batch_size: int = 1
    pace_tokens_per_s: float | None = None
    power_w: float | None = None
    load_s: float | None = None
    load_j: float | None = None
    idle_w: float | None = None
    outlook: tuple[tuple[datetime, datetime, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A span in which a worker is to run a job, end exclusive."""

    job_id: str
    worker_id: str
    zone: str
    start_utc: datetime
    end_utc: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A span in which a worker ran a job without a longer break; `ended_utc` moves on with every batch.

    Attributes:
        energy_j, operational_g: of its batches, loading not counted; None where unknown.
    """

    run_id: str
    job_id: str
    worker_id: str
    zone: str
    started_utc: datetime
    ended_utc: datetime
    items_n: int
    new_tokens: int
    energy_j: float | None = None
    operational_g: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A recurring job: at each moment that `cron` names, one is made of the items of a first one.

    Attributes:
        cron: five fields, read in `timezone`. next_utc: the next moment.
        within: time from such a moment to the job's deadline.
        job: as the first one, without id, stamps and deadline of its own. active: False once cancelled.
    """

    schedule_id: str
    cron: str
    timezone: str
    within: timedelta
    next_utc: datetime
    job: Job
    active: bool = True
