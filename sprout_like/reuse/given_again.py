"""From a generation to what is kept of it, and from that to a generation again."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from sprout_like.engines.engine import Call, Generation, Plan
from sprout_like.engines.output import shown
from sprout_like.reuse.answers import KeptAnswer

__all__ = ["given_again", "kept", "shown_again"]


def kept(generation: Generation, prompt: torch.Tensor) -> KeptAnswer | None:
    """What is to be kept; None where the output could not be put together again from it.

    Args:
        generation: its output as `generate` gave it.
        prompt: the ids that `generate` was given.
    """
    output, answers = generation.output, generation.answers
    if not isinstance(output, torch.Tensor) or answers is None:
        return None
    if output.dtype != prompt.dtype or output.device != prompt.device or output.shape[0] % prompt.shape[0]:
        return None
    length = prompt.shape[1]
    if not torch.equal(output[:, :length], _prompts(prompt, output.shape[0])):
        return None
    return KeptAnswer(
        columns=tuple(map(tuple, output[:, length:].tolist())),
        lengths=tuple(map(len, answers)),
        finish_reason=generation.finish_reason,
    )


def given_again(answer: KeptAnswer, prompt: torch.Tensor, prompt_tokens: int) -> Generation:
    """The generation that was kept, its output as `generate` would give it.

    Args:
        answer: what was kept.
        prompt: the ids that `generate` would be given.
        prompt_tokens: how many of them need not be computed, padding excluded.
    """
    rows = len(answer.columns)
    new = torch.tensor(answer.columns, dtype=prompt.dtype, device=prompt.device).reshape(rows, -1)
    return Generation(
        output=torch.cat([_prompts(prompt, rows), new], dim=1),
        answers=[list(row[:length]) for row, length in zip(answer.columns, answer.lengths, strict=True)],
        new_tokens=sum(answer.lengths),
        finish_reason=answer.finish_reason,
        reused_tokens=prompt_tokens,
    )


def shown_again(answer: Generation, plan: Plan, call: Call) -> Generation:
    """A kept generation as the caller is to see it: with the caller's prompt, and streamed to the caller's streamer.

    The whole stream comes at its end, when the request has been accounted for.
    """
    streamer, new = call.kwargs.get("streamer"), answer.output[:, plan.prompt_length or 0 :]

    def stream() -> None:
        if streamer is not None:
            _stream(streamer, call.prompt_ids, new)

    return dataclasses.replace(answer, output=shown(answer.output, plan, call), end_stream=stream)


def _prompts(prompt: torch.Tensor, rows: int) -> torch.Tensor:
    """The prompts of all returned rows: several of one prompt stand next to each other."""
    return prompt.repeat_interleave(rows // prompt.shape[0], dim=0)


def _stream(streamer: Any, prompt: torch.Tensor, new: torch.Tensor) -> None:
    streamer.put(prompt.cpu())
    for column in new.cpu().unbind(dim=1):
        streamer.put(column)
    streamer.end()
