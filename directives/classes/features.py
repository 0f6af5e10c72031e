"""What a classifier sees of a text: the words, pairs of words and marks it has, and its shape.

Words are hashed (Weinberger et al. 2009, "Feature hashing for large scale multitask learning"): a model then holds no
vocabulary, and a text of any language costs the same few columns.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from zlib import crc32

__all__ = ["FEATURES_VERSION", "HEAD_CHARS", "SHAPES", "TAIL_CHARS", "Features", "features_of", "glimpse"]

FEATURES_VERSION: Final = 1
"""Changes whenever a text could get other columns: weights fit one version alone."""

HEAD_CHARS: Final = 512
"""Characters looked at from the beginning of a text, which bounds the time that any text takes."""

TAIL_CHARS: Final = 192
"""Characters looked at from the end of a longer text, where the question often stands."""

# Of a text of single characters these would still be many words.
_HEAD_TOKENS: Final = 192
_TAIL_TOKENS: Final = 64

_LENGTHS: Final = 11
_MARKS: Final = 7
SHAPES: Final = _LENGTHS + _MARKS
"""Columns of the shape; those of words come after them."""

# Numbers, letters of scripts that put no spaces between words, words, and everything else that shows.
_TOKEN: Final = re.compile(r"\d+|[\u3040-\u30ff\u3400-\u9fff]|[^\W\d\u3040-\u30ff\u3400-\u9fff]+|[^\w\s]|\n")


class Features(NamedTuple):
    """Columns in which a text is not 0.

    Attributes:
        shapes: columns below `SHAPES`.
        words: columns from there on, each once, in no particular order; empty where the text has no word and no mark.
    """

    shapes: list[int]
    words: list[int]


def glimpse(text: str) -> str:
    """The part of a text that is looked at: all of a short one, the beginning and the end of a long one.

    A glimpse of a glimpse is the same.
    """
    if len(text) <= HEAD_CHARS + 1 + TAIL_CHARS:
        return text
    return f"{text[:HEAD_CHARS]} {text[-TAIL_CHARS:]}"


def features_of(text: str, columns: int) -> Features:
    """The columns of a text.

    Args:
        text: any text, also an empty one.
        columns: columns there are, `SHAPES` included.
    """
    seen = glimpse(text)
    lower = seen.lower()
    # What a number is says little, how long it is says something.
    tokens = [f"{len(token)}#" if token[0].isdigit() else token for token in _TOKEN.findall(lower)]
    if len(tokens) > _HEAD_TOKENS + _TAIL_TOKENS:
        tokens = tokens[:_HEAD_TOKENS] + tokens[-_TAIL_TOKENS:]
    marks = (
        seen != lower,
        seen[:1] != lower[:1],
        seen.endswith("?"),
        seen.endswith("."),
        "\n" in seen,
        seen.isascii(),
        any(token[0].isdigit() for token in tokens),
    )
    length = min(len(tokens).bit_length(), _LENGTHS - 1)
    room, words, before = columns - SHAPES, set[int](), b"^"
    for token in tokens:
        # Half of a surrogate pair, which a cut or a byte-level tokenizer leaves behind, is no UTF-8.
        word = token.encode("utf-8", "surrogatepass")
        words.add(crc32(word) % room)
        words.add(crc32(before + b" " + word) % room)
        before = word
    return Features(
        [length, *(_LENGTHS + place for place, has in enumerate(marks) if has)], [SHAPES + word for word in words]
    )
