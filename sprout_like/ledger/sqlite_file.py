"""What every SQLite file of ours needs, whether SQLAlchemy or `sqlite3` opens it."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import Final

__all__ = ["FileId", "file_id", "set_up"]

FileId = tuple[int, int]

_WAL_WAIT_S: Final = 10.0


def file_id(path: str | os.PathLike[str]) -> FileId | None:
    """Device and inode of the file a path leads to; None where there is none.

    Asked before every write, for SQLite would go on writing into a file that was deleted, and lose every row.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - half the time of Path.stat
    except OSError:
        return None
    return found.st_dev, found.st_ino


def set_up(connection: sqlite3.Connection) -> None:
    """Readers and one writer side by side (WAL); commits that survive the death of the process.

    With `synchronous=NORMAL` a commit reaches the kernel and is not forced to the disk: `kill -9` loses nothing, while
    a power cut can take the last commits, never the file's consistency
    (https://www.sqlite.org/pragma.html#pragma_synchronous).
    """
    # The busy timeout does not cover the switch to WAL, which fails at once where several processes open a new file.
    deadline = time.monotonic() + _WAL_WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous=NORMAL")
