"""What went wrong with a database, in our words. The only place that maps the errors of SQLAlchemy and the drivers."""

from __future__ import annotations

import errno
import re
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from sprout_like.errors import LedgerUnreachable, RowRefused, SettingError
from sprout_like.ledger.address import public_name

__all__ = ["DRIVER_ERRORS", "as_startup_error", "as_write_error", "first_line"]

DRIVER_ERRORS: Final = (SQLAlchemyError, OSError, ValueError, TypeError, OverflowError)
"""What a write can raise. The last three are the drivers' for values they cannot bind, passed on bare by SQLAlchemy."""

_ROW_ERRORS: Final = (DataError, IntegrityError, ValueError, TypeError, OverflowError)

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EIO}

# PostgreSQL sends no error code while a connection is being set up, hence the words; what none of these matches is
# taken as an outage, so that a server that speaks another language costs a clear message and no row.
_SERVER_SETTINGS: Final = tuple(
    (re.compile(pattern), problem, fix)
    for pattern, problem, fix in (
        (
            r"authentication failed|no password supplied|no pg_hba\.conf entry|role \".*\" does not exist",
            "the server refuses this user or password",
            "Correct USER:PASSWORD in the URL, or let the user in (pg_hba.conf)",
        ),
        (r"database \".*\" does not exist", "there is no such database", "Create it (createdb) or correct its name"),
        (
            r"(resolve|translate) host(?!.*Temporary failure)",
            "there is no such host",
            "Correct the host name in the URL",
        ),
        (r"invalid connection option", "the URL has an unknown option", "Remove what follows the ? in the URL"),
        (
            r"permission denied for",
            "the user may not create or write the tables",
            "Grant CREATE ON SCHEMA public, or SELECT, INSERT, UPDATE ON ALL TABLES where another user makes them",
        ),
    )
)


def first_line(error: BaseException) -> str:
    """The driver's own message, without the statement and its values, which are added below it."""
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    return str(cause).strip().split("\n", 1)[0] or type(cause).__name__


def as_write_error(error: Exception, url: URL) -> LedgerUnreachable | RowRefused:
    """Whether a failed write is the row's fault, which no retry will change, or the database's."""
    never_sent = isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    if never_sent or isinstance(error, _ROW_ERRORS):
        return RowRefused(first_line(error))
    return LedgerUnreachable(f"{public_name(url)}: {first_line(error)}")


def as_startup_error(error: Exception, url: URL) -> LedgerUnreachable | SettingError:
    """Whether a first contact failed for something the user must change, or for something that may pass."""
    is_file = url.get_backend_name() == "sqlite"
    setting = _sqlite_setting(error, url) if is_file else _server_setting(error, url)
    fix = "" if is_file else ". Start the server, or correct its address"
    return setting or LedgerUnreachable(f"{public_name(url)}: {first_line(error)}{fix}")


def _sqlite_setting(error: Exception, url: URL) -> SettingError | None:
    path = Path(str(url.database))
    elsewhere = "Name a file in a folder that this user may write to"
    if isinstance(error, OSError):
        return (
            None if error.errno in _FULL else SettingError("ledger", f"cannot create {path.parent}: {error}", elsewhere)
        )
    if path.is_dir():
        return SettingError("ledger", f"{path} is a folder", "Name a file in it")
    cause = error.orig if isinstance(error, DBAPIError) else None
    # The low byte; the others say in which call it happened (https://www.sqlite.org/rescode.html).
    code = cause.sqlite_errorcode & 0xFF if isinstance(cause, sqlite3.Error) else None
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return SettingError(
            "ledger", f"{path} is not a SQLite database, or damaged", "Move it away or name another file"
        )
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return SettingError("ledger", f"{path} cannot be written ({first_line(error)})", elsewhere)
    return None


def _server_setting(error: Exception, url: URL) -> SettingError | None:
    message = first_line(error)
    for pattern, problem, fix in _SERVER_SETTINGS:
        if isinstance(error, DBAPIError) and pattern.search(message):
            return SettingError("ledger", f"{public_name(url)}: {problem} ({message})", fix)
    return None
