"""What a document is made of. Texts are as they are: escaping is the business of who writes them down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Block", "Column", "Grid", "Heading", "Note", "Words", "grid"]


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of what follows. `level` 1 is the document's own."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph that explains, and need not stand out."""

    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading; figures are aligned to the right and never cut."""

    name: str
    figures: bool = True


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. `total` is a last row that stands out; empty for none."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = ()


Block = Heading | Words | Note | Grid


def grid(
    title: str, texts: Iterable[str], figures: Iterable[str], rows: Iterable[Iterable[str]], total: Iterable[str] = ()
) -> Grid:
    """A table whose columns of texts come first."""
    columns = (*(Column(name, figures=False) for name in texts), *(Column(name) for name in figures))
    return Grid(title, columns, tuple(map(tuple, rows)), tuple(total))
