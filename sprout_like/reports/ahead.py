"""What works a report out and writes it is imported while the database adds up: neither needs the other's core."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import Final

from sprout_like.reports.formats.written import Format

__all__ = ["import_ahead"]

_OF_ALL: Final = ("scipy.special",)
_LATER: Final[Mapping[Format, tuple[str, ...]]] = {
    "html": ("matplotlib.figure", "matplotlib.backends.backend_svg", "jinja2"),
    "parquet": ("pyarrow.parquet",),
}


def import_ahead(output: Format) -> None:
    """Begin to import what a report in that format needs later; returns at once.

    What is not installed is told by whoever needs it.
    """
    Thread(target=_import, args=(*_OF_ALL, *_LATER.get(output, ())), name="import-ahead").start()


def _import(*names: str) -> None:
    for name in names:
        with suppress(ImportError):
            import_module(name)
