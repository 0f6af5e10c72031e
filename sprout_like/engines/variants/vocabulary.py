"""Whether the tokens of one tokenizer mean the same to another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sprout_like.engines.learnt import Learnt

__all__ = ["difference", "same_tokens"]


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What token ids stand for; which roles (end, padding) some of them play is a generation setting.

    Attributes:
        tokens: digest of the vocabulary: comparing two of them at every call would take tens of milliseconds.
        special: ids that are no text.
    """

    tokens: bytes
    special: frozenset[int]


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
    mine, its = _MEANINGS.of(one), _MEANINGS.of(other)
    if mine.tokens != its.tokens:
        return "its vocabulary differs"
    return "its special tokens differ" if mine.special != its.special else None


def same_tokens(one: Any, other: Any) -> bool:
    """Whether two tokenizers have the same tokens; two that are not given are of copies of one model.

    Args:
        one: a tokenizer; None where the other is None too.
        other: the same.
    """
    return one is other or _MEANINGS.of(one).tokens == _MEANINGS.of(other).tokens


def _meaning(tokenizer: Any) -> _Meaning:
    vocabulary = repr(sorted(tokenizer.get_vocab().items())).encode()
    return _Meaning(hashlib.sha256(vocabulary).digest(), frozenset(tokenizer.all_special_ids))


_MEANINGS = Learnt(_meaning)
