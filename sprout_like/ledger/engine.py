"""SQLAlchemy engines, set up for what the ledger asks of a database. Nothing here connects."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event

from sprout_like.errors import SettingError
from sprout_like.ledger.rows import encode_json
from sprout_like.ledger.sqlite_file import set_up

__all__ = ["BUSY_TIMEOUT_S", "CONNECT_TIMEOUT_S", "build_engine"]

BUSY_TIMEOUT_S: Final = 1.0
"""How long a SQLite write waits for another process's; after that, the row goes to the spool."""

CONNECT_TIMEOUT_S: Final = 5


def build_engine(url: URL) -> Engine:
    """An engine for a URL made by `parse_address`.

    Raises:
        SettingError: the driver is not installed.
    """
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url, connect_args={"timeout": BUSY_TIMEOUT_S}, json_serializer=encode_json, hide_parameters=True
        )
        event.listen(engine, "connect", _set_up_sqlite)
        return engine

    defaults: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        # A server that vanished without a word is noticed after 10 s, not after the kernel's quarter of an hour.
        "tcp_user_timeout": 10_000,
        "application_name": "sprout-like",
        # Statements prepared on the server break behind a transaction pooler such as pgbouncer.
        "prepare_threshold": None,
    }
    try:
        return create_engine(
            url,
            connect_args={name: value for name, value in defaults.items() if name not in url.query},
            pool_size=1,
            max_overflow=4,
            pool_pre_ping=True,
            json_serializer=encode_json,
            hide_parameters=True,
        )
    except ImportError as exc:
        raise SettingError(
            "ledger",
            f"PostgreSQL needs psycopg, which cannot be imported ({exc})",
            'pip install "sprout-like[postgres]"',
        ) from exc


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    set_up(connection)
