"""From what the user wrote to a database URL, and from a URL to a name that is safe to show."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from sprout_like.errors import SettingError

__all__ = ["file_of", "parse_address", "public_name"]

_SHAPES: Final = "Give a file path, sqlite:///FILE or postgresql://USER:PASSWORD@HOST:5432/DATABASE"

# Two letters at least, so that a drive letter is not taken for a scheme.
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")


def parse_address(spec: str | os.PathLike[str]) -> URL:
    """The URL of a path or URL; SQLite paths are made absolute, PostgreSQL means psycopg 3.

    Raises:
        SettingError: malformed, in memory, or of a database that is not supported. The message never holds a password.
    """
    text = os.fspath(spec)
    if text == ":memory:":
        text = "sqlite://"
    scheme = _SCHEME.match(text)
    if scheme is None:
        return _sqlite(text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Not chained: the message underneath repeats the text, and with it the password.
        raise SettingError("ledger", f"malformed database URL ({scheme[0]}…)", _SHAPES) from None

    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        if url.query:
            raise SettingError("ledger", "a SQLite URL takes no options", _SHAPES)
        if url.database in (None, "", ":memory:"):
            raise SettingError("ledger", "an in-memory database is lost with the process", _SHAPES)
        return _sqlite(str(url.database))
    if url.drivername in ("postgresql", "postgresql+psycopg"):
        if not url.database:
            raise SettingError("ledger", "the URL names no database", _SHAPES)
        return url.set(drivername="postgresql+psycopg")
    raise SettingError("ledger", f"{url.drivername} is not supported; sqlite and postgresql (psycopg 3) are", _SHAPES)


def public_name(url: URL) -> str:
    """The database without user, password and options: for logs, and to keep the spooled rows of two databases apart.

    The user is left out so that rows find their way after the account was changed.
    """
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database}"
    # libpq takes the host from the options too, to reach a Unix socket.
    host = url.host or url.query.get("host") or "localhost"
    port = url.port or url.query.get("port") or 5432
    return f"postgresql://{host}:{port}/{url.database}"


def file_of(url: URL) -> Path | None:
    """The file that a database is; None where it is on a server."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def _sqlite(path: str) -> URL:
    if "\0" in path:
        raise SettingError("ledger", f"{path!r} cannot be the name of a file", _SHAPES)
    try:
        return URL.create("sqlite", database=str(Path(path).expanduser().absolute()))
    except RuntimeError as exc:
        user = path.partition("/")[0]
        raise SettingError("ledger", f"{path}: {user} is the home of nobody here", _SHAPES) from exc
