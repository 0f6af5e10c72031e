"""From chat messages to the tokens of a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sprout_like.engines.locks import lock_of
from sprout_like.errors import SettingError

__all__ = ["as_messages", "render"]


def as_messages(messages: str | Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """A conversation; a text is its one user message."""
    return [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)


def render(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], template: Mapping[str, Any], device: Any
) -> dict[str, Any]:
    """`input_ids` and `attention_mask` of one prompt, each of shape (1, length).

    Args:
        tokenizer: whose chat template is used; its lock is taken, as fast tokenizers are not thread-safe.
        messages: the conversation.
        template: further arguments of the template.
        device: where the tensors go.

    Raises:
        SettingError: the tokenizer has no chat template.
        Exception: whatever the template raises.
    """
    if getattr(tokenizer, "chat_template", None) is None:
        raise SettingError(
            "tokenizer",
            "chat() needs a tokenizer with a chat template and this one has none",
            "Use generate(), or set tokenizer.chat_template",
        )
    with lock_of(tokenizer):
        batch = tokenizer.apply_chat_template(
            list(messages), **{"add_generation_prompt": True, **template}, return_tensors="pt", return_dict=True
        )
    return {"input_ids": batch["input_ids"].to(device), "attention_mask": batch["attention_mask"].to(device)}
