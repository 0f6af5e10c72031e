"""The ledger's database and its spool, looked at without making or changing either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from sprout_like.doctor.finding import Finding
from sprout_like.doctor.spool import can_be_made, look_at_spool
from sprout_like.errors import SettingError
from sprout_like.ledger.address import public_name
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.faults import as_startup_error
from sprout_like.ledger.migrate import HEAD, foreign_tables, schema_version
from sprout_like.ledger.open import ledger_address, ledger_spool
from sprout_like.ledger.schema import RequestRow, StoredRequestRow
from sprout_like.settings import Settings

__all__ = ["look_at_ledger"]

_MODELS_SHOWN = 20
_MUCH_EMPTY_MB = 50


def look_at_ledger(settings: Settings) -> Iterator[Finding]:
    """The database, the models that it holds rows of, and the rows on their way to it.

    Raises:
        SettingError: the ledger is not a database that can be used.
    """
    url = ledger_address(settings.ledger_spec)
    yield from _database(url)
    yield from look_at_spool(ledger_spool(url, settings.spool))


def _database(url: URL) -> Iterator[Finding]:
    where = public_name(url)
    if url.get_backend_name() == "sqlite" and not (file := Path(str(url.database))).exists():
        if can_be_made(file):
            yield Finding("ledger", "ok", f"{where}: not there yet; the first request makes it")
        else:
            fix = "Set SPROUT_LEDGER to a file in a folder that you may write to"
            yield Finding("ledger", "fail", f"{where}: cannot be made there", fix)
        return
    engine = build_engine(url)
    try:
        with engine.connect() as connection:
            yield from _contents(connection, where)
    except SQLAlchemyError as exc:
        fault = as_startup_error(exc, url)
        if isinstance(fault, SettingError):
            yield Finding("ledger", "fail", fault.problem, fault.fix)
        else:
            yield Finding("ledger", "fail", str(fault), "Start the database; rows are kept in the spool until then")
    finally:
        engine.dispose()


def _contents(connection: Connection, where: str) -> Iterator[Finding]:
    version = schema_version(connection)
    if version is None:
        if taken := foreign_tables(connection):
            problem = f"{where}: holds tables that are not ours ({', '.join(taken)})"
            yield Finding("ledger", "fail", problem, "Give it a database of its own")
        else:
            yield Finding("ledger", "ok", f"{where}: empty; the first request makes the tables")
        return
    if version != HEAD:
        fix = (
            "An older one is brought up to date by the next request; for a newer one: pip install --upgrade sprout-like"
        )
        yield Finding("ledger", "warn", f"{where}: its schema is {version}, this release's is {HEAD}", fix)
        return
    rows, last = connection.execute(select(func.count(), func.max(StoredRequestRow.started_utc))).one()
    latest = "" if last is None else f", the last at {last:%Y-%m-%d %H:%M} UTC"
    yield Finding("ledger", "ok", f"{where}: {rows:,} requests{latest}")
    if connection.dialect.name == "sqlite":
        yield from _empty_room(connection, where)
    columns = (RequestRow.model, RequestRow.family, RequestRow.engine)
    served = select(*columns).distinct().order_by(*columns).limit(_MODELS_SHOWN)
    for model, family, engine in connection.execute(served):
        yield Finding("model", "ok", f"{model} ({family or 'family unknown'}, engine {engine}) has rows in the ledger")


def _empty_room(connection: Connection, where: str) -> Iterator[Finding]:
    """What an upgrade, or rows that were deleted, left behind in the file."""
    free, pages, size = (
        connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
        for name in ("freelist_count", "page_count", "page_size")
    )
    if free * size >= _MUCH_EMPTY_MB * 1e6 and 4 * free >= pages:
        problem = f"{where}: {free * size / 1e6:,.0f} of its {pages * size / 1e6:,.0f} MB are empty, for rows to come"
        fix = f"To have them back, while nobody writes: sqlite3 {connection.engine.url.database} VACUUM"
        yield Finding("ledger", "warn", problem, fix)
