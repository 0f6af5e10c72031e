"""The rows on their way to the database, and the file that they wait in; nothing is made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sprout_like.doctor.finding import Finding
from sprout_like.errors import SpoolUnusable
from sprout_like.ledger.spool import Spool

__all__ = ["can_be_made", "look_at_spool", "look_at_waiting"]

_ELSEWHERE = "Set SPROUT_SPOOL to a file in a local folder that you may write to"


def look_at_spool(spool: Spool) -> Iterator[Finding]:
    """The spool of a machine that serves requests."""
    if spool.path.exists() or can_be_made(spool.path):
        yield from look_at_waiting(spool)
    else:
        yield Finding("spool", "fail", f"{spool.path}: cannot be made there", _ELSEWHERE)


def look_at_waiting(spool: Spool) -> Iterator[Finding]:
    """The rows that wait; none where there is no file."""
    try:
        waiting, refused = (spool.pending(), spool.refused()) if spool.path.exists() else (0, 0)
    except SpoolUnusable as exc:
        yield Finding("spool", "fail", f"it cannot be read: {exc}", _ELSEWHERE)
        return
    if waiting:
        yield Finding("spool", "warn", f"{waiting:,} rows wait for the database", "sprout-like ledger flush")
    if refused:
        problem = f"{refused:,} rows that the database will never take are set aside"
        yield Finding("spool", "warn", problem, f"Look at table `refused` of {spool.path}, which says why")
    if not waiting and not refused:
        yield Finding("spool", "ok", "nothing waits on this machine")


def can_be_made(file: Path) -> bool:
    """Whether this user may make the file, and the folders above it that are missing."""
    nearest = next(folder for folder in file.parents if folder.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
