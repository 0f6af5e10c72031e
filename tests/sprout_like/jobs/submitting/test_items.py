"""From prompts to items."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sprout_like.errors import JobError, NothingToLearn, SettingError
from sprout_like.jobs.submitting.items import items_of, items_of_file

CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]


def test_a_file_of_prompts(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    lines: list[dict[str, Any]] = [
        {"prompt": "Why?", "id": "first", "task": "question", "limit_tokens": 8},
        {"messages": CHAT, "id": 7, "reference": "because"},
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    first, second = items_of_file(file, limit_tokens=256)

    assert (first.place, first.own_id, first.task, first.limit_tokens) == (0, "first", "question", 8)
    assert (second.place, second.own_id, second.task, second.limit_tokens) == (1, "7", None, 256)
    assert second.messages == CHAT
    assert "Why" not in repr((first, second))


def test_a_malformed_line_is_named_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text('{"prompt": "Why?"}\n\n{"prompt": "secret"\n')
    with pytest.raises(SettingError) as caught:
        items_of_file(file, limit_tokens=256)
    assert str(caught.value).startswith(f"{file}:3: the line is no JSON")
    assert "secret" not in str(caught.value)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("\n")
    with pytest.raises(NothingToLearn, match="it holds no prompt"):
        items_of_file(tmp_path / "prompts.txt", limit_tokens=256)


def test_prompts_in_python() -> None:
    text, chat, full = items_of(
        ["Why?", CHAT, {"prompt": "How?", "id": "x", "limit_tokens": 4}],
        limit_tokens=64,
        template={"enable_thinking": False},
    )
    assert text.messages == [{"role": "user", "content": "Why?"}]
    assert chat.messages == CHAT
    assert (full.own_id, full.limit_tokens, full.place) == ("x", 4, 2)
    assert all(item.template == {"enable_thinking": False} for item in (text, chat, full))


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ([], "there are none"),
        ("secret", "prompts: this is a str, not a list of prompts"),
        ({"prompt": "secret"}, "prompts: this is a dict, not a list of prompts"),
        (b"secret", "prompts: this is a bytes, not a list of prompts"),
        (bytearray(b"secret"), "prompts: this is a bytearray, not a list of prompts"),
        (None, "prompts: this is a NoneType, not a list of prompts"),
        (5, "prompts: this is a int, not a list of prompts"),
        (["Why?", b"secret"], r"prompts\[1\]: a bytes is no prompt"),
        (["Why?", 7], r"prompts\[1\]: a int is no prompt"),
        (["Why?", "  "], r"prompts\[1\]: prompt is empty"),
        (["Why?", ["secret"]], r"prompts\[1\]: messages is no list of chat messages"),
        ([{"prompt": "secret", "limt_tokens": 4}], "Did you mean 'limit_tokens'"),
        ([{7: "secret"}], r"prompts\[0\]: there is no key '7'"),
    ],
)
def test_what_is_no_prompt_in_python(prompts: Any, message: str) -> None:
    with pytest.raises((JobError, SettingError), match=message) as caught:
        items_of(prompts, limit_tokens=64)
    assert "secret" not in str(caught.value)


def test_prompts_may_come_one_by_one() -> None:
    assert [item.place for item in items_of((text for text in ("Why?", "How?")), limit_tokens=64)] == [0, 1]


@pytest.mark.parametrize("limit", [0, True, 1 << 30, "8", None, 8.0])
def test_a_limit_that_is_none(limit: Any) -> None:
    with pytest.raises(JobError, match=r"limit_tokens: .* is no whole number"):
        items_of(["Why?"], limit_tokens=limit)
