"""The jobs, the workers and the schedules as tables; of any width, no figure is ever cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table

from sprout_like.cli.grid.times import Times, in_words
from sprout_like.errors import JobError
from sprout_like.jobs.job import Job, Schedule, Standing, WorkerRecord
from sprout_like.jobs.showing.saving import saved_share
from sprout_like.jobs.showing.view import state_of
from sprout_like.printable import label
from sprout_like.reports.figures import UNKNOWN_MARK, grams, number
from sprout_like.reports.whole import Whole

__all__ = ["as_data", "jobs_table", "schedules_table", "short_ids", "the_one", "workers_table"]

_SHORTEST_ID: Final = 12
"""Digits that say when it was made, to the millisecond."""


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """Each id's beginning, just long enough that none of the others begins with it."""
    length = next(
        (length for length in range(_SHORTEST_ID, 32) if len({each[:length] for each in ids}) == len(set(ids))), 32
    )
    return {each: each[:length] for each in ids}


def the_one(given: str, ids: Sequence[str], what: str) -> str:
    """The one id that begins so.

    Raises:
        JobError: none does, or several do.
    """
    found = [each for each in ids if given and each.startswith(given.lower())]
    if len(found) == 1:
        return found[0]
    problem = f"{len(found)} begin with {given[:40]!r}. Give more of the id" if found else f"there is no {given[:40]!r}"
    raise JobError(f"{what}: {problem}{'' if found else f'. See `sprout-like jobs {what}s`'}")


def jobs_table(
    jobs: Sequence[Job], standings: Mapping[str, Standing], now_utc: datetime, times: Times
) -> RenderableType:
    """One line a job. What it emitted is over its answers; the saving is the plan's, against running at once."""
    table = _table("job", "state")
    some_failed = any(standing.failed_n for standing in standings.values())
    for name in ("done", *(["failed"] if some_failed else []), "CO2e", "saves"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column(_heading("deadline", [job.deadline_utc for job in jobs], times), no_wrap=True)
    table.add_column("model", overflow="fold")
    shortest = short_ids([job.job_id for job in jobs])
    for job in jobs:
        standing = standings[job.job_id]
        table.add_row(
            shortest[job.job_id],
            state_of(job, standing, now_utc),
            f"{number(standing.done_n, 0)}/{number(job.items_n, 0)}",
            *([number(standing.failed_n, 0)] if some_failed else []),
            grams(standing.operational_g),
            _whole_percent(saved_share(job.planned_g, job.at_once_g)),
            times.short(job.deadline_utc),
            _model(job.model),
        )
    return Whole(table)


def as_data(jobs: Sequence[Job], standings: Mapping[str, Standing], now_utc: datetime) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            **asdict(job),
            "state": state_of(job, standings[job.job_id], now_utc),
            "standing": asdict(standings[job.job_id]),
            "planned_saving_share": saved_share(job.planned_g, job.at_once_g),
        }
        for job in jobs
    ]


def workers_table(workers: Sequence[WorkerRecord]) -> RenderableType:
    """One line a worker."""
    table = _table("worker", "state", "zone", "engine")
    for name in ("tokens/s", "W"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("host", overflow="fold")
    table.add_column("model", overflow="fold")
    shortest = short_ids([worker.worker_id for worker in workers])
    for worker in workers:
        table.add_row(
            shortest[worker.worker_id],
            worker.state,
            worker.zone,
            worker.engine,
            number(worker.pace_tokens_per_s, 1),
            number(worker.power_w, 0),
            label(worker.host),
            _model(worker.model),
        )
    return Whole(table)


def schedules_table(schedules: Sequence[Schedule], times: Times) -> RenderableType:
    """One line a schedule."""
    table = _table("schedule", "every", "in", "within")
    table.add_column(_heading("next", [schedule.next_utc for schedule in schedules], times), no_wrap=True)
    table.add_column("items", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold")
    shortest = short_ids([schedule.schedule_id for schedule in schedules])
    for schedule in schedules:
        table.add_row(
            shortest[schedule.schedule_id],
            schedule.cron,
            schedule.timezone,
            in_words(schedule.within.total_seconds()),
            times.short(schedule.next_utc),
            number(schedule.job.items_n, 0),
            _model(schedule.job.model),
        )
    return Whole(table)


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        table.add_column(name, no_wrap=True)
    return table


def _heading(name: str, moments_utc: Sequence[datetime], times: Times) -> str:
    """Of a column of moments, with their offset where all have the same."""
    offsets = {times.offset(each) for each in moments_utc}
    return f"{name}, {offsets.pop()}" if len(offsets) == 1 else f"{name}, local"


def _whole_percent(share: float | None) -> str:
    return UNKNOWN_MARK if share is None else f"{number(100 * share, 0)} %"


def _model(name: str) -> str:
    """The last part of a name or a path, which tells models apart; `jobs show` has the whole of it."""
    return label(name.rstrip("/").rpartition("/")[2] or name)
