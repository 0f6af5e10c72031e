"""Beginnings of prompts, computed once: their keys and values, for a later prompt that begins the same."""

from __future__ import annotations

import copy
import itertools
import threading
from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, Final
from weakref import WeakKeyDictionary

import torch
from transformers import DynamicCache

__all__ = ["Prefix", "PrefixCache", "prefilled"]

_RECENT: Final = 8


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of a prompt. Neither its repr nor any message shows its tokens.

    Attributes:
        ids: its tokens. cache: their keys and values, never handed out itself.
    """

    ids: tuple[int, ...] = field(repr=False)
    cache: Any = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """Memory of the keys and values, in bytes."""
        return sum(layer.keys.nbytes + layer.values.nbytes for layer in self.cache.layers)

    def going_on(self) -> Any:
        """A cache that goes on from here: it shares the kept tensors, and grows by making new ones."""
        cache = copy.copy(self.cache)
        # `DynamicLayer` never writes into its tensors: `update` concatenates, `crop` makes views.
        cache.layers = [copy.copy(layer) for layer in self.cache.layers]
        return cache


@dataclass(slots=True)
class _Kept:
    """The prefixes of one model in one state; `used` by when they were last asked for. Its repr shows no token."""

    state: object
    prefixes: dict[tuple[Hashable, tuple[int, ...]], Prefix] = field(default_factory=dict, repr=False)
    used: dict[tuple[Hashable, tuple[int, ...]], int] = field(default_factory=dict, repr=False)


class PrefixCache:
    """Keeps prefixes, and the last few prompts to see what they share; prompts stay in memory as tokens.

    Thread-safe. A model's prefixes go when its weights change and when it does.

    Args:
        most_bytes: most bytes of keys and values, on the models' devices.
    """

    def __init__(self, *, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._of_model: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()
        self._recent: deque[tuple[int, ...]] = deque(maxlen=_RECENT)
        self._times = itertools.count()
        self._lock = threading.Lock()

    def find(self, model: Any, state: object, view: Hashable, ids: Sequence[int]) -> Prefix | None:
        """The longest kept prefix that is a proper beginning of a prompt; None where there is none.

        Args:
            model: whose weights computed it.
            state: the state of these, from `Weights`.
            view: which of its layers run.
            ids: the prompt.
        """
        with self._lock:
            kept = self._of(model, state)
            best: Prefix | None = None
            for (of_view, prefix_ids), prefix in kept.prefixes.items():
                length = len(prefix_ids)
                longer = best is None or length > len(best.ids)
                if of_view == view and longer and length < len(ids) and tuple(ids[:length]) == prefix_ids:
                    best = prefix
            if best is not None:
                kept.used[view, best.ids] = next(self._times)
            return best

    def put(self, model: Any, state: object, view: Hashable, prefix: Prefix) -> None:
        """Keep a prefix, and let go of the longest unused; one that is larger than the room is not kept."""
        if prefix.size_bytes > self._most_bytes:
            return
        with self._lock:
            kept = self._of(model, state)
            kept.prefixes[view, prefix.ids] = prefix
            kept.used[view, prefix.ids] = next(self._times)
            while self._bytes() > self._most_bytes:
                _, key, oldest = min(
                    ((used, key, each) for each in self._of_model.values() for key, used in each.used.items()),
                    key=lambda found: found[0],
                )
                del oldest.prefixes[key], oldest.used[key]

    def shared_with_recent(self, ids: Sequence[int]) -> int:
        """How many tokens this prompt and one of the last few begin with alike; the prompt is then one of them."""
        prompt = tuple(ids)
        with self._lock:
            shared = max((_common(prompt, earlier) for earlier in self._recent), default=0)
            if prompt not in self._recent:
                self._recent.append(prompt)
        return shared

    def clear(self) -> None:
        """Let go of all prefixes, and forget the last few prompts."""
        with self._lock:
            self._of_model.clear()
            self._recent.clear()

    def _of(self, model: Any, state: object) -> _Kept:
        kept = self._of_model.get(model)
        if kept is None or kept.state is not state:
            kept = self._of_model[model] = _Kept(state)
        return kept

    def _bytes(self) -> int:
        return sum(prefix.size_bytes for kept in self._of_model.values() for prefix in kept.prefixes.values())


def prefilled(runner: Any, ids: Sequence[int]) -> Prefix:
    """Compute a prefix alone, with the model, or the view of it, that is to go on from it.

    Raises:
        Exception: whatever the model raises.
    """
    cache = DynamicCache(config=runner.config.get_text_config(decoder=True))
    tokens = torch.tensor([list(ids)], device=runner.device)
    # Scores are made for the last position alone: nobody looks at them.
    last = {"logits_to_keep": 1} if "logits_to_keep" in signature(runner.forward).parameters else {}
    with torch.no_grad():
        runner(input_ids=tokens, attention_mask=torch.ones_like(tokens), past_key_values=cache, use_cache=True, **last)
    return Prefix(tuple(ids), cache)


def _common(left: tuple[int, ...], right: tuple[int, ...]) -> int:
    return next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
