"""From the `ledger` and `spool` settings to a ledger, or to an engine for those who only read."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TypeGuard

import platformdirs
from sqlalchemy import URL, Connection, Engine, event, inspect
from sqlalchemy.exc import SQLAlchemyError

from sprout_like.clock import Clock
from sprout_like.errors import SettingError, SpoolUnusable, SproutError
from sprout_like.ledger.address import parse_address, public_name
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.faults import as_startup_error
from sprout_like.ledger.ledger import Ledger
from sprout_like.ledger.migrate import ensure_schema, schema_version
from sprout_like.ledger.postgres_store import PostgresStore
from sprout_like.ledger.spool import Spool
from sprout_like.ledger.sql_ledger import SqlLedger
from sprout_like.ledger.sqlite_store import SqliteStore
from sprout_like.ledger.store import Store

__all__ = [
    "count_pending",
    "default_ledger_path",
    "default_spool_path",
    "idle_engine",
    "ledger_address",
    "ledger_spool",
    "open_engine",
    "open_ledger",
    "refuse_others",
]


def default_ledger_path() -> Path:
    """`ledger.sqlite` in the user's data folder."""
    return platformdirs.user_data_path("sprout-like") / "ledger.sqlite"


def default_spool_path() -> Path:
    """`spool.sqlite` in the user's data folder."""
    return platformdirs.user_data_path("sprout-like") / "spool.sqlite"


def ledger_address(spec: object) -> URL:
    """The database that the `ledger` setting names, touched by nobody.

    Raises:
        SettingError: it names none.
    """
    if spec is None or spec == "default":
        return parse_address(default_ledger_path())
    if isinstance(spec, (str, os.PathLike)):
        return parse_address(spec)
    raise SettingError("ledger", f"a {type(spec).__name__} is neither a path, a URL nor a ledger", "Give one of these")


def idle_engine(spec: object) -> Engine:
    """An engine on the ledger's database for whoever makes a part of their own there; nothing connects yet.

    Raises:
        SettingError: the spec names no database.
    """
    return build_engine(ledger_address(spec))


def ledger_spool(url: URL, path: str | os.PathLike[str] | None = None) -> Spool:
    """That database's part of the spool that the `spool` setting names, touched by nobody."""
    return Spool(Path(default_spool_path() if path is None else path).expanduser().absolute(), public_name(url))


def open_ledger(
    spec: str | os.PathLike[str] | Ledger | None = None,
    *,
    spool_path: str | os.PathLike[str] | None = None,
    clock: Clock | None = None,
) -> Ledger:
    """The ledger to append to. A database that does not answer now is an outage, not an error.

    Args:
        spec: a file path, `sqlite:///FILE` or `postgresql://…`; None or "default" for the user's own file; a ledger is
            handed back as it is.
        spool_path: file for rows the database cannot take, on a local disk; None for the user's own.
        clock: for the time between attempts in an outage.

    Raises:
        SettingError: a database or spool that cannot work until the user changes something.
        LedgerVersionError: the database was written by a newer release.
    """
    if _is_ledger(spec):
        return spec
    url = ledger_address(spec)
    make_store = SqliteStore if url.get_backend_name() == "sqlite" else PostgresStore

    def open_parts() -> tuple[Store, Spool]:
        return make_store(build_engine(url)), ledger_spool(url, spool_path)

    try:
        ledger_spool(url, spool_path).pending()
    except SpoolUnusable as exc:
        raise SettingError(
            "spool", f"cannot be used: {exc}", "Name a file in a local folder that you may write to"
        ) from exc
    return SqlLedger(open_parts, clock=clock)


def open_engine(spec: str | os.PathLike[str] | None = None) -> Engine:
    """An engine on a ledger that exists, its schema brought up to this release; for reports and checks.

    Raises:
        SettingError: there is no such ledger, or it cannot work until the user changes something.
        LedgerUnreachable: the database does not answer.
        LedgerVersionError: the database was written by a newer release.
    """
    url = ledger_address(spec)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        raise SettingError("ledger", f"there is no ledger at {url.database}", "Serve a request first, or name another")
    engine = build_engine(url)
    try:
        with engine.connect() as connection:
            refuse_others(connection, url)
        ensure_schema(engine)
    except SQLAlchemyError as exc:
        engine.dispose()
        raise as_startup_error(exc, url) from exc
    except SproutError:
        engine.dispose()
        raise
    if url.get_backend_name() != "sqlite":
        event.listen(engine, "begin", _set_up_reading)
    return engine


def count_pending(
    spec: str | os.PathLike[str] | None = None, *, spool_path: str | os.PathLike[str] | None = None
) -> int | None:
    """Rows that wait in the spool for that database; None where the spool cannot be read. Makes no spool.

    Raises:
        SettingError: the URL is malformed.
    """
    spool = ledger_spool(ledger_address(spec), spool_path)
    try:
        return spool.pending() if spool.path.exists() else 0
    except SpoolUnusable:
        return None


def refuse_others(connection: Connection, url: URL) -> None:
    """Who only reads, and named the wrong file, is told so, and none of our tables are left in it.

    Raises:
        SettingError: it is a file with tables, and none of them are ours.
    """
    if url.get_backend_name() != "sqlite":
        return  # a team's server may well hold more than a ledger
    if schema_version(connection) is None and inspect(connection).get_table_names():
        problem = f"{url.database} holds tables, but no ledger"
        raise SettingError("ledger", problem, "Name the file that the middleware writes to")


def _set_up_reading(connection: Connection) -> None:
    """For this transaction alone, as a pooler may give the next one to somebody else.

    PostgreSQL takes a second to compile a query of hundreds of columns that then runs for another one. In a time zone
    east of UTC, the last stamps that Python holds lie in a year that it does not.
    """
    # The driver's own cursor: SQLAlchemy's are on the server where rows are streamed, and take no settings.
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute("SET LOCAL jit = off; SET LOCAL timezone = 'UTC'")


def _is_ledger(spec: object) -> TypeGuard[Ledger]:
    return hasattr(spec, "name") and all(
        callable(getattr(spec, name, None)) for name in ("append", "tick", "flush", "close")
    )
