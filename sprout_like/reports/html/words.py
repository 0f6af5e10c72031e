"""Words that several sections share."""

from __future__ import annotations

from typing import Final

from sprout_like.reports.figures import UNKNOWN_MARK
from sprout_like.reports.html.palette import REST, SERIES, Colour
from sprout_like.reports.html.view import Key

__all__ = [
    "DASHES",
    "MARKERS",
    "NO_CARBON",
    "NO_ENERGY",
    "basis",
    "count",
    "distinct",
    "named",
    "purpose",
    "short",
    "sign",
]

_PURPOSES: Final = {
    "request": "requests",
    "job": "items of jobs",
    "baseline": "baselines (run to compare with)",
    "evaluation": "evaluations (run to judge)",
    "calibration": "calibrations (run to measure directives)",
}

NO_ENERGY: Final = "no request here has a metered or estimated energy"
NO_CARBON: Final = "emissions need both energy and intensity, and no request here knows both"

DASHES: Final = ("-", (0, (5, 2)), (0, (1.5, 1.5)))
MARKERS: Final = ("o", "s", "^", "D", "v", "P")
_SIGNS: Final = dict(zip(MARKERS, ("●", "■", "▲", "◆", "▼", "✚"), strict=True))

_HATCHES: Final = (None, "///", None, "\\\\\\", "...", "xxx", None)
_CLASSES: Final = {None: "solid", "///": "rising", "\\\\\\": "falling", "...": "dotted", "xxx": "crossed"}
_TONES: Final = (REST, *SERIES)


def purpose(name: str) -> str:
    """What requests of that purpose are called."""
    return _PURPOSES.get(name, name)


def basis(kind: str | None, factors: str | None) -> str:
    """What grams are grams of: those of different bases are never added up."""
    return "intensity unknown" if kind is None else f"{kind} intensity, {factors or 'unknown'} factors"


def short(kind: str | None, factors: str | None) -> str:
    """The same for a cell, under a heading that says what it is."""
    return "unknown" if kind is None else f"{kind}, {factors or 'unknown'}"


def count(number: int | None) -> str:
    """With thousands marked."""
    return UNKNOWN_MARK if number is None else f"{number:,}"


def named(name: str | None) -> str:
    """A name, or the dash of none."""
    return UNKNOWN_MARK if name is None else name


def distinct(place: int) -> tuple[Colour, str | None]:
    """Colour and hatch of the area at that place; neither is its only sign."""
    return _TONES[place % len(_TONES)], _HATCHES[place % len(_HATCHES)]


def sign(text: str, colour: Colour, *, hatch: str | None = None, dash: int | None = None, marker: str = "") -> Key:
    """A legend's entry: of an area, of a line with that one of `DASHES`, or of a marker."""
    if marker:
        return Key(text, f"mark {colour.name}", _SIGNS.get(marker, marker))
    shape = f"area {_CLASSES[hatch]}" if dash is None else f"line dash{dash}"
    return Key(text, f"{shape} {colour.name}")
