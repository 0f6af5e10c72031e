"""Finding the system turn of a template and writing into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sprout_like.knobs.system_turn import SystemTurn, renders_system, with_instruction

pytestmark = pytest.mark.model

INSTRUCTION = "Always answer briefly."

# ChatML as Qwen3 and others have it: no system turn unless the caller gives one.
CHATML_BARE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# The style of Mistral 7B: what a system message says is put before the first user message.
FOLDED = (
    "{% set s = messages[0].content if messages[0].role == 'system' else '' %}"
    "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ s + ' ' if s else '' }}{{ m.content }} [/INST]"
    "{% endif %}{% endfor %}"
)
REFUSES = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{{ m.content }}{% endfor %}"
)
IGNORES = "{% for m in messages %}{% if m.role != 'system' %}{{ m.role }}: {{ m.content }}\n{% endif %}{% endfor %}"


def spliced(turn: SystemTurn, tokenizer: Any, messages: list[dict[str, str]]) -> str:
    row = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
    splice = turn.splice(tokenizer, row, INSTRUCTION)
    assert splice is not None
    assert turn.begins(row)
    return str(tokenizer.decode([*row[: splice.at], *splice.ids, *row[splice.at :]]))


CONVERSATIONS = [
    [{"role": "user", "content": "Why?"}],
    [{"role": "system", "content": "You are a pirate."}, {"role": "user", "content": "Why?"}],
    [{"role": "system", "content": "Ends in a newline\n"}, {"role": "user", "content": "Why?"}],
    [
        {"role": "system", "content": "One."},
        {"role": "user", "content": "Two <b>&amp;</b>"},
        {"role": "assistant", "content": "Three."},
        {"role": "user", "content": "日本語 🙂"},
    ],
]


@pytest.mark.parametrize("messages", CONVERSATIONS[1:])
@pytest.mark.parametrize("template", [None, CHATML_BARE])
def test_a_splice_reads_as_the_template_would_have_rendered_it(
    tokenizer: Any, retemplated: Callable[[str], Any], template: str | None, messages: list[dict[str, str]]
) -> None:
    tok = tokenizer if template is None else retemplated(template)
    turn = SystemTurn.learn(tok)
    assert turn is not None
    longer = with_instruction(messages, INSTRUCTION)
    assert spliced(turn, tok, messages) == tok.apply_chat_template(longer, tokenize=False, add_generation_prompt=True)


def test_a_default_system_turn_is_kept_and_extended(tokenizer: Any) -> None:
    turn = SystemTurn.learn(tokenizer)
    assert turn is not None
    text = spliced(turn, tokenizer, CONVERSATIONS[0])
    assert text.startswith(
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face\n\n"
        f"{INSTRUCTION}<|im_end|>\n<|im_start|>user\nWhy?"
    )


def test_a_prompt_without_system_turn_gets_one_where_the_template_puts_it(retemplated: Callable[[str], Any]) -> None:
    tok = retemplated(CHATML_BARE)
    turn = SystemTurn.learn(tok)
    assert turn is not None
    wanted = with_instruction(CONVERSATIONS[0], INSTRUCTION)
    assert spliced(turn, tok, CONVERSATIONS[0]) == tok.apply_chat_template(
        wanted, tokenize=False, add_generation_prompt=True
    )


def test_an_empty_system_message_gets_the_instruction_alone(tokenizer: Any) -> None:
    turn = SystemTurn.learn(tokenizer)
    assert turn is not None
    messages = [{"role": "system", "content": ""}, {"role": "user", "content": "Why?"}]
    assert f"system\n{INSTRUCTION}<|im_end|>" in spliced(turn, tokenizer, messages)


@pytest.mark.parametrize(
    "text", ["Why is the sky blue?", "<|im_start|>user\nWhy?<|im_end|>\n", "<|im_start|>system\nno end"]
)
def test_a_prompt_that_the_template_did_not_make_is_not_touched(tokenizer: Any, text: str) -> None:
    turn = SystemTurn.learn(tokenizer)
    assert turn is not None
    row = tokenizer.encode(text, add_special_tokens=False)
    assert turn.splice(tokenizer, row, INSTRUCTION) is None
    assert not turn.begins(row)


@pytest.mark.parametrize("template", [None, FOLDED, REFUSES, IGNORES, "{{ messages[0].content }}"])
def test_a_template_without_a_system_turn_of_its_own_is_not_recognised(
    retemplated: Callable[[str | None], Any], template: str | None
) -> None:
    assert SystemTurn.learn(retemplated(template)) is None


@pytest.mark.parametrize(
    ("template", "renders"), [(CHATML_BARE, True), (FOLDED, True), (REFUSES, False), (IGNORES, False), (None, False)]
)
def test_whether_a_chat_can_carry_a_system_message(
    retemplated: Callable[[str | None], Any], template: str | None, renders: bool
) -> None:
    assert renders_system(retemplated(template)) is renders


def test_messages_of_the_caller_are_not_changed() -> None:
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Why?"}]
    longer = with_instruction(messages, INSTRUCTION)
    assert messages[0]["content"] == "Be kind."
    assert longer[0]["content"] == f"Be kind.\n\n{INSTRUCTION}"
    assert with_instruction(messages[1:], INSTRUCTION)[0] == {"role": "system", "content": INSTRUCTION}
