"""The user's text in prompts that chat templates of several families made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sprout_like.classes.turns import turns_of

TEMPLATES = {
    "chatml": (
        "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nBe nice.<|im_end|>\n{% endif %}"
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "llama 2": (
        "{% for m in messages %}{% if m['role'] == 'user' %}{{ bos_token }}[INST] {{ m['content'] | trim }} [/INST]"
        "{% elif m['role'] == 'assistant' %} {{ m['content'] | trim }} {{ eos_token }}{% endif %}{% endfor %}"
    ),
    "gemma": (
        "{{ bos_token }}{% for m in messages %}"
        "<start_of_turn>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n"
        "{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
        "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
    ),
    "words": (
        "{% for m in messages %}{{ 'Human: ' if m['role'] == 'user' else 'Robot: ' }}{{ m['content'] }}\n\n{% endfor %}"
        "{% if add_generation_prompt %}Robot:{% endif %}"
    ),
}
CONVERSATION = [
    {"role": "user", "content": "First?"},
    {"role": "assistant", "content": "Yes."},
    {"role": "user", "content": "And\n\nthen?"},
]


@pytest.mark.parametrize("more", [True, False])
@pytest.mark.parametrize("family", TEMPLATES)
def test_the_last_question_is_found(retemplated: Callable[..., Any], family: str, more: bool) -> None:
    tokenizer = retemplated(TEMPLATES[family])
    turns = turns_of(tokenizer)
    assert turns is not None
    for messages, wanted in ((CONVERSATION, "And\n\nthen?"), (CONVERSATION[:1], "First?")):
        prompt = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=more)
        assert turns.are_in(prompt)
        asked = turns.last_user_text(prompt)
        # Where nothing but a line ends a message, what comes after it cannot be told from it.
        assert asked == wanted or (family == "words" and asked is not None and asked.startswith(wanted))
    assert not turns.are_in("A text to be completed")
    assert turns.last_user_text("A text to be completed") is None


@pytest.mark.parametrize(
    "template",
    ["", "always the same", "{{ messages[0]['content'] }}", "{% for m in messages %}{{ m['content'] }}{% endfor %}"],
)
def test_a_template_that_marks_no_turns_tells_nothing(retemplated: Callable[..., Any], template: str) -> None:
    assert turns_of(retemplated(template)) is None
