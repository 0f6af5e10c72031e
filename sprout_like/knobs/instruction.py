"""The `instruction` knob: text for the system turn."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from directives import Directive
from sprout_like.engines.engine import Call, Host, Plan
from sprout_like.engines.learnt import Learnt
from sprout_like.engines.locks import lock_of
from sprout_like.engines.rendering import render
from sprout_like.knobs.arguments import setting
from sprout_like.knobs.prompt_view import PromptView
from sprout_like.knobs.system_turn import SystemTurn, renders_system, with_instruction

__all__ = ["InstructionKnob"]


class InstructionKnob:
    """Writes the instruction into the system turn.

    A chat is rendered again with the longer system message. A prompt given as tokens gets the instruction's tokens
    inserted into its system turn, row by row, where the template is recognised.

    """

    name = "instruction"

    def __init__(self) -> None:
        self._turns = Learnt(SystemTurn.learn)
        self._shows_system = Learnt(renders_system)

    def misfit(self, directive: Directive, host: Host) -> str | None:  # noqa: ARG002 - part of the protocol
        """A base model without a template has no system turn to write into."""
        if host.tokenizer is None:
            return "instruction: no tokenizer was given, so no prompt can be written"
        if not getattr(host.tokenizer, "chat_template", None):
            return "instruction: the model's tokenizer has no chat template, hence no system turn"
        if not self._shows_system.of(host.tokenizer):
            return "instruction: the model's chat template has no system turn to write it into"
        return None

    def refusal(self, directive: Directive, call: Call) -> str | None:
        """Refuse calls whose prompt is not tokens of a recognised chat template, or must not change."""
        if call.host is None or call.host.tokenizer is None:
            return "no tokenizer"
        if call.prompt_ids is None:
            return "the prompt is not given as tokens"
        if call.opaque is not None:
            return f"the call uses {call.opaque}"
        if not _has_room(directive, call, call.host.config):
            return "the instruction would not fit into the model's context"
        return call.once(self._no_turn)

    def apply(self, directive: Directive, plan: Plan, call: Call) -> Plan:
        """Render or splice, and keep what the caller's own objects see of the prompt as it was."""
        instruction, host = directive.instruction, call.host
        if instruction is None or host is None:
            return plan
        kwargs = dict(plan.kwargs)
        if call.messages is not None:
            messages = with_instruction(call.messages, instruction)
            ids, mask = render(host.tokenizer, messages, call.template, call.prompt_ids.device).values()
        else:
            with lock_of(host.tokenizer):
                ids, mask = _spliced(call, host.tokenizer, self._turns.of(host.tokenizer), instruction)
        kwargs.pop("inputs", None)
        kwargs |= {"input_ids": ids, "attention_mask": mask}
        added = ids.shape[1] - call.prompt_ids.shape[1]
        kwargs |= PromptView(call.prompt_ids, ids.shape[1]).shown_to(kwargs)
        kwargs |= _lengths(kwargs, host.generation_config, added)
        return dataclasses.replace(
            plan,
            kwargs=kwargs,
            prompt_length=ids.shape[1],
            instruction_tokens=int(mask.sum()) - (call.prompt_tokens or 0),
        )

    def _no_turn(self, call: Call) -> str | None:
        """Why the prompt has no system turn to write into, whatever is to be written."""
        tokenizer = None if call.host is None else call.host.tokenizer
        if call.messages is not None:
            if not self._shows_system.of(tokenizer):
                return "the chat template has no system turn"
            return None if _has_plain_system(call.messages) else "the system message is not plain text"
        turn = self._turns.of(tokenizer)
        if turn is None:
            return "the chat template is not recognised"
        if call.rows is None:
            return "the batch is not padded on the left"
        if not all(map(turn.begins, call.rows)):
            return "a prompt does not begin with the chat template's system turn"
        return None


def _has_room(directive: Directive, call: Call, config: Any) -> bool:
    positions = getattr(config, "max_position_embeddings", None)
    if call.limit_tokens is None or call.limit_tokens < 1:
        return False
    if not isinstance(positions, int):
        return True
    # No tokenizer makes more tokens of a text than it has bytes; the turn around it is a few more.
    added = len((directive.instruction or "").encode()) + 16
    limit = call.limit_tokens if directive.budget is None else min(call.limit_tokens, directive.budget.max_new_tokens)
    return (call.prompt_length or 0) + added + limit <= positions


def _spliced(call: Call, tokenizer: Any, turn: SystemTurn | None, instruction: str) -> tuple[Any, Any]:
    import torch

    rows = [_with(row, tokenizer, turn, instruction) for row in call.rows or ()]
    width = max(map(len, rows))
    ids = call.prompt_ids.new_zeros((len(rows), width))
    mask = torch.zeros((len(rows), width), dtype=torch.long, device=ids.device)
    for index, row in enumerate(rows):
        pad = width - len(row)
        ids[index, :pad] = call.prompt_ids[index, 0]  # a row with padding starts with the caller's own pad token
        ids[index, pad:] = torch.tensor(row, dtype=ids.dtype, device=ids.device)
        mask[index, pad:] = 1
    return ids, mask


def _with(row: Sequence[int], tokenizer: Any, turn: SystemTurn | None, instruction: str) -> list[int]:
    splice = turn.splice(tokenizer, row, instruction) if turn else None
    if splice is None:
        raise RuntimeError("the instruction was applied to a call that its refusal() turns down")
    return [*row[: splice.at], *splice.ids, *row[splice.at :]]


def _lengths(kwargs: dict[str, Any], model_config: Any, added: int) -> dict[str, Any]:
    """Lengths that count the prompt, moved by what was added, so that the answer's own limits stay."""
    if setting("max_new_tokens", kwargs, model_config) is None:
        return _moved(kwargs, model_config, ("max_length", "min_length"), added)
    return _moved(kwargs, model_config, ("min_length",), added)


def _moved(kwargs: dict[str, Any], model_config: Any, names: tuple[str, ...], added: int) -> dict[str, Any]:
    import copy

    moved = {n: v + added for n in names if (v := setting(n, kwargs, model_config))}
    if moved and kwargs.get("generation_config") is not None:
        # Keywords beside a config are deprecated, so a given config is copied and carries them.
        config = copy.deepcopy(kwargs["generation_config"])
        config.update(**{n: v for n, v in moved.items() if n not in kwargs})
        return {"generation_config": config, **{n: v for n, v in moved.items() if n in kwargs}}
    return moved


def _has_plain_system(messages: Any) -> bool:
    return messages[0]["role"] != "system" or isinstance(messages[0]["content"], str)
