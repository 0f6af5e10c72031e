"""Texts of others as values of labels: no more of them, and none longer, than a time series database bears."""

from __future__ import annotations

from typing import Final

from sprout_like.printable import printable

__all__ = ["LONGEST", "MOST_VALUES", "OTHER", "Capped"]

MOST_VALUES: Final = 50
"""Values that one label takes in a process; later ones are `other`."""

LONGEST: Final = 100
"""Characters of a value; the rest is cut off."""

OTHER: Final = "other"


class Capped:
    """One label's values.

    Args:
        most_values: after as many, new ones become `other`.
    """

    def __init__(self, most_values: int = MOST_VALUES) -> None:
        self._most_values = most_values
        self._known: dict[str, str] = {}
        self._others = 0

    @property
    def others(self) -> int:
        """How often a value became `other`."""
        return self._others

    def __call__(self, value: str | None) -> str:
        """The value as a label; the empty text, which is no label, for None."""
        if value is None:
            return ""
        known = self._known.get(value[: LONGEST + 1])
        if known is not None:
            return known
        if len(self._known) >= self._most_values:
            self._others += 1
            return OTHER
        # Half a surrogate pair has no UTF-8: one such value would make every later scrape fail.
        text = printable(value[:LONGEST]).encode("utf-8", "replace").decode()
        shown = text if len(value) <= LONGEST else f"{text[:-1]}…"
        self._known[value[: LONGEST + 1]] = shown
        return shown
