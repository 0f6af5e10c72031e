"""What the page shows, ready to be written: texts and drawings, no figures and no units to choose any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sprout_like.reports.figures import UNKNOWN_MARK

__all__ = ["Card", "Cell", "Column", "Key", "Part", "Picture", "Section", "Table", "TableBuilder"]


_SHORT: Final = 16
_LONG_WORD: Final = 24


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        text: what it says.
        note: number of the reason why it is a dash, in `Table.reasons`; None where it is none.
    """

    text: str
    note: int | None = None

    @property
    def breaks(self) -> str:
        """Where its line may be broken: `never` in what is short, `anywhere` in a word that would not fit otherwise."""
        if len(self.text) <= _SHORT:
            return "never"
        return "anywhere" if max(map(len, self.text.split()), default=0) > _LONG_WORD else "words"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        heading: what it holds, with its unit. figures: whether these are figures, to be set flush right.
        sentences: whether these are our own sentences, in which commands stand between backquotes.
    """

    heading: str
    figures: bool = True
    sentences: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table.

    Attributes:
        caption: what it holds. columns, rows: its cells; the first column names the row.
        reasons: why cells are a dash, from 1.
        left_out: how many more rows there are, which the page does not hold.
        folded: whether it opens only when asked to, as what is seldom read and long.
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    reasons: Sequence[str] = ()
    left_out: int = 0
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of a plot's legend.

    Attributes:
        text: what it stands for. style: classes of its sign: colour and hatch or dash. mark: the sign, where it is
            a character.
    """

    text: str
    style: str
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A plot.

    Attributes:
        svg: markup made by `svg.inline`. title: what it shows. reading: how to read it. keys: its legend.
        tables: the figures behind it.
    """

    svg: str
    title: str
    reading: str
    keys: Sequence[Key] = ()
    tables: Sequence[Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A headline figure.

    Attributes:
        title: what it is. figure: the figure; a dash where unknown. unit: its unit. interval: in which it should lie.
        note: of what it is, or why it is unknown.
    """

    title: str
    figure: str
    unit: str = ""
    interval: str = ""
    note: str = ""


Part = Picture | Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the page.

    Attributes:
        name: its anchor. title: its heading. lead: sentences before its parts. cards: headline figures.
        parts: plots and tables. notes: sentences after them.
    """

    name: str
    title: str
    lead: Sequence[str] = ()
    cards: Sequence[Card] = ()
    parts: Sequence[Part] = ()
    notes: Sequence[str] = ()


@dataclass(slots=True)
class TableBuilder:
    """Collects the rows of a table, and the reasons why cells of it are unknown.

    Attributes:
        caption, columns: as in `Table`.
        longest: rows that the page holds at most.
    """

    caption: str
    columns: Sequence[Column]
    longest: int = 500
    _rows: list[list[Cell]] = field(default_factory=list)
    _reasons: list[str] = field(default_factory=list)

    def add(self, *cells: str | tuple[str, str]) -> None:
        """A row; a pair is a text and the reason why it is a dash, should it be one."""
        self._rows.append([self._cell(cell) for cell in cells])

    def table(self) -> Table:
        """What was collected."""
        shown = self._rows[: self.longest]
        left_out = len(self._rows) - len(shown)
        return Table(
            caption=self.caption, columns=self.columns, rows=shown, reasons=tuple(self._reasons), left_out=left_out
        )

    def _cell(self, cell: str | tuple[str, str]) -> Cell:
        if isinstance(cell, str):
            return Cell(cell)
        text, reason = cell
        if text != UNKNOWN_MARK:
            return Cell(text)
        if reason not in self._reasons:
            self._reasons.append(reason)
        return Cell(text, self._reasons.index(reason) + 1)
