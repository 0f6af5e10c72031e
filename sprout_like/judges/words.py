"""Texts for comparison: what makes no difference is gone, what tells numbers and names apart stays."""

from __future__ import annotations

import re
import string
from typing import Final
from unicodedata import normalize

__all__ = ["bare", "plain", "words"]

_ARTICLES: Final = re.compile(r"\b(?:a|an|the)\b")
_DASHES: Final = str.maketrans("−–", "--")
_THOUSANDS: Final = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_PERCENT: Final = re.compile(r"(?<=\d)\s*\\?%")

# A point, comma, stroke or colon between digits, a sign before and a percent sign after one, and the end of C++ and C#.
_KEPT: Final = r"(?<=\d)[.,/:](?=\d)|(?<!\w)[+\-](?=\.?\d)|(?<![\w.])\.(?=\d)|(?<=\d)%|(?<=\w)[+#]+(?!\w)"
_SQUAD: Final = re.escape(string.punctuation + "“”‘’…—¿¡«»")
_PUNCTUATION: Final = re.compile(rf"({_KEPT})|((?<=\d)[{_SQUAD}](?=\d))|[{_SQUAD}]")
_NO_WORD: Final = re.compile(rf"({_KEPT})|[^\w\s]|_")

# Letters of scripts that put no spaces between words.
_UNSPACED: Final = re.compile(r"([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff])")


def bare(text: str) -> str:
    """Without case, articles and punctuation, but for a sign, a point or a `%` at a digit, and a last `+` or `#`."""
    return " ".join(_ARTICLES.sub(" ", plain(text)).split())


def plain(text: str) -> str:
    """The same with articles."""
    kept = _PUNCTUATION.sub(lambda found: found[1] or (" " if found[2] else ""), _even(text))
    return " ".join(kept.split())


def words(text: str) -> list[str]:
    """Words and numbers in any case; of scripts that put no spaces between words, letters."""
    return _UNSPACED.sub(r" \1 ", _NO_WORD.sub(lambda found: found[1] or " ", _even(text))).split()


def _even(text: str) -> str:
    """With one way to write a dash, a percentage, a thousand and an accent."""
    text = normalize("NFC", text.casefold()).translate(_DASHES)
    return _PERCENT.sub("%", _THOUSANDS.sub(lambda found: found[0].replace(",", ""), text))
