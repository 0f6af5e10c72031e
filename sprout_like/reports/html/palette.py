"""The colours of page and plots, each by what it is for, in light and in dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["FLOOR", "GRID", "INK", "MUTED", "PAPER", "REST", "ROLES", "SERIES", "Colour", "variables"]


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour.

    Attributes:
        name: of the CSS variable that a page draws it by.
        light, dark: its value in either; the light one also stands for it inside matplotlib, hence no two are alike.
    """

    name: str
    light: str
    dark: str


INK: Final = Colour("ink", "#17202a", "#e8edf2")
MUTED: Final = Colour("muted", "#55616e", "#a3afbb")
GRID: Final = Colour("grid", "#dde3e9", "#323c47")
PAPER: Final = Colour("paper", "#ffffff", "#161b21")
REST: Final = Colour("rest", "#8c98a4", "#7b8794")
FLOOR: Final = Colour("floor", "#b03a00", "#ff8f5c")

SERIES: Final = (
    Colour("blue", "#0072b2", "#4ba3e3"),
    Colour("orange", "#e69f00", "#f0b429"),
    Colour("green", "#009e73", "#2bc79b"),
    Colour("purple", "#cc79a7", "#e29ac2"),
    Colour("sky", "#56b4e9", "#9ad7fb"),
    Colour("vermillion", "#d55e00", "#ff8a3d"),
)
"""The palette of Okabe and Ito (Color Universal Design, 2008), less its yellow, which is too pale on white. In dark a
little lighter, so that each keeps a contrast of 3 : 1 with the paper (WCAG 2.2, 1.4.11)."""

ROLES: Final = (INK, MUTED, GRID, PAPER, REST, FLOOR, *SERIES)


def variables(*, dark: bool) -> str:
    """The colours as declarations of CSS variables."""
    return ";".join(f"--{role.name}:{role.dark if dark else role.light}" for role in ROLES)
