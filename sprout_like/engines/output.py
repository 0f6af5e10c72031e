"""What `generate` gave back: counted, and shown as if the caller's own prompt had been run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch

from sprout_like.engines.counting import cut_at_end, finish_reason
from sprout_like.engines.engine import Call, Plan
from sprout_like.knobs.arguments import end_ids, setting

__all__ = ["counted", "runs_as_called", "shown"]

_LOG = logging.getLogger("sprout_like")


def counted(output: Any, plan: Plan) -> tuple[list[Sequence[int]] | None, str | None]:
    """New tokens per row and why they ended; unknown where the output or a setting is of a form we do not know."""
    try:
        answers = _answers(output, plan)
        if answers is None or plan.host is None:
            return None, None
        config = plan.host.generation_config
        ends = end_ids(plan.kwargs, config)
        pad = setting("pad_token_id", plan.kwargs, config)
        rows = [cut_at_end(row, ends, pad) for row in answers]
        return rows, finish_reason(rows, ends, plan.limit_tokens, plan.ender)
    except (TypeError, ValueError) as exc:  # the answer is there, and must not be lost to its counting
        _LOG.warning("an answer could not be counted (%s); its tokens are unknown", type(exc).__qualname__)
        return None, None


def runs_as_called(plan: Plan, call: Call) -> bool:
    """Whether the plan runs the caller's own prompt on the wrapped model, so that its output is shown as it is."""
    return plan.prompt_length == call.prompt_length and plan.host is call.host


def shown(output: Any, plan: Plan, call: Call) -> Any:
    """The output with the caller's own prompt in the place of the engine's, on the prompt's device."""
    if runs_as_called(plan, call):
        return output
    length = plan.prompt_length or 0
    if isinstance(output, torch.Tensor):
        return _joined(output, call.prompt_ids, length)
    # A cache would hold the instruction's positions, or another model's. Without it a continuation computes its prompt
    # again and is right.
    fields = {**output, "sequences": _joined(output.sequences, call.prompt_ids, length), "past_key_values": None}
    return type(output)(**{name: value for name, value in fields.items() if value is not None})


def _answers(output: Any, plan: Plan) -> list[list[int]] | None:
    sequences = getattr(output, "sequences", output)
    if plan.prompt_length is None or not isinstance(sequences, torch.Tensor) or sequences.dim() != 2:
        return None
    rows: list[list[int]] = sequences[:, plan.prompt_length :].tolist()
    return rows


def _joined(sequences: Any, caller_ids: Any, engine_length: int) -> Any:
    repeats = sequences.shape[0] // caller_ids.shape[0]
    prompt = caller_ids.repeat_interleave(repeats, dim=0).to(dtype=sequences.dtype)
    return torch.cat([prompt, sequences[:, engine_length:].to(prompt.device)], dim=1)
