"""What is worked out once of a tokenizer, and again when the tokenizer has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from sprout_like.engines.locks import lock_of

__all__ = ["Learnt"]

T = TypeVar("T")


class Learnt(Generic[T]):
    """Remembers the latest result by tokenizer, for as long as its template and its tokens stay as they are.

    Args:
        learn: works it out, under the tokenizer's lock; the result must not hold the tokenizer, which it would keep
            from being freed.
    """

    def __init__(self, learn: Callable[[Any], T]) -> None:
        self._learn = learn
        self._latest: WeakKeyDictionary[Any, tuple[object, T]] = WeakKeyDictionary()

    def of(self, tokenizer: Any) -> T:
        """The result for the tokenizer as it is now."""
        with lock_of(tokenizer):
            state = _state(tokenizer)
            known = self._latest.get(tokenizer)
            if known is not None and known[0] == state:
                return known[1]
            result = self._learn(tokenizer)
            self._latest[tokenizer] = state, result
            return result


def _state(tokenizer: Any) -> object:
    """What can be told of template and tokens in microseconds: a vocabulary only grows."""
    template = getattr(tokenizer, "chat_template", None)
    return str(template), len(tokenizer), tuple(tokenizer.all_special_ids)  # several templates are a dict
