"""Texts of others on a terminal or a page, neither of which must be told what to do by them."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["label", "printable"]

_LONGEST_LABEL: Final = 40

_STEERING: Final = re.compile(
    "["
    # C0, DEL and C1 (ECMA-48): with them a text could move the cursor, change colours or what a window is called.
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"
    # Where a line ends for some readers and not for others.
    r"\u2028\u2029"
    # Bidi_Control (Unicode Standard Annex 9): what stands after a name would be read in another order.
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    # Nobody sees these, and two names that differ in them look alike: soft hyphen, Mongolian vowel separator, zero
    # width space, word joiner and invisible operators, deprecated formats, byte order mark, annotations, tags.
    # Not the two joiners, without which Persian, Hindi and many emoji are written wrong.
    r"\u00ad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    "]"
)


def printable(text: str) -> str:
    """The text with U+FFFD for each character that steers what shows it or that nobody sees; newline and tab stay."""
    return _STEERING.sub("\ufffd", text)


def label(text: str) -> str:
    """A tag for a table: on one line, of 40 characters at most."""
    line = " ".join(printable(text[: 2 * _LONGEST_LABEL]).split())
    return line if len(line) <= _LONGEST_LABEL else f"{line[: _LONGEST_LABEL - 1]}…"
