"""Markdown with tables as GitHub has them. Whatever is a text of others stays text: no link, no HTML, no new cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from sprout_like.printable import printable
from sprout_like.reports.document.blocks import Block, Grid, Heading, Note, Words

__all__ = ["as_markdown"]

# What means something anywhere in a line, and what makes a bare address into a link (GitHub's extended autolinks).
# Any of ASCII's punctuation may be escaped (CommonMark 0.31, section 2.4).
_MEANING: Final = re.compile(r"([\\`*_{}\[\]<>()#!|&~@^$]|(?<=[a-z]):|(?<=www)\.)", re.IGNORECASE)

_AT_THE_START: Final = re.compile(r"^([-+=]|\d+(?=\.))")


def as_markdown(document: Iterable[Block]) -> str:
    """The whole document."""
    return "\n".join(line for block in document for line in _lines(block)).strip("\n") + "\n"


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading(text=text, level=level):
            yield f"{'#' * level} {_escaped(text)}"
        case Words(text=text) | Note(text=text):
            yield _AT_THE_START.sub(_kept, _escaped(text))
        case Grid():
            yield from _table(block)
    yield ""


def _table(block: Grid) -> Iterator[str]:
    if block.title:
        yield f"*{_escaped(block.title)}*"
        yield ""
    yield _row(_escaped(column.name) for column in block.columns)
    yield _row("---:" if column.figures else "---" for column in block.columns)
    for row in block.rows:
        yield _row(map(_escaped, row))
    if block.total:
        yield _row(f"**{cell}**" if cell else "" for cell in map(_escaped, block.total))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _kept(start: re.Match[str]) -> str:
    """What would begin a list or an underline; a number's point is escaped, as digits cannot be."""
    return f"{start[0]}\\" if start[0].isdigit() else f"\\{start[0]}"


def _escaped(text: str) -> str:
    return _MEANING.sub(r"\\\1", " ".join(printable(text).split()))
