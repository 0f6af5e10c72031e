"""The queue as one object: each method is one transaction, and what it does is in the file named after it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from sqlalchemy import Engine

from sprout_like.clock import Clock
from sprout_like.jobs.job import (
    Answer,
    Attempt,
    Claim,
    Failure,
    Item,
    Job,
    JobState,
    Planned,
    Run,
    Schedule,
    Standing,
    WorkerRecord,
)
from sprout_like.jobs.queue import claiming, finishing, looking, plans, schedules, submitting, workers
from sprout_like.jobs.queue.database import Database

__all__ = ["Queue"]


def _token() -> str:
    return secrets.token_hex(16)


class Queue:
    """Jobs, their items and those who run them, in the ledger's database. Safe from several threads and processes.

    Any method raises `LedgerUnreachable` where the database does not answer. One that writes then wrote nothing, unless
    the answer to its commit was lost: a repeated `finish` returns 0 in that case. It raises `LedgerVersionError`, and
    writes nothing, where another release has changed the tables.

    Args:
        engine: of the ledger's database, from `build_engine`, its schema in place; `open_queue` sees to both.
        clock: stamps, and when a lease has run out; see `claiming` on clocks that disagree.
        attempts: how often an item is tried before it is set aside.
        new_id: makes tokens of claims, at most 32 characters, each only once.
    """

    def __init__(self, engine: Engine, *, clock: Clock, attempts: int = 3, new_id: Callable[[], str] = _token) -> None:
        self._database = Database(engine)
        self._clock = clock
        self._attempts = attempts
        self._new_id = new_id

    def close(self) -> None:
        """Close its connections; a later call opens new ones."""
        self._database.engine.dispose()

    def submit(self, job: Job, items: Sequence[Item]) -> None:
        """Add a job with its items, all of it or nothing.

        Raises:
            JobError: it has no items or not as many as it says, their places are not 0, 1, 2, …, one has no
                `max_new_tokens`, the id is taken, or the database cannot hold a value.
        """
        with self._database.writing() as connection:
            submitting.submit(connection, job, items)

    def job(self, job_id: str) -> Job:
        """The job of that id, or whose id alone begins so, 4 digits at least.

        Raises:
            JobError: there is none, or several.
        """
        with self._database.reading() as connection:
            return looking.find_job(connection, job_id)

    def jobs(self, *, states: Collection[JobState] | None = None, limit: int | None = None) -> list[Job]:
        """Jobs, newest first; in these states alone, and so many at most, where given."""
        with self._database.reading() as connection:
            return looking.jobs_in(connection, states, limit)

    def standing(self, job_id: str) -> Standing:
        """How far a job is.

        Raises:
            JobError: there is no such job.
        """
        with self._database.reading() as connection:
            looking.job_of(connection, job_id)
            return looking.standings_of(connection, [job_id])[job_id]

    def standings(self, job_ids: Collection[str]) -> dict[str, Standing]:
        """How far these jobs are, in one query that counts no items; unknown ids are left out."""
        with self._database.reading() as connection:
            return looking.standings_of(connection, job_ids)

    def attempts(self, job_id: str) -> Iterator[Attempt]:
        """How the items of a job stand, in order of place, read as they are asked for.

        The answer of one that is `done` stays when its text is forgotten, without it.

        Raises:
            JobError: there is no such job.
        """
        with self._database.reading() as connection:
            looking.job_of(connection, job_id)
        return looking.attempts_of(self._database, job_id)

    def pause(self, job_id: str) -> Job:
        """Let nobody claim items of a waiting job; what is on lease may be finished.

        Raises:
            JobError: there is no such job, or it is not waiting.
        """
        with self._database.writing() as connection:
            return submitting.move(connection, job_id, "paused", "waiting", "paused")

    def resume(self, job_id: str) -> Job:
        """Make a paused job wait again.

        Raises:
            JobError: there is no such job, or it is not paused.
        """
        with self._database.writing() as connection:
            return submitting.move(connection, job_id, "resumed", "paused", "waiting")

    def cancel(self, job_id: str) -> Job:
        """End a job; answers that come in later are not kept.

        Raises:
            JobError: there is no such job, or it has ended.
        """
        with self._database.writing() as connection:
            return submitting.cancel(connection, job_id, self._clock.now_utc())

    def revise(self, job_id: str, *, planned_g: float | None, at_once_g: float | None) -> None:
        """Keep what the last plan expects a job to emit, and what running at once would have, in g; None: unknown.

        Raises:
            JobError: there is no such job.
        """
        with self._database.writing() as connection:
            submitting.revise(connection, job_id, planned_g=planned_g, at_once_g=at_once_g)

    def forget(self, *, before_utc: datetime) -> int:
        """Wipe prompts and answers of jobs that ended before; figures stay. How many jobs that were."""
        with self._database.writing() as connection:
            return submitting.forget(connection, before_utc, self._clock.now_utc())

    def undelivered(self, limit: int) -> list[Job]:
        """Jobs done or failed whose `out` is still to be written and whose texts are there, last ended first."""
        with self._database.reading() as connection:
            return looking.undelivered(connection, limit)

    def mark_delivered(self, job_id: str, at_utc: datetime) -> None:
        """Keep that the file of a job was written then.

        Raises:
            JobError: there is no such job, or it is neither done nor failed.
        """
        with self._database.writing() as connection:
            submitting.mark_delivered(connection, job_id, at_utc)

    def claim(self, job_id: str, worker_id: str, *, most: int, lease_s: float) -> Claim | None:
        """Take items of a waiting job for `lease_s` seconds, of like length, longest first.

        Args:
            job_id: the job.
            worker_id: who takes them.
            most: most items; fewer are given where a worker died with several of them, see `claiming`.
            lease_s: how long they are the worker's unless it renews the lease; more than twice what clocks may differ.

        Returns:
            None where the job does not wait, or none of its items may be tried now.
        """
        with self._database.writing() as connection:
            return claiming.claim(
                connection,
                job_id,
                worker_id,
                token=self._new_id(),
                most=most,
                lease_s=lease_s,
                attempts=self._attempts,
                now_utc=self._clock.now_utc(),
            )

    def renew(self, claim: Claim, *, lease_s: float) -> bool:
        """Hold the items for another `lease_s` seconds from now; False where none is held any more."""
        with self._database.writing() as connection:
            until_utc = self._clock.now_utc() + timedelta(seconds=lease_s)
            return claiming.renew(connection, claim, until_utc=until_utc)

    def finish(self, claim: Claim, answers: Sequence[Answer], failures: Sequence[Failure] = ()) -> int:
        """Keep answers, and mark as done what they are to, in one transaction; how many were kept.

        Only items still held under the claim's token count, and none of a cancelled job. A failed item waits 30 s, and
        twice as long each time up to 1 h, but at most a quarter of the time to the deadline (1 s at least) and 30 s
        after it. It is set aside after `attempts` tries, or at once where it is for good. The job ends with its last
        item: `failed` where none was answered. Items that are not named stay on lease.
        """
        with self._database.writing() as connection:
            now_utc = self._clock.now_utc()
            return finishing.finish(connection, claim, answers, failures, attempts=self._attempts, now_utc=now_utc)

    def release(self, claim: Claim) -> None:
        """Give items back unanswered; this was no attempt."""
        with self._database.writing() as connection:
            claiming.release(connection, claim)

    def announce(self, worker: WorkerRecord) -> bool:
        """Keep what a worker says of itself; whether somebody asked it to stop."""
        with self._database.writing() as connection:
            return workers.announce(connection, worker)

    def ask_stop(self, worker_id: str) -> None:
        """Ask a worker to stop; it learns so with its next heart-beat.

        Raises:
            JobError: there is no such worker.
        """
        with self._database.writing() as connection:
            workers.ask_stop(connection, worker_id)

    def workers(self, *, seen_after_utc: datetime | None = None) -> list[WorkerRecord]:
        """Workers by id; with a moment, only those that announced themselves after it."""
        with self._database.reading() as connection:
            return workers.workers(connection, seen_after_utc)

    def record_run(self, run: Run) -> None:
        """Keep a run, in place of what was kept of it before."""
        with self._database.writing() as connection:
            workers.record_run(connection, run)

    def runs(self, job_id: str | None = None) -> list[Run]:
        """Runs of a job, or of all, in order of their start."""
        with self._database.reading() as connection:
            return workers.runs(connection, job_id)

    def plan(self, planned: Sequence[Planned]) -> None:
        """Replace all planned spans, in one transaction; to be called by who holds `planning`."""
        with self._database.writing() as connection:
            plans.plan(connection, planned)

    def planned(self, *, job_id: str | None = None, worker_id: str | None = None) -> list[Planned]:
        """Planned spans in order of their start; of one job or one worker alone, where given."""
        with self._database.reading() as connection:
            return plans.planned(connection, job_id, worker_id)

    def planning(self) -> AbstractContextManager[bool]:
        """Whether the caller may plan now: True to one at a time over all threads and processes on the database.

        It is given back at the end of the block, and by the death of the process. Where a connection is lost meanwhile
        somebody else may begin; both plans are whole, and the later one stands.
        """
        return plans.planning(self._database)

    def add_schedule(self, schedule: Schedule, items: Sequence[Item]) -> None:
        """Add a recurring job with its items.

        Raises:
            JobError: as for `submit`.
        """
        with self._database.writing() as connection:
            schedules.add_schedule(connection, schedule, items)

    def schedules(self, *, active: bool = True) -> list[Schedule]:
        """Schedules by their next moment; with `active`, without those that were ended."""
        with self._database.reading() as connection:
            return schedules.schedules(connection, active=active)

    def fire(self, schedule: Schedule, job: Job, next_utc: datetime) -> bool:
        """Make the job of a schedule's moment with the schedule's items, and set its next moment, in one transaction.

        Returns:
            False, and nothing was done, where somebody did it before or ended the schedule.
        """
        with self._database.writing() as connection:
            return schedules.fire(connection, schedule, job, next_utc)

    def end_schedule(self, schedule_id: str) -> None:
        """Make no more jobs of a schedule, and wipe its prompts.

        Raises:
            JobError: there is no such schedule, or it was ended.
        """
        with self._database.writing() as connection:
            schedules.end_schedule(connection, schedule_id)
