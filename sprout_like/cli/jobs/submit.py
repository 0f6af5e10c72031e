"""`sprout-like jobs submit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sprout_like.jobs.job import Job
    from sprout_like.jobs.submitting.submission import Submission

__all__ = ["submit"]


def submit(
    prompts: Annotated[
        Path, typer.Argument(metavar="PROMPTS", help="File of prompts: .jsonl, or .txt with one a line.")
    ],
    deadline: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="When it must be done: 2026-12-01T08:00Z, with a zone, or +8h."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME|FOLDER", help="The model.  [default: the one that the workers run]"),
    ] = None,
    task: Annotated[str | None, typer.Option(metavar="TASK", help="Kind of work, where a line names none.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the answers go when it is done, as JSON Lines.")
    ] = None,
    earliest: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="Before which it must not begin.  [default: at once]")
    ] = None,
    every: Annotated[
        str | None, typer.Option(metavar="CRON", help='Make such a job again and again: "0 6 * * *".')
    ] = None,
    within: Annotated[
        str | None, typer.Option(metavar="TIME", help="With --every: from each such moment to the deadline, e.g. 8h.")
    ] = None,
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="With --every: in which zone it is read.")] = "UTC",
    zones: Annotated[
        str | None, typer.Option(metavar="ZONE,…", help="Grid zones it may run in, e.g. GB,FR.  [default: any]")
    ] = None,
    engine: Annotated[
        str | None, typer.Option(metavar="NAME", help="padded, continuous, openai or ray.  [default: any]")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(metavar="NAME", help="A policy, or a directive.  [default: as its worker is set]")
    ] = None,
    limit_tokens: Annotated[
        int, typer.Option(min=1, max=1 << 20, help="Limit on new tokens of prompts that name none.")
    ] = 256,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="Tag of its rows; may be repeated.")
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Take it though it will be late, or its task looks misspelt.")
    ] = False,
    ledger: Annotated[
        str | None, typer.Option(metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the job as JSON.")] = False,
) -> None:
    """Queue prompts to be answered by a deadline.

    A line is {"prompt": "…"} or {"messages": […]}, and may hold task, limit_tokens and id. A worker runs them when
    the grid is clean, and in time. Whatever is wrong is said before anything is queued.
    """
    from sprout_like.cli.jobs.opening import opened_queue
    from sprout_like.cli.opening import configured, reading
    from sprout_like.clock import SystemClock
    from sprout_like.jobs.submitting.items import items_of_file
    from sprout_like.jobs.submitting.submission import Order, check_order
    from sprout_like.jobs.submitting.submit import submit as submit_job
    from sprout_like.jobs.submitting.tasks import named_tasks
    from sprout_like.ledger.tasks import known_tasks
    from sprout_like.policies import check_policy, open_catalogue

    settings, now_utc = configured(ledger), SystemClock().now_utc()
    order = Order(
        deadline=deadline,
        earliest=earliest,
        every=every,
        timezone=timezone,
        within=within,
        model=model,
        engine=engine,
        task=task,
        policy=policy,
        zones=zones,
        tags={**settings.tags, **_tags(tag or ())},
        out=out,
        anyway=anyway,
    )
    check_order(order, now_utc)
    if policy is not None:
        check_policy(policy, open_catalogue(settings), settings)
    items = items_of_file(prompts, limit_tokens=limit_tokens)
    with opened_queue(ledger, create=True) as queue, reading(ledger) as connected:
        made = submit_job(
            queue,
            order,
            items,
            now_utc=now_utc,
            margin=settings.job_margin,
            tasks=known_tasks(connected) | named_tasks(settings),
        )
    _say(made, as_json=as_json)


def _tags(given: Sequence[str]) -> Mapping[str, str]:
    from sprout_like.errors import SettingError

    pairs = [text.partition("=") for text in given]
    for name, sign, _ in pairs:
        if not (name.strip() and sign):
            raise SettingError("--tag", f"{name[:40]!r} is no tag", "Give one such as team=search")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _say(made: Submission, *, as_json: bool) -> None:
    from dataclasses import asdict

    from sprout_like.reports.machine import to_json

    job, schedule = made.job, made.schedule
    if as_json:
        known = {"job": asdict(job)} if schedule is None else {"schedule_id": schedule.schedule_id, "job": asdict(job)}
        typer.echo(to_json({**known, "notes": list(made.notes)}))
        return
    if schedule is None:
        typer.echo(f"Job {job.job_id}: {_items(job)}, to be done by {job.deadline_utc:%Y-%m-%d %H:%M} UTC.")
    else:
        first = f"{schedule.next_utc:%Y-%m-%d %H:%M} UTC"
        typer.echo(f"Schedule {schedule.schedule_id}: {_items(job)} each time, first at {first}.")
    for note in made.notes:
        typer.echo(note)


def _items(job: Job) -> str:
    return "1 item" if job.items_n == 1 else f"{job.items_n} items"
