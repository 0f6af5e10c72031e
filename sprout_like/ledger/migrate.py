"""Brings a database to this release's schema. Several processes may start at once: one works, the others wait."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, column, inspect, select, table, text

from sprout_like.ledger.schema import Base
from sprout_like.ledger.schema_requests import View

__all__ = ["HEAD", "MIGRATIONS", "VERSION_TABLE", "ensure_schema", "foreign_tables", "schema_version"]

HEAD: Final = "0010"
"""The newest migration. A constant, as asking Alembic costs its import on every start; a test compares the two."""

MIGRATIONS: Final = Path(__file__).parent / "migrations"

VERSION_TABLE: Final = "sprout_like_version"
"""Not Alembic's own `alembic_version`: a team's database may hold that of another application."""

# Any number will do, as long as every release uses the same.
_ADVISORY_LOCK: Final = 7_768_657_531

_MIGRATION_WAIT_S: Final = 30


def ensure_schema(engine: Engine) -> None:
    """Create or upgrade the tables; one query where there is nothing to do.

    Raises:
        LedgerVersionError: the schema is newer than this release.
        SettingError: the database holds tables of the same names that are not ours.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    with engine.connect() as connection:
        if schema_version(connection) == HEAD:
            return
    # Loads Alembic, which takes a second on a busy machine: before the lock, as no write waits for longer than that.
    from sprout_like.ledger.upgrade import upgrade

    with engine.connect() as connection:
        # Closed at the end instead of going back to the pool: it carries settings of its own.
        connection.detach()
        _lock(connection)
        if schema_version(connection) != HEAD:  # again: another process may have been quicker
            upgrade(connection)
        connection.commit()


def schema_version(connection: Connection) -> str | None:
    """Revision of the schema; None where there is none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version: str | None = connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
    return version


def foreign_tables(connection: Connection) -> list[str]:
    """Tables and views that have the names of ours, in a database that holds no schema of ours."""
    found = inspect(connection)
    ours = Base.metadata.tables.keys() | View.metadata.tables.keys()
    return sorted(ours & {*found.get_table_names(), *found.get_view_names()})


def _lock(connection: Connection) -> None:
    """Open a transaction in which no other process migrates; the lock goes with it."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA busy_timeout={_MIGRATION_WAIT_S * 1000}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
