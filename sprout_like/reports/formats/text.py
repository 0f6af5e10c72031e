"""For a terminal, or a file that is read like one. No text of others can tell a terminal what to do."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sprout_like.printable import printable
from sprout_like.reports.document.blocks import Block, Grid, Heading, Note, Words
from sprout_like.reports.whole import Whole

__all__ = ["as_renderable", "as_text"]

FILE_WIDTH: Final = 120
"""Columns of a file, whatever the terminal is."""


def as_renderable(document: Iterable[Block]) -> RenderableType:
    """For a console of any width; no figure is ever cut."""
    return Group(*(part for block in document for part in _parts(block)))


def as_text(document: Iterable[Block]) -> str:
    """The same as a plain file."""
    stream = io.StringIO()
    Console(file=stream, width=FILE_WIDTH, emoji=False, color_system=None).print(
        as_renderable(document), highlight=False
    )
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def _parts(block: Block) -> Iterator[RenderableType]:
    match block:
        case Heading(text=text, level=1):
            yield Text(_line(text), style="bold")
        case Heading(text=text):
            yield Text(f"\n{_line(text)}", style="bold")
        case Words(text=text):
            yield Text(_line(text))
        case Note(text=text):
            yield Text(_line(text), style="dim")
        case Grid():
            if block.title:
                yield Text(_line(block.title), style="italic")
            yield Whole(_table(block))


def _table(block: Grid) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in block.columns:
        if column.figures:
            table.add_column(_line(column.name), justify="right", no_wrap=True)
        else:
            table.add_column(_line(column.name), overflow="fold")
    for row in block.rows:
        table.add_row(*(Text(_line(cell)) for cell in row))
    if block.total:
        table.add_section()
        table.add_row(*(Text(_line(cell)) for cell in block.total), style="bold")
    return table


def _line(text: str) -> str:
    """On one line, without control characters."""
    return printable(text).replace("\n", " ").replace("\t", " ")
