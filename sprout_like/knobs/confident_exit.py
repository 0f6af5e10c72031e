"""Greedy generation that leaves the model early for tokens which its first layers are sure of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from transformers import DynamicCache

from directives import Confidence
from sprout_like.engines.views import split_view

__all__ = ["ConfidentExit"]


class ConfidentExit:
    """The loop of one run of one row, in the place of `generate`'s own, and what it counted.

    Every token runs through the first layers, whose cache is thus always whole. Where their own prediction is sure, it
    is taken, and the hidden state waits. Otherwise the deep layers run once over all that waits and the token itself,
    so that the keys and values of the tokens that left early are those of the whole model before anyone looks at them.

    Args:
        confidence: when to leave, and how long the deep layers may lag behind.
        layer: how many layers run before asking.
    """

    def __init__(self, confidence: Confidence, layer: int) -> None:
        self._confidence = confidence
        self._layer = layer
        self._layers = 0
        self._tokens = 0
        self._early = 0

    def loop(self, streamer: Any) -> Callable[..., Any]:
        """What `generate` is to call as `custom_generate`.

        Args:
            streamer: gets the new tokens; None for none. Its end is told by the caller.
        """

        # Parameters of further names would be taken away from `generate`'s own preparation of the call.
        def generate(
            model: Any, input_ids: Any, logits_processor: Any, stopping_criteria: Any, **model_kwargs: Any
        ) -> Any:
            return self._run(model, input_ids, logits_processor, stopping_criteria, streamer, model_kwargs)

        return generate

    def counts(self) -> Mapping[str, float]:
        """What the run saved; nothing where it made no token.

        `early_tokens` left early. `early_layers_skipped_share` is the share of layer runs saved: without the exit each
        new token takes one run of every layer; here each takes one of the first layers, and those that did not leave
        one of the deep layers, over all that waited at once.
        """
        if not self._tokens:
            return {}
        skipped = self._early * (self._layers - self._layer)
        return {
            "early_tokens": self._early,
            "early_layers_skipped_share": skipped / (self._tokens * self._layers),
        }

    def _run(
        self,
        model: Any,
        ids: Any,
        processors: Any,
        criteria: Any,
        streamer: Any,
        model_kwargs: Mapping[str, Any],
    ) -> Any:
        self._layers = model.config.num_hidden_layers
        parts = _Parts(model, self._layer, model_kwargs.get("attention_mask"), model_kwargs["position_ids"])
        new, ended = ids, False
        while not ended:
            waiting = parts.shallow(new)
            scores = None
            if new is not ids and waiting <= self._confidence.max_defer:
                scores = self._sure(parts, processors, ids)
            if scores is None:
                scores = processors(ids, parts.deep().to(device=ids.device))
            else:
                self._early += 1
            self._tokens += 1
            token = scores.argmax(dim=-1)
            new = token[:, None]
            ids = torch.cat([ids, new], dim=-1)
            ended = bool(criteria(ids, None).all())
            if streamer is not None:
                streamer.put(token.cpu())
        return ids

    def _sure(self, parts: _Parts, processors: Any, ids: Any) -> Any:
        """The scores of the first layers, None where they are not sure of what would be chosen from them.

        Processors are asked only when the prediction itself is sure: one with a state sees each token of an exit that
        never happens once, as in `generate`. Where they overrule it, nobody was sure of what they chose.
        """
        threshold = self._confidence.threshold
        if threshold > 1:
            return None
        logits = parts.probe().to(device=ids.device)
        probability, likeliest = logits.softmax(dim=-1).max(dim=-1)
        if not float(probability) >= threshold:
            return None
        scores = processors(ids, logits)
        return scores if int(scores.argmax(dim=-1)) == int(likeliest) else None


class _Parts:
    """The two halves of the model, each with its cache, and the hidden states that wait between them."""

    def __init__(self, model: Any, layer: int, mask: Any, positions: Any) -> None:
        self._split = split_view(model, layer)
        self._caches = [DynamicCache(config=part.config) for part in (self._split.shallow, self._split.deep)]
        self._device = model.device
        self._mask = mask
        self._positions = positions
        self._waiting: list[Any] = []

    def shallow(self, ids: Any) -> int:
        """Run the first layers over new tokens; how many runs of theirs wait for the deep layers."""
        cache = self._caches[0]
        if cache.get_seq_length() == self._positions.shape[1]:  # one more token
            self._positions = torch.cat([self._positions, self._positions[:, -1:] + 1], dim=-1)
            if self._mask is not None:
                self._mask = torch.cat([self._mask, self._mask.new_ones((1, 1))], dim=-1)
        hidden = self._through(self._split.shallow, cache, ids.shape[1], input_ids=ids.to(self._device))
        self._waiting.append(hidden)
        return len(self._waiting)

    def probe(self) -> Any:
        """What the first layers predict after the newest token, as float32 logits of shape (1, vocabulary)."""
        return self._head(self._waiting[-1])

    def deep(self) -> Any:
        """Run the deep layers over all that waits; what the whole model predicts, in the form of `probe`."""
        waiting = torch.cat(self._waiting, dim=1)
        self._waiting.clear()
        hidden = self._through(self._split.deep, self._caches[1], waiting.shape[1], inputs_embeds=waiting)
        return self._head(hidden)

    def _through(self, part: Any, cache: Any, new_tokens: int, **given: Any) -> Any:
        done = cache.get_seq_length()
        return part(
            **given,
            attention_mask=None if self._mask is None else self._mask.to(self._device),
            position_ids=self._positions[:, done : done + new_tokens].to(self._device),
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state

    def _head(self, hidden: Any) -> Any:
        logits = self._split.head(inputs_embeds=hidden[:, -1:], use_cache=False).logits
        return logits[:, -1].to(copy=True, dtype=torch.float32)
