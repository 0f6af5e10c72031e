"""From a command's options to the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sprout_like.jobs.queue import Queue
    from sprout_like.jobs.showing.view import View

__all__ = ["opened_queue", "opened_views"]


@contextmanager
def opened_queue(ledger: str | None, *, create: bool = False) -> Iterator[Queue]:
    """The queue in the ledger that the option, or else the settings, name.

    Args:
        ledger: as the option has it.
        create: make the SQLite file where there is none.

    Raises:
        SettingError: there is no such ledger, or the file is damaged.
        LedgerError: it cannot be read, or was written by a newer release.
    """
    from sprout_like.cli.opening import configured
    from sprout_like.jobs.queue import open_queue

    settings = configured(ledger)
    with closing(open_queue(settings.ledger_spec, attempts=settings.job_attempts, create=create)) as queue:
        yield queue


@contextmanager
def opened_views(ledger: str | None, *, with_failures: bool) -> Iterator[Callable[[str], View]]:
    """Gives a job by its id as it stands now, with what was published of the intensity as far as that ledger has it.

    Args:
        ledger: as the option has it.
        with_failures: as of `gather`.

    Raises:
        SettingError, LedgerError: as above.
    """
    from sprout_like.cli.opening import configured, reading
    from sprout_like.clock import SystemClock
    from sprout_like.jobs.showing.view import gather
    from sprout_like.ledger.settlements import Settlements

    clock, pue = SystemClock(), configured(ledger).pue
    with opened_queue(ledger) as queue, reading(ledger) as engine:
        published = Settlements(engine).published
        yield lambda job_id: gather(
            queue, job_id, published, now_utc=clock.now_utc(), pue=pue, with_failures=with_failures
        )
