"""Whether the tokens of one tokenizer mean the same to another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sprout_like.engines.locks import lock_of

__all__ = ["difference"]


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What token ids stand for; which roles (end, padding) some of them play is a generation setting.

    Attributes:
        tokens: digest of the vocabulary: comparing two of them at every call would take tens of milliseconds.
        special: ids that are no text.
    """

    tokens: bytes
    special: frozenset[int]


_MEANINGS: WeakKeyDictionary[Any, _Meaning] = WeakKeyDictionary()


def difference(one: Any, other: Any) -> str | None:
    """Why ids of one tokenizer cannot be given to a model of the other; None where they can.

    Args:
        one: a tokenizer, or None where there is none.
        other: the same.
    """
    if one is other:
        return None
    if one is None or other is None:
        return "without a tokenizer it cannot be told what its tokens mean"
    mine, its = _meaning(one), _meaning(other)
    if mine.tokens != its.tokens:
        return "its vocabulary differs"
    return "its special tokens differ" if mine.special != its.special else None


def _meaning(tokenizer: Any) -> _Meaning:
    with lock_of(tokenizer):
        if tokenizer not in _MEANINGS:
            vocabulary = repr(sorted(tokenizer.get_vocab().items())).encode()
            digest = hashlib.sha256(vocabulary).digest()
            _MEANINGS[tokenizer] = _Meaning(digest, frozenset(tokenizer.all_special_ids))
        return _MEANINGS[tokenizer]
