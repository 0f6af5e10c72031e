"""`sprout-like jobs worker`."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

if TYPE_CHECKING:
    from sprout_like.jobs.job import Job, WorkerRecord
    from sprout_like.jobs.queue import Queue
    from sprout_like.jobs.working.worker import Progress

__all__ = ["stopping_at_signals", "worker"]

_MOST_NAMED: Final = 5
"""Kinds of jobs for other workers that are named one by one."""


def worker(
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME|FOLDER", help="The model.  [default: SmolLM2-135M-Instruct, as in the demo]"),
    ] = None,
    engine: Annotated[
        Literal["auto", "padded", "continuous", "openai", "ray"], typer.Option(help="Who runs the tokens.")
    ] = "auto",
    once: Annotated[bool, typer.Option("--once", help="End when no job is left that it could run.")] = False,
    at_once: Annotated[bool, typer.Option("--at-once", help="Run jobs as they come, without a plan.")] = False,
    batch_size: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Items at a time.  [default: found by trying]")
    ] = None,
    ledger: Annotated[
        str | None, typer.Option(metavar="URL|FILE", help="The ledger.  [default: the setting `ledger`]")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Where it draws its power.  [default: the setting `zone`]")
    ] = None,
    grid: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="Who tells the intensity.  [default: the setting `grid`]")
    ] = None,
) -> None:
    """Run jobs of one model, when the grid is clean and in time.

    Ends after the batch under way on Ctrl-C (exit code 130) or SIGTERM (exit code 0); a second one ends it now, and
    what it had is run by others, or by it when it is started again. Several workers share one queue.
    """
    from sprout_like.cli.jobs.opening import opened_queue
    from sprout_like.cli.opening import configured
    from sprout_like.errors import LedgerUnreachable
    from sprout_like.jobs.working.opening import opened_worker

    settings = configured(ledger, grid=grid, zone=zone)
    with (
        _told() as heard,
        opened_worker(
            settings, model=model, engine=engine, batch_size=batch_size, at_once=at_once, heard=heard
        ) as opened,
        stopping_at_signals(opened.stop) as asked,
    ):
        done = opened.run(until_empty=once)
    typer.echo(_said(done))
    if once:
        with suppress(LedgerUnreachable), opened_queue(ledger) as queue:  # what it has done is done all the same
            for line in _left(queue, opened.worker_id):
                typer.echo(line)
    if signal.SIGINT in asked:
        raise typer.Exit(130)


@contextmanager
def stopping_at_signals(stop: Callable[[], object]) -> Iterator[list[int]]:
    """Stops at a signal, and lets a second one end the process; tells which came."""
    asked: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, _: FrameType | None) -> None:
        asked.append(number)
        for each, handler in before.items():
            signal.signal(each, handler)
        stop()

    for number in before:
        signal.signal(number, handle)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _told() -> Iterator[Callable[[Progress], None]]:
    """Says on stderr what the worker is at: a status line for people, a line for each change in a file or a pipe."""
    from sprout_like.clock import SystemClock

    if not sys.stderr.isatty():
        last: list[str] = []

        def log(progress: Progress) -> None:
            said = _state(progress)
            if last[-1:] != [said]:
                last[:] = [said]
                typer.echo(f"{SystemClock().now_utc():%Y-%m-%d %H:%M:%S} UTC {said}", err=True)

        yield log
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("starting") as status:
        yield lambda progress: status.update(Text(f"{_state(progress)}; {_said(progress)}"))


def _state(progress: Progress) -> str:
    job = f" job {progress.job_id[:12]}" if progress.job_id else ""
    until = f", next at {progress.until_utc:%Y-%m-%d %H:%M} UTC" if progress.until_utc else ""
    reason = f": {progress.reason}" if progress.reason and progress.reason != progress.state else ""
    return f"{progress.state}{job}{reason}{until}"


def _said(progress: Progress) -> str:
    from sprout_like.cli.jobs.facts import joules
    from sprout_like.reports.figures import grams, number

    failed = f", {number(progress.failed_n, 0)} failed" if progress.failed_n else ""
    pace = "" if progress.tokens_per_s is None else f", {number(progress.tokens_per_s, 0)} tokens/s"
    energy = "energy unknown" if progress.energy_j is None else joules(progress.energy_j)
    carbon = "" if progress.operational_g is None else f", {grams(progress.operational_g)} CO2e"
    items = "1 item" if progress.answered_n == 1 else f"{number(progress.answered_n, 0)} items"
    return f"{items} answered{failed}, {energy}{carbon}{pace}"


def _left(queue: Queue, worker_id: str) -> Iterator[str]:
    """What is to be said of open jobs that this worker may not run, at its end; nothing where there are none."""
    from sprout_like.jobs.job import RUNNABLE
    from sprout_like.jobs.working.deciding import Here, suits

    me = next((each for each in queue.workers() if each.worker_id == worker_id), None)
    if me is None:  # its word did not reach the queue
        return
    here = Here(worker_id=worker_id, zone=me.zone, model=me.model, engine=me.engine, tokens_per_s=None, loaded=False)
    waiting = Counter(_needed(job, me) for job in queue.jobs(states=RUNNABLE) if not suits(job, here))
    if not waiting:
        return
    total = waiting.total()
    jobs = "1 open job waits" if total == 1 else f"{total} open jobs wait"
    kinds = sorted(waiting.items(), key=lambda kind: (-kind[1], kind[0]))
    named = ", ".join(f"{count} for {needed}" for needed, count in kinds[:_MOST_NAMED])
    yield f"{jobs} for another worker: {named}{', …' if len(kinds) > _MOST_NAMED else ''}."


def _needed(job: Job, me: WorkerRecord) -> str:
    """The model that a job needs, and where it is this worker's, what else."""
    if job.model != me.model:
        return job.model
    engine = f" with engine {job.engine}" if job.engine not in (None, me.engine) else ""
    zones = f" in {' or '.join(sorted(job.zones))}" if job.zones and me.zone not in job.zones else ""
    return f"{job.model}{engine}{zones}"
