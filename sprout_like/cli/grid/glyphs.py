"""The characters of a plot, for terminals with block characters and for those without."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

__all__ = ["ASCII", "BLOCKS", "Glyphs"]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What a plot is drawn with.

    Attributes:
        levels: a cell filled from not at all to wholly.
        below: between an interval's low end and the value. above: between the value and the high end.
        vertical, corner, line, tick: of the axes. mark: under a column that is pointed out.
    """

    levels: str
    below: str
    above: str
    vertical: str
    corner: str
    line: str
    tick: str
    mark: str

    def filled(self, share: float, *, least: int = 0) -> str:
        """A cell filled to that share, from the foot up; the least bit shows.

        Args:
            share: below 0 is none of it, above 1 is all.
            least: the lowest level to use.
        """
        top = len(self.levels) - 1
        return self.levels[min(top, max(least, math.ceil(share * top)))]


BLOCKS: Final = Glyphs(levels=" ▁▂▃▄▅▆▇█", below="▓", above="░", vertical="│", corner="└", line="─", tick="┴", mark="▲")
ASCII: Final = Glyphs(levels=" .:#", below="=", above="-", vertical="|", corner="+", line="-", tick="+", mark="^")
