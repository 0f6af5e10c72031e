"""A Hugging Face model on this machine that judges."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sprout_like.judges.answerer import Reply
from sprout_like.judges.judge import Cost
from sprout_like.meters.meter import UNKNOWN
from sprout_like.meters.window import Window

__all__ = ["LocalModel"]

# The word that is asked for, and a little around it.
_NEW_TOKENS: Final = 16


class LocalModel:
    """A transformers model and its tokenizer; decodes greedily.

    Args:
        model: anything with transformers' `generate`, `config` and `device`.
        tokenizer: its tokenizer, with a chat template.
        name: what it was loaded from.
        open_window: opens a metering window on what the model runs on; None leaves the energy unknown.
        monotonic_s: clock of durations, in s.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        name: str,
        open_window: Callable[[], Window] | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._name = name
        self._open_window = open_window
        self._monotonic_s = monotonic_s

    @property
    def name(self) -> str:
        """`local:` and what it was loaded from."""
        return f"local:{self._name}"

    def answer(self, messages: Sequence[Mapping[str, str]]) -> Reply:
        """Generate an answer; a question longer than the model reads is none it can be asked."""
        encoded = self._tokenizer.apply_chat_template(
            [dict(message) for message in messages], add_generation_prompt=True, return_dict=True, return_tensors="pt"
        )
        asked = int(encoded["input_ids"].shape[-1])
        longest = getattr(self._model.config, "max_position_embeddings", None)
        if longest is not None and asked + _NEW_TOKENS > longest:
            said = (
                f"{self.name}: a question of {asked} tokens is longer than the model reads, {longest} with its answer"
            )
            return Reply(text=None, reason=said)
        begun_s = self._monotonic_s()
        window = self._open_window() if self._open_window is not None else None
        try:
            made = self._model.generate(
                **{name: tensor.to(self._model.device) for name, tensor in encoded.items()},
                max_new_tokens=_NEW_TOKENS,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id,
            )
        finally:
            energy = window.close() if window is not None else UNKNOWN
        answer = made[0][asked:]
        cost = Cost(
            energy_j=energy.energy_j,
            method=energy.method,
            duration_s=self._monotonic_s() - begun_s,
            tokens=asked + len(answer),
        )
        return Reply(text=self._tokenizer.decode(answer, skip_special_tokens=True), cost=cost)
