"""The commands and their options; what they print is in the file of each."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sprout_like.cli.jobs.simulate import simulate
from sprout_like.cli.jobs.submit import submit
from sprout_like.cli.jobs.worker import worker
from sprout_like.cli.moment import moment

if TYPE_CHECKING:
    from sprout_like.cli.grid.screen import Screen

__all__ = ["jobs"]

jobs = typer.Typer(rich_markup_mode=None)
jobs.command()(submit)

_MOST_LISTED: Final = 50
_LOOK_S: Final = 5.0

_Job = Annotated[str, typer.Argument(metavar="JOB", help="Its id, or how it begins.")]
_Ledger = Annotated[
    str | None, typer.Option("--ledger", metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
]
_Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
_Utc = Annotated[bool, typer.Option("--utc", help="Show times in UTC, not in this machine's zone.")]


@jobs.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Work with a deadline, run when the grid is clean."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@jobs.command(name="list")
def list_(
    everything: Annotated[
        bool, typer.Option("--all", help="Those too that have ended long ago.  [default: the last 50]")
    ] = False,
    ledger: _Ledger = None,
    utc: _Utc = False,
    as_json: _Json = False,
) -> None:
    """The jobs, newest first, and how far they are."""
    from sprout_like.cli.jobs.listed import as_data, jobs_table
    from sprout_like.cli.jobs.opening import opened_queue

    now_utc = _now_utc()
    with opened_queue(ledger) as queue:
        found = queue.jobs(limit=None if everything else _MOST_LISTED)
        standings = queue.standings([job.job_id for job in found])
    if as_json:
        _print_json({"jobs": as_data(found, standings, now_utc)})
    elif found:
        screen = _screen(utc)
        screen.show(jobs_table(found, standings, now_utc, screen.times))
    else:
        typer.echo("There is no job yet; `sprout-like jobs submit` makes one.")


@jobs.command()
def show(job: _Job, ledger: _Ledger = None, utc: _Utc = False, as_json: _Json = False) -> None:
    """One job in full: plan, runs, energy, carbon, failures."""
    from sprout_like.cli.jobs.opening import opened_views
    from sprout_like.cli.jobs.shown import shown
    from sprout_like.jobs.showing.view import as_data

    with opened_views(ledger, with_failures=True) as view_of:
        view = view_of(job)
    if as_json:
        _print_json(as_data(view))
    else:
        screen = _screen(utc)
        screen.show(shown(view, screen.times, screen.width))


@jobs.command()
def watch(
    job: _Job,
    once: Annotated[bool, typer.Option("--once", help="Print it once and end; so it is in a file or a pipe.")] = False,
    ledger: _Ledger = None,
    utc: _Utc = False,
) -> None:
    """The forecast, the spans planned and run, and how far it is.

    Drawn again every few seconds until the job has ended or Ctrl-C leaves; the job goes on.
    """
    from sprout_like.cli.jobs.opening import opened_views
    from sprout_like.cli.jobs.watched import frame

    screen = _screen(utc)
    with opened_views(ledger, with_failures=False) as view_of:

        def draw() -> tuple[Any, bool]:
            view = view_of(job)
            return frame(view, screen.times, screen.width, screen.glyphs), view.job.finished_utc is None

        if once or not sys.stdout.isatty():
            screen.show(draw()[0])
        else:
            screen.keep_showing(draw, every_s=_LOOK_S)


@jobs.command()
def results(
    job: _Job,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where they go; it must not exist.  [default: the screen]")
    ] = None,
    ledger: _Ledger = None,
) -> None:
    """Print the answers as JSON Lines, in order.

    Items that were set aside have an error in place of a text. Exit code 1 if any item has no answer, or not yet.
    """
    from sprout_like.cli.jobs.opening import opened_queue
    from sprout_like.jobs.showing.results import print_results, write_results

    with opened_queue(ledger) as queue:
        found = queue.job(job)
        attempts = queue.attempts(found.job_id)
        written = print_results(attempts, sys.stdout) if out is None else write_results(attempts, out)
    missing = (
        ("was cancelled", "were cancelled") if found.state == "cancelled" else ("is not done yet", "are not done yet")
    )
    for count, (one, several) in (
        (written.failed_n, ("was set aside", "were set aside")),
        (written.missing_n, missing),
    ):
        if count:
            typer.echo(f"{count} item {one}" if count == 1 else f"{count} items {several}", err=True)
    if not written.complete:
        raise typer.Exit(1)


@jobs.command()
def pause(job: _Job, ledger: _Ledger = None) -> None:
    """Let a job wait until it is resumed.

    The batch under way is finished.
    """
    from sprout_like.cli.jobs.opening import opened_queue

    with opened_queue(ledger) as queue:
        typer.echo(f"Job {queue.pause(queue.job(job).job_id).job_id} is paused.")


@jobs.command()
def resume(job: _Job, ledger: _Ledger = None) -> None:
    """Let a paused job go on."""
    from sprout_like.cli.jobs.opening import opened_queue

    with opened_queue(ledger) as queue:
        typer.echo(f"Job {queue.resume(queue.job(job).job_id).job_id} goes on.")


@jobs.command()
def cancel(job: _Job, ledger: _Ledger = None) -> None:
    """End a job; the answers it has stay."""
    from sprout_like.cli.jobs.opening import opened_queue

    with opened_queue(ledger) as queue:
        typer.echo(f"Job {queue.cancel(queue.job(job).job_id).job_id} is cancelled.")


@jobs.command()
def schedules(
    end: Annotated[str | None, typer.Option(metavar="SCHEDULE", help="End this one; its jobs stay.")] = None,
    ledger: _Ledger = None,
    utc: _Utc = False,
    as_json: _Json = False,
) -> None:
    """Recurring jobs, and how to end one."""
    from dataclasses import asdict

    from sprout_like.cli.jobs.listed import schedules_table, the_one
    from sprout_like.cli.jobs.opening import opened_queue

    with opened_queue(ledger) as queue:
        found = queue.schedules()
        if end is not None:
            ended = the_one(end, [schedule.schedule_id for schedule in found], "schedule")
            queue.end_schedule(ended)
            typer.echo(f"Schedule {ended} has ended.")
            return
    if as_json:
        _print_json({"schedules": [{**asdict(each), "within": each.within.total_seconds()} for each in found]})
    elif found:
        screen = _screen(utc)
        screen.show(schedules_table(found, screen.times))
    else:
        typer.echo('There is no schedule; `sprout-like jobs submit --every "0 6 * * *"` makes one.')


@jobs.command()
def workers(
    stop: Annotated[
        str | None, typer.Option(metavar="WORKER", help="Ask this one to end after the batch under way.")
    ] = None,
    ledger: _Ledger = None,
    as_json: _Json = False,
) -> None:
    """Workers that are alive, what they run and how fast."""
    from dataclasses import asdict

    from sprout_like.cli.jobs.listed import the_one, workers_table
    from sprout_like.cli.jobs.opening import opened_queue
    from sprout_like.jobs.working.planner import ALIVE
    from sprout_like.ledger.migrate import HEAD

    now_utc = _now_utc()
    with opened_queue(ledger) as queue:
        found = [each for each in queue.workers(seen_after_utc=now_utc - ALIVE) if each.state != "stopped"]
        if stop is not None:
            asked = the_one(stop, [each.worker_id for each in found], "worker")
            queue.ask_stop(asked)
            typer.echo(f"Worker {asked} is asked to end.")
            return
    if as_json:
        _print_json({"workers": [asdict(each) for each in found]})
    elif found:
        _screen(utc=True).show(workers_table(found))
        others = {each.schema for each in found} - {HEAD}
        if others:
            typer.echo(f"Not all are of this release: they know schema {', '.join(sorted(others))} and not {HEAD}.")
    else:
        typer.echo("No worker is alive; `sprout-like jobs worker` starts one.")


@jobs.command()
def forget(
    before: Annotated[
        datetime | None,
        typer.Option(
            parser=moment,
            metavar="MOMENT",
            help="Of jobs that ended before then, UTC.  [default: as long ago as the setting `job_keep_days`]",
        ),
    ] = None,
    ledger: _Ledger = None,
) -> None:
    """Delete prompts and answers of jobs that have ended.

    Their rows stay: tokens, energy and carbon.
    """
    from sprout_like.cli.jobs.opening import opened_queue
    from sprout_like.cli.opening import configured

    kept = timedelta(days=configured(ledger).job_keep_days)
    with opened_queue(ledger) as queue:
        gone = queue.forget(before_utc=before or _now_utc() - kept)
    typer.echo(f"Texts of {gone} jobs deleted.")


jobs.command()(worker)
jobs.command()(simulate)


def _now_utc() -> datetime:
    from sprout_like.clock import SystemClock

    return SystemClock().now_utc()


def _screen(utc: bool) -> Screen:
    from sprout_like.cli.grid.screen import Screen
    from sprout_like.cli.grid.times import Times

    return Screen(Times(utc=utc))


def _print_json(data: dict[str, Any]) -> None:
    from sprout_like.reports.machine import to_json

    typer.echo(to_json(data))
