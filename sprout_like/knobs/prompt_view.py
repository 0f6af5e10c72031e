"""Shows the caller's own objects the caller's own prompt, while the engine runs a longer one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["PromptView"]


class PromptView:
    """Replaces the engine's prompt by the caller's in what custom processors, criteria and functions are shown.

    Args:
        caller_ids: the caller's prompt, shape (batch, length).
        engine_length: width of the prompt the engine runs.
    """

    def __init__(self, caller_ids: Any, engine_length: int) -> None:
        self._caller_ids = caller_ids
        self._engine_length = engine_length

    def __call__(self, ids: Any) -> Any:
        """Ids of shape (batch × beams, engine length + new) as (batch × beams, caller's length + new)."""
        import torch

        repeats = ids.shape[0] // self._caller_ids.shape[0]
        prompt = self._caller_ids.repeat_interleave(repeats, dim=0) if repeats > 1 else self._caller_ids
        return torch.cat([prompt.to(ids.device), ids[:, self._engine_length :]], dim=1)

    def shown_to(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The caller's processors, criteria and prefix function, each seeing the caller's prompt."""
        shown: dict[str, Any] = {}
        # The caller's own list classes, so that `generate` still recognises them.
        if processors := kwargs.get("logits_processor"):
            shown["logits_processor"] = type(processors)([_ShownProcessor(each, self) for each in processors])
        if criteria := kwargs.get("stopping_criteria"):
            shown["stopping_criteria"] = type(criteria)([_ShownCriterion(each, self) for each in criteria])
        prefix = kwargs.get("prefix_allowed_tokens_fn")
        if prefix is not None:
            shown["prefix_allowed_tokens_fn"] = _ShownRow(prefix, self._caller_ids, self._engine_length)
        return shown


class _ShownProcessor:
    """A logits processor; `generate` counts the parameters of `__call__`, so there must be two."""

    def __init__(self, inner: Any, view: PromptView) -> None:
        self._inner = inner
        self._view = view

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        return self._inner(self._view(input_ids), scores)


class _ShownCriterion:
    """A stopping criterion; attributes pass through, since `generate` asks for `eos_token_id` and the like."""

    def __init__(self, inner: Any, view: PromptView) -> None:
        self._inner = inner
        self._view = view

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        return self._inner(self._view(input_ids), scores, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _ShownRow:
    """A `prefix_allowed_tokens_fn`, called with one row at a time."""

    def __init__(self, inner: Any, caller_ids: Any, engine_length: int) -> None:
        self._inner = inner
        self._caller_ids = caller_ids
        self._engine_length = engine_length

    def __call__(self, batch_index: int, ids: Any) -> Any:
        import torch

        prompt = self._caller_ids[batch_index].to(ids.device)
        return self._inner(batch_index, torch.cat([prompt, ids[self._engine_length :]]))
