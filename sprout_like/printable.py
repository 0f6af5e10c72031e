"""Texts of others on a terminal, which must not be told what to do by them."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["label", "printable"]

_LONGEST_LABEL: Final = 40

# C0, DEL and C1 (ECMA-48): with them a text could move the cursor, change colours or what a window is called.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """The text with U+FFFD for each control character but newline and tab."""
    return _CONTROL.sub("\ufffd", text)


def label(text: str) -> str:
    """A tag for a table: on one line, of 40 characters at most."""
    line = " ".join(printable(text[: 2 * _LONGEST_LABEL]).split())
    return line if len(line) <= _LONGEST_LABEL else f"{line[: _LONGEST_LABEL - 1]}…"
