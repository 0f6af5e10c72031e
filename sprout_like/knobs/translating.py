"""Guesses of a model that reads other tokens: translated through text."""

from __future__ import annotations

import copy
from itertools import takewhile
from types import SimpleNamespace
from typing import Any

from sprout_like.engines.locks import lock_of
from sprout_like.knobs.arguments import end_ids
from sprout_like.knobs.decoding import text_config
from sprout_like.knobs.drafting import guess_settings

__all__ = ["TranslatingDrafter"]

_CONTEXT = 8  # tokens before the new ones, by which their text is told: a leading space, a character cut in two


class TranslatingDrafter:
    """Stands for a model as `generate`'s `assistant_model` where the tokenizers differ; greedy only, for one call.

    transformers translates too, but fails where a stretch of the answer has no text, such as special tokens alone.
    Here a stretch that cannot be translated is no guess, and the checking model goes on by itself.

    Args:
        model: the model that guesses.
        tokenizer: its tokenizer.
        tokens: how many of its tokens it guesses at a time.
        target_config: `PretrainedConfig` of the model that checks.
        target_tokenizer: the tokenizer of the model that checks.
    """

    def __init__(self, model: Any, tokenizer: Any, tokens: int, *, target_config: Any, target_tokenizer: Any) -> None:
        self.generation_config = guess_settings(num_assistant_tokens=tokens)
        self.config = target_config  # to `generate` this is a model of the target's own tokens
        self._model = copy.copy(model)
        self._model.__dict__.pop("generate", None)
        self._settings = guess_settings(
            max_new_tokens=tokens,
            do_sample=False,
            eos_token_id=list(end_ids({}, model.generation_config)) or None,
            pad_token_id=0,
        )
        self._model.generation_config = guess_settings()
        self._tokenizer = tokenizer
        self._target_tokenizer = target_tokenizer
        self._cache: Any = None
        self._cached: list[int] = []
        self._trimmed = 0

    @property
    def device(self) -> Any:
        """Where it takes its tokens."""
        return self._model.device

    def _supports_logits_to_keep(self) -> bool:
        return True  # what `generate` adds for it is not passed on

    def generate(self, *, input_ids: Any, max_new_tokens: int, **_: Any) -> Any:
        """Guess; takes what `AssistedCandidateGenerator` gives and returns what it reads.

        Args:
            input_ids: tokens of the checking model, shape (1, length).
            max_new_tokens: how many of them to guess at most.
        """
        import torch

        text = _text(self._target_tokenizer, input_ids[0].tolist())
        ids = _tokens(self._tokenizer, text, special=True)
        guess = self._translated(text, self._continuation(ids)) if self._reads(ids) else []
        new = torch.tensor([guess[:max_new_tokens]], dtype=input_ids.dtype, device=input_ids.device)
        # No cache and no scores: both would be of other tokens, and greedy checking reads neither.
        return SimpleNamespace(
            sequences=torch.cat([input_ids, new], dim=1),
            scores=(torch.zeros(1, 1),),
            past_key_values=None,
        )

    def _continuation(self, ids: list[int]) -> str:
        """The text that the guessing model goes on with."""
        import torch

        # At least one token must be left to compute.
        same = (old == new for old, new in zip(self._cached, ids[:-1], strict=False))
        kept = sum(1 for _ in takewhile(bool, same))
        if kept < max(self._trimmed, 1):  # a sliding window has nothing from before the last time it was trimmed
            kept, self._cache = 0, None
        self._trimmed = kept
        if self._cache is not None:
            self._cache.crop(kept - self._cache.get_seq_length())
        row = torch.tensor([ids], device=self._model.device)
        generated = self._model.generate(
            input_ids=row,
            attention_mask=torch.ones_like(row),
            generation_config=self._settings,
            past_key_values=self._cache,
        )
        everything: list[int] = generated.sequences[0].tolist()
        self._cache = generated.past_key_values
        self._cached = everything[: self._cache.get_seq_length()]
        before = _text(self._tokenizer, ids[-_CONTEXT:])
        after = _text(self._tokenizer, everything[len(ids) - len(ids[-_CONTEXT:]) :])
        return after[len(before) :] if after.startswith(before) else ""

    def _reads(self, ids: list[int]) -> bool:
        """Whether there is anything to go on from, and no token that was added to the tokenizer alone."""
        return bool(ids) and max(ids) < text_config(self._model.config).vocab_size

    def _translated(self, text: str, more: str) -> list[int]:
        """The checking model's tokens for text that goes on after its own."""
        if not more:
            return []
        alone = _tokens(self._target_tokenizer, text, special=False)
        joined = _tokens(self._target_tokenizer, text + more, special=False)
        follows = joined[: len(alone)] == alone
        guess = joined[len(alone) :] if follows else _tokens(self._target_tokenizer, more, special=False)
        known = text_config(self.config).vocab_size
        return list(takewhile(lambda token: token < known, guess))


def _text(tokenizer: Any, ids: list[int]) -> str:
    with lock_of(tokenizer):  # fast tokenizers are not thread-safe (huggingface/transformers#47085)
        text = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return str(text).rstrip("\ufffd")  # a character whose last bytes are still to come


def _tokens(tokenizer: Any, text: str, *, special: bool) -> list[int]:
    with lock_of(tokenizer):
        return list(tokenizer(text, add_special_tokens=special, verbose=False)["input_ids"])
