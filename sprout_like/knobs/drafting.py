"""What a draft adds to a run of `generate`: who guesses, what is counted, what a streamer sees."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from sprout_like.knobs.arguments import end_ids
from sprout_like.knobs.decoding import text_config

__all__ = ["DraftCount", "Drafter", "SingleSteps", "guess_settings"]


class Drafter:
    """Stands for a model as `generate`'s `assistant_model`; the model's own settings are not read nor written.

    `generate` takes a draft's settings from the assistant's own `generation_config`, writes to it, and calls the
    assistant's `generate` in a form that it warns about itself: hence a config and a `generate` of its own. It serves
    one call.

    Args:
        model: the model that guesses; it reads the tokens of the model that checks.
        tokens: how many tokens it guesses at a time.
        target_config: `PretrainedConfig` of the model that checks.
    """

    def __init__(self, model: Any, tokens: int, target_config: Any) -> None:
        self.generation_config = guess_settings(num_assistant_tokens=tokens)
        self.config = target_config  # `generate` compares vocabulary sizes, and padded ones may differ
        self._vocabularies = text_config(model.config).vocab_size, text_config(target_config).vocab_size
        self._model = copy.copy(model)
        self._model.__dict__.pop("generate", None)
        self._model.generation_config = guess_settings()

    @property
    def device(self) -> Any:
        """Where it takes its tokens."""
        return self._model.device

    def _supports_logits_to_keep(self) -> bool:
        return bool(self._model._supports_logits_to_keep())  # noqa: SLF001 - transformers asks the assistant for it

    def generate(
        self,
        *,
        input_ids: Any,
        generation_config: Any,
        logits_processor: Any,
        max_new_tokens: int,
        min_new_tokens: int = 0,  # noqa: ARG002 - a guess below the minimum is only a wrong one
        use_cache: bool = True,  # noqa: ARG002 - beside a config it would be warned about
        **inputs: Any,
    ) -> Any:
        """Guess; takes what `AssistedCandidateGenerator` gives and returns what it reads.

        Args:
            input_ids: shape (1, length).
            generation_config: settings of the call.
            logits_processor: all processors of the call, also those of its settings.
            max_new_tokens: how many to guess.
            min_new_tokens: not needed.
            use_cache: not needed.
            inputs: mask, cache and the like.
        """
        own, target = self._vocabularies
        ends = end_ids({}, generation_config)
        settings = guess_settings(
            max_new_tokens=max_new_tokens,
            do_sample=bool(generation_config.do_sample),
            eos_token_id=list(ends) or None,
            pad_token_id=ends[0] if ends else 0,
            **({"top_k": 0} if generation_config.do_sample else {}),  # the processors already hold the call's own
        )
        if own == target:
            return self._model.generate(
                input_ids=input_ids, generation_config=settings, logits_processor=logits_processor, **inputs
            )
        # The rows beyond the shorter vocabulary stand for no token: they are padding of the embeddings.
        guessed = self._model.generate(input_ids=input_ids.clamp(max=own - 1), generation_config=settings, **inputs)
        return _up_to(guessed, input_ids, target)


def guess_settings(**settings: Any) -> Any:
    """A `GenerationConfig` for guessing exactly so many tokens, with nothing of the model's own.

    A confidence threshold above 0 would end drafts early, but waits for the device after every single guess.
    """
    from transformers import GenerationConfig

    return GenerationConfig(
        num_assistant_tokens_schedule="constant",
        assistant_confidence_threshold=0.0,
        is_assistant=True,
        return_dict_in_generate=True,
        output_scores=True,
        use_cache=True,
        **settings,
    )


def _up_to(guessed: Any, input_ids: Any, vocabulary: int) -> Any:
    """The guess behind the very tokens it was asked for, cut before the first that the other model does not have."""
    import torch

    new = guessed.sequences[:, input_ids.shape[1] :]
    known = int((new[0] < vocabulary).long().cumprod(0).sum())
    guessed.sequences = torch.cat([input_ids, new[:, :known].to(input_ids.device)], dim=1)
    return guessed


class DraftCount:
    """A stopping criterion that stops nothing: it is asked once per round, however many tokens were taken over.

    Args:
        prompt_length: width of the prompt.
    """

    def __init__(self, prompt_length: int) -> None:
        self._prompt_length = prompt_length
        self._rounds = 0
        self._tokens = 0

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:  # noqa: ARG002 - what criteria are given
        """Shape of `input_ids`: (1, length so far)."""
        import torch

        self._rounds += 1
        self._tokens = input_ids.shape[1] - self._prompt_length
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)

    def counts(self) -> Mapping[str, float]:
        """Rounds of guessing and checking, and guessed tokens that were right: each round adds one token more."""
        return {"draft_rounds": self._rounds, "draft_accepted": self._tokens - self._rounds}


class SingleSteps:
    """Gives a streamer one token at a time, as `generate` does without a draft.

    Args:
        inner: the caller's streamer.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._prompt_seen = False

    def put(self, value: Any) -> None:
        """Take the prompt, then the tokens of a round, of shape (1, tokens)."""
        if not self._prompt_seen:
            self._prompt_seen = True
            self._inner.put(value)
            return
        for token in value.flatten():
            self._inner.put(token.reshape(1))

    def end(self) -> None:
        """The stream has ended."""
        self._inner.end()
