"""Commands that print what the log would warn of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet_grid_log"]


@contextmanager
def quiet_grid_log() -> Iterator[None]:
    """Without the warnings of `grid`; who calls a command inside a program of theirs has their log back after it."""
    import logging

    log = logging.getLogger("grid")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
