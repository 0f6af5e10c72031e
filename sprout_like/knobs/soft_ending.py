"""A growing preference for ending at a sentence end near the limit, so that answers are not cut mid-sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["SentenceEnds", "SoftEnding"]

# Raw vocabulary pieces: byte-level BPE writes a newline as `Ċ` and the full stops of Chinese and Japanese as below.
_STOPS = (".", "!", "?", "…", "。", "！", "？", "ãĢĤ", "ï¼ģ", "ï¼Ł", "âĢ¦")
_CLOSERS = "\"')]}*`”’"
_NEWLINES = ("Ċ", "\n", "<0x0A>")
# A stop after a digit is a decimal point or a list number; a line that ends in one of these goes on below.
_GOES_ON = (":", ",", ";", "(", "[", "{", "-")


@dataclass(frozen=True, slots=True)
class SentenceEnds:
    """Which tokens end a sentence, told from the last two tokens of a row.

    Attributes:
        stops: ids of tokens that end in a full stop, question mark or the like.
        newlines: ids of tokens that end in a newline.
        digits: ids of tokens that end in a digit. goes_on: ids of tokens after which a new line continues the sentence.
    """

    stops: frozenset[int]
    newlines: frozenset[int]
    digits: frozenset[int]
    goes_on: frozenset[int]

    @classmethod
    def of(cls, tokenizer: Any) -> SentenceEnds:
        """Read the tokenizer's vocabulary once."""
        stops, newlines, digits, goes_on = set(), set(), set(), set()
        for token, index in tokenizer.get_vocab().items():
            bare = token.rstrip(_CLOSERS)
            if token.endswith(_NEWLINES):
                newlines.add(index)
            elif bare.endswith(_STOPS):
                stops.add(index)
            elif token[-1:].isdigit():
                digits.add(index)
            elif token.endswith(_GOES_ON):
                goes_on.add(index)
        return cls(frozenset(stops), frozenset(newlines), frozenset(digits), frozenset(goes_on))

    def ends(self, before: int | None, last: int) -> bool:
        """Whether a row whose last two tokens are these stands at a sentence end."""
        if last in self.stops:
            return before not in self.digits
        return last in self.newlines and before not in self.goes_on and before not in self.newlines


class SoftEnding:
    """A logits processor, free of state: it counts by the width it is shown, so drafts and look-aheads are harmless.

    In the last `soft_tokens` before the limit, at sentence ends only, the end token's score is drawn towards the best
    score of the row: not at all at the beginning, wholly from the first third on, from where on it is the best.

    Args:
        prompt_length: width of the prompt.
        limit_tokens: limit on new tokens per row.
        soft_tokens: width of the zone before the limit.
        end_ids: the end tokens.
        sentence_ends: which tokens end a sentence.
    """

    def __init__(
        self,
        *,
        prompt_length: int,
        limit_tokens: int,
        soft_tokens: int,
        end_ids: Sequence[int],
        sentence_ends: SentenceEnds,
    ) -> None:
        self._soft_from = prompt_length + limit_tokens - soft_tokens
        self._soft_tokens = soft_tokens
        self._end_ids = list(end_ids)
        self._sentence_ends = sentence_ends

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Shape of `input_ids`: (rows, length so far); of `scores`: (rows, vocabulary). Returns new scores."""
        progress = (input_ids.shape[1] - self._soft_from) / self._soft_tokens
        if progress <= 0:
            return scores
        rows = [i for i, tail in enumerate(input_ids[:, -2:].tolist()) if self._at_sentence_end(tail)]
        if not rows:
            return scores
        pull = min(1.0, 3 * progress)
        scores = scores.clone()
        best = scores[rows].amax(dim=-1, keepdim=True)
        ends = scores[rows][:, self._end_ids]
        drawn = ends + pull * (best - ends) + (pull == 1.0)
        # A minimum length of the caller's masks the end token with -inf, and that wins.
        drawn = drawn.where(ends.isfinite(), ends)
        for column, end_id in enumerate(self._end_ids):
            scores[rows, end_id] = drawn[:, column]
        return scores

    def _at_sentence_end(self, tail: list[int]) -> bool:
        return self._sentence_ends.ends(tail[-2] if len(tail) > 1 else None, tail[-1])
