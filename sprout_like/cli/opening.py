"""From a command's option to a ledger that is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from sprout_like.settings import Settings

__all__ = ["configured", "pending_rows", "reading"]


def configured(ledger: str | None, *, grid: str | None = None, zone: str | None = None) -> Settings:
    """The settings, with the options in front.

    Raises:
        SettingError: a setting does not fit.
    """
    from sprout_like.settings import Settings

    return Settings.load(ledger=ledger, grid=grid, zone=zone)


@contextmanager
def reading(ledger: str | None) -> Iterator[Engine]:
    """An engine on the ledger that the option, or else the settings, name.

    Raises:
        SettingError: there is no such ledger, or the file is damaged.
        LedgerError: it cannot be read, or the database went away meanwhile.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from sprout_like.ledger import open_engine
    from sprout_like.ledger.faults import as_startup_error

    engine = open_engine(configured(ledger).ledger_spec)
    try:
        yield engine
    except SQLAlchemyError as exc:
        raise as_startup_error(exc, engine.url) from exc
    finally:
        engine.dispose()


def pending_rows(ledger: str | None) -> int | None:
    """Rows that wait in the spool for this ledger; None where the spool cannot be read."""
    from sprout_like.ledger import count_pending

    settings = configured(ledger)
    return count_pending(settings.ledger_spec, spool_path=settings.spool)
