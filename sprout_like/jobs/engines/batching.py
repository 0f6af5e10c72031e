"""How many prompts to run together, and which: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

__all__ = ["BatchSize", "groups"]

# Full batches that must have run before a larger one is tried again after one that did not fit or was slower: prompts
# differ in length, and other programs take memory and time and give them back. Doubled each time, as no try is free.
_PATIENCE: Final = 20


def groups(lengths: Sequence[tuple[int, int]], *, most: int, cache_tokens: int | None = None) -> list[list[int]]:
    """Places of prompts, in batches of those that end alike, the longest first.

    A padded batch computes every row as far as its longest one, so what stands together should be alike: in the limit
    first, as each token of it costs a pass, then in the prompt. The longest come first, so that a batch that does not
    fit into memory shows at once.

    Args:
        lengths: of each prompt: its tokens, and its limit on new ones.
        most: prompts in a batch.
        cache_tokens: how many tokens of all rows, padding and limits included, fit into memory; None where unknown. One
            that alone takes more is a batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda place: (lengths[place][1], lengths[place][0]), reverse=True)
    batches: list[list[int]] = []
    prompt = limit = 0
    for place in order:
        tokens, new_tokens = lengths[place]
        prompt, limit = max(prompt, tokens), max(limit, new_tokens)
        rows = len(batches[-1]) + 1 if batches else 1
        fits = cache_tokens is None or rows * (prompt + limit) <= cache_tokens
        if batches and rows <= most and fits:
            batches[-1].append(place)
        else:
            batches.append([place])
            prompt, limit = tokens, new_tokens
    return batches


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSize:
    """How many prompts to run together: doubled until it is slower, halved where memory ends, later tried again.

    Attributes:
        now: to run next.
        most: never more than this.
        best: the size with the most new tokens per second so far, and these; None before the first full batch.
        wanted: where the search ended; None while it goes on.
        doubted: whether a full batch of `now` was slower than the best; the second in a row ends the search.
        fitted: full batches since it last changed or did not fit. patience: of them, before a larger one is tried.
    """

    now: int = 32
    most: int = 256
    best: tuple[int, float] | None = None
    wanted: int | None = None
    doubted: bool = False
    fitted: int = 0
    patience: int = _PATIENCE

    def after(self, rows: int, tokens_per_s: float) -> BatchSize:
        """With one more batch that fitted; one that was not full says nothing of larger ones."""
        if rows < self.now:
            return self
        if self.wanted is not None:
            return self._grown_back() if self.now < self.wanted else self._at_rest(tokens_per_s)
        if self.best is not None and tokens_per_s <= self.best[1]:
            return self._given_up(self.best[0]) if self.doubted else replace(self, doubted=True)
        found = replace(self, best=(rows, tokens_per_s), doubted=False)
        if rows >= self.most:
            return replace(found, wanted=rows, fitted=0)
        return replace(found, now=min(2 * rows, self.most))

    def after_too_large(self, rows: int) -> BatchSize:
        """With one more batch that did not fit: half of it is next, and for a while no larger one is sought."""
        wanted = self.wanted or (self.best[0] if self.best else rows)
        return replace(self._given_up(wanted), now=max(1, rows // 2))

    def _given_up(self, wanted: int) -> BatchSize:
        return replace(self, now=wanted, wanted=wanted, doubted=False, fitted=0, patience=2 * self.patience)

    def _grown_back(self) -> BatchSize:
        fitted = self.fitted + 1
        if self.wanted is None or fitted < self.patience:
            return replace(self, fitted=fitted)
        return replace(self, now=min(self.wanted, self.now + max(1, self.now // 4)), fitted=0)

    def _at_rest(self, tokens_per_s: float) -> BatchSize:
        """The mean since it came to rest is what a larger size must surpass: one batch is fast by chance."""
        fitted = self.fitted + 1
        before = self.best[1] if self.best and self.fitted else 0.0
        rested = replace(self, best=(self.now, before + (tokens_per_s - before) / fitted), fitted=fitted)
        if self.now >= self.most or fitted < self.patience:
            return rested
        return replace(rested, now=min(2 * self.now, self.most), wanted=None, fitted=0)
