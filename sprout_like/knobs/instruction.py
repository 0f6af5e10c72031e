"""The `instruction` knob: text for the system turn."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

from directives import Directive
from sprout_like.engines.engine import Call, Plan
from sprout_like.engines.locks import lock_of
from sprout_like.knobs.arguments import opaque_argument, setting
from sprout_like.knobs.prompt_view import PromptView
from sprout_like.knobs.system_turn import SystemTurn, renders_system, with_instruction

__all__ = ["InstructionKnob"]


class InstructionKnob:
    """Writes the instruction into the system turn.

    A chat is rendered again with the longer system message. A prompt given as tokens gets the instruction's tokens
    inserted into its system turn, row by row, where the template is recognised.

    Args:
        tokenizer: renders and encodes; None refuses every call.
        model: its `generation_config` and `config` give what the caller leaves to them, as they are at each call.
    """

    name = "instruction"

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self._tokenizer = tokenizer
        self._model = model

    @cached_property
    def _turn(self) -> SystemTurn | None:
        with lock_of(self._tokenizer):
            return SystemTurn.learn(self._tokenizer)

    @cached_property
    def _renders_system(self) -> bool:
        with lock_of(self._tokenizer):
            return renders_system(self._tokenizer)

    @property
    def _model_config(self) -> Any:
        return self._model.generation_config

    def refusal(self, directive: Directive, call: Call) -> str | None:
        """Refuse calls whose prompt is not tokens of a recognised chat template, or must not change."""
        if self._tokenizer is None:
            return "no tokenizer"
        if call.prompt_ids is None:
            return "the prompt is not given as tokens"
        if (name := opaque_argument(call.kwargs, self._model_config)) is not None:
            return f"the call uses {name}"
        if not self._has_room(directive, call):
            return "the instruction would not fit into the model's context"
        if call.messages is not None:
            if not self._renders_system:
                return "the chat template has no system turn"
            return None if _has_plain_system(call.messages) else "the system message is not plain text"
        if self._turn is None:
            return "the chat template is not recognised"
        rows = _rows(call)
        if rows is None:
            return "the batch is not padded on the left"
        if any(self._turn.splice(row, "") is None for row in rows):
            return "a prompt does not begin with the chat template's system turn"
        return None

    def _has_room(self, directive: Directive, call: Call) -> bool:
        positions = getattr(self._model.config, "max_position_embeddings", None)
        if call.limit_tokens is None or call.limit_tokens < 1:
            return False
        if not isinstance(positions, int):
            return True
        # No tokenizer makes more tokens of a text than it has bytes; the turn around it is a few more.
        added = len((directive.instruction or "").encode()) + 16
        limit = (
            call.limit_tokens if directive.budget is None else min(call.limit_tokens, directive.budget.max_new_tokens)
        )
        return (call.prompt_length or 0) + added + limit <= positions

    def apply(self, directive: Directive, plan: Plan, call: Call) -> Plan:
        """Render or splice, and keep what the caller's own objects see of the prompt as it was."""
        instruction = directive.instruction
        if instruction is None:
            return plan
        kwargs = dict(plan.kwargs)
        with lock_of(self._tokenizer):
            if call.messages is not None:
                ids, mask = self._rendered(call, instruction)
            else:
                ids, mask = self._spliced(call, instruction)
        kwargs.pop("inputs", None)
        kwargs |= {"input_ids": ids, "attention_mask": mask}
        added = ids.shape[1] - call.prompt_ids.shape[1]
        kwargs |= PromptView(call.prompt_ids, ids.shape[1]).shown_to(kwargs)
        kwargs |= self._lengths(kwargs, added)
        return dataclasses.replace(
            plan,
            kwargs=kwargs,
            prompt_length=ids.shape[1],
            instruction_tokens=int(mask.sum()) - (call.prompt_tokens or 0),
        )

    def _rendered(self, call: Call, instruction: str) -> tuple[Any, Any]:
        messages = with_instruction(call.messages or (), instruction)
        batch = self._tokenizer.apply_chat_template(
            messages, **{"add_generation_prompt": True, **call.template}, return_tensors="pt", return_dict=True
        )
        device = call.prompt_ids.device
        return batch["input_ids"].to(device), batch["attention_mask"].to(device)

    def _spliced(self, call: Call, instruction: str) -> tuple[Any, Any]:
        import torch

        rows = [self._with(row, instruction) for row in _rows(call) or ()]
        width = max(map(len, rows))
        ids = call.prompt_ids.new_zeros((len(rows), width))
        mask = torch.zeros((len(rows), width), dtype=torch.long, device=ids.device)
        for index, row in enumerate(rows):
            pad = width - len(row)
            ids[index, :pad] = call.prompt_ids[index, 0]  # a row with padding starts with the caller's own pad token
            ids[index, pad:] = torch.tensor(row, dtype=ids.dtype, device=ids.device)
            mask[index, pad:] = 1
        return ids, mask

    def _with(self, row: list[int], instruction: str) -> list[int]:
        splice = self._turn.splice(row, instruction) if self._turn else None
        if splice is None:
            raise RuntimeError("the instruction was applied to a call that its refusal() turns down")
        return [*row[: splice.at], *splice.ids, *row[splice.at :]]

    def _lengths(self, kwargs: dict[str, Any], added: int) -> dict[str, Any]:
        """Lengths that count the prompt, moved by what was added, so that the answer's own limits stay."""
        if setting("max_new_tokens", kwargs, self._model_config) is None:
            return _moved(kwargs, self._model_config, ("max_length", "min_length"), added)
        return _moved(kwargs, self._model_config, ("min_length",), added)


def _moved(kwargs: dict[str, Any], model_config: Any, names: tuple[str, ...], added: int) -> dict[str, Any]:
    import copy

    moved = {n: v + added for n in names if (v := setting(n, kwargs, model_config))}
    if moved and kwargs.get("generation_config") is not None:
        # Keywords beside a config are deprecated, so a given config is copied and carries them.
        config = copy.deepcopy(kwargs["generation_config"])
        config.update(**{n: v for n, v in moved.items() if n not in kwargs})
        return {"generation_config": config, **{n: v for n, v in moved.items() if n in kwargs}}
    return moved


def _rows(call: Call) -> list[list[int]] | None:
    """Token ids per row without padding; None where padding stands anywhere but on the left."""
    rows: list[list[int]] = call.prompt_ids.tolist()
    mask = call.kwargs.get("attention_mask")
    if mask is None:
        return rows
    masks: list[list[int]] = mask.long().tolist()
    kept = [sum(row) for row in masks]
    if any(row != [0] * (len(row) - n) + [1] * n for row, n in zip(masks, kept, strict=True)):
        return None
    return [row[len(row) - n :] for row, n in zip(rows, kept, strict=True)]


def _has_plain_system(messages: Any) -> bool:
    return messages[0]["role"] != "system" or isinstance(messages[0]["content"], str)
