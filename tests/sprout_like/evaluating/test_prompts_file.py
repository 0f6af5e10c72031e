"""Prompts from a file: what is read, and what is said of a line that is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.errors import NothingToLearn, SettingError
from sprout_like.evaluating.prompts_file import MOST_LINE_BYTES, read_prompts

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(content: bytes | str, name: str = "prompts.jsonl") -> Path:
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return make


def test_json_lines_with_all_they_can_hold(write: Write) -> None:
    lines: list[dict[str, Any]] = [
        {"prompt": "Why?"},
        {"prompt": "6 x 7?", "task": "math", "reference": 42, "limit_tokens": 8},
        {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}], "task": None},
    ]
    first, second, third = read_prompts(write("\n\n".join(map(json.dumps, lines)) + "\n"), limit_tokens=64)

    assert first.messages == [{"role": "user", "content": "Why?"}]
    assert (first.task, first.reference, first.served) == (None, None, None)
    assert first.arguments == {"max_new_tokens": 64, "do_sample": False}
    assert (second.task, second.reference, second.arguments["max_new_tokens"]) == ("math", "42", 8)
    assert [message["role"] for message in third.messages] == ["system", "user"]


def test_plain_text_is_one_prompt_a_line(write: Write) -> None:
    prompts = read_prompts(write("Why?\r\n\n{not json\n", "prompts.txt"), limit_tokens=64)

    assert [prompt.messages[0]["content"] for prompt in prompts] == ["Why?", "{not json"]


def test_a_byte_order_mark_is_no_text(write: Write) -> None:
    (prompt,) = read_prompts(write(b'\xef\xbb\xbf{"prompt": "Why?"}'), limit_tokens=64)

    assert prompt.messages[0]["content"] == "Why?"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Why is the sky secret", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('["secret"]', "the line is a list, no object"),
        ("null", "the line is null, no object"),
        ('{"prompt": true}', "prompt is true or false, no text"),
        ('{"prompt": "secret", "reference": NaN}', "no JSON"),
        ('{"prompt": "secret", "reference": 1e999}', "reference is no finite number"),
        ('{"prompt": "secret", "limit_tokens": 1000000000000000000000}', "limit_tokens is no whole number from 1 to"),
        (r'{"prompt": "secret \ud800"}', "half of a surrogate pair"),
        (r'{"prompt": "secret", "task": "\udc00"}', "half of a surrogate pair"),
        (r'{"prompt": "secret", "reference": "\udc00"}', "half of a surrogate pair"),
        (r'{"messages": [{"role": "user\udc00", "content": "secret"}]}', "half of a surrogate pair"),
        ('{"prompt": "secret", "refrence": "x"}', "Did you mean 'reference'?"),
        ('{"task": "secret"}', "either prompt or messages"),
        ('{"prompt": "secret", "messages": []}', "either prompt or messages"),
        ('{"prompt": " "}', "prompt is empty"),
        ('{"prompt": 7}', "prompt is a number, no text"),
        ('{"messages": []}', "no list of chat messages"),
        ('{"messages": [{"role": "user"}]}', "no list of chat messages"),
        ('{"messages": [{"role": "user", "content": ["secret"]}]}', "no list of chat messages"),
        ('{"prompt": "secret", "limit_tokens": 0}', "limit_tokens is no whole number"),
        ('{"prompt": "secret", "limit_tokens": true}', "limit_tokens is no whole number"),
        ('{"prompt": "secret", "reference": ["x"]}', "reference is a list"),
        (b'{"prompt": "\xff"}', "no UTF-8"),
        (b'{"prompt": "' + b"x" * MOST_LINE_BYTES + b'"}', "longer than"),
    ],
)
def test_a_line_that_is_no_prompt_is_named_and_not_quoted(write: Write, line: str | bytes, message: str) -> None:
    raw = line if isinstance(line, bytes) else line.encode()
    file = write(b'{"prompt": "Why?"}\n' + raw + b"\n")
    with pytest.raises(SettingError) as caught:
        read_prompts(file, limit_tokens=64)

    assert str(caught.value).startswith(f"{file}:2: ")
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_without_line_ends_is_not_read_to_its_end(write: Write) -> None:
    file = write(b"")
    with file.open("r+b") as sparse:
        sparse.truncate(1 << 36)  # 64 GiB of zeros that exist nowhere
    with pytest.raises(SettingError, match="longer than"):
        read_prompts(file, limit_tokens=64)


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_teaches_nothing(write: Write, content: str) -> None:
    with pytest.raises(NothingToLearn, match=r"it holds no prompt\. Give one a line"):
        read_prompts(write(content), limit_tokens=64)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be read"):
        read_prompts(tmp_path, limit_tokens=64)


def test_no_text_shows_in_the_repr(write: Write) -> None:
    (prompt,) = read_prompts(write('{"prompt": "secret", "reference": "secret"}'), limit_tokens=64)

    assert "secret" not in repr(prompt)


@given(text=st.text(min_size=1).filter(str.strip), task=st.none() | st.text(min_size=1))
def test_any_text_comes_through_unchanged(
    tmp_path_factory: pytest.TempPathFactory, text: str, task: str | None
) -> None:
    file = tmp_path_factory.mktemp("prompts") / "prompts.jsonl"
    file.write_text(json.dumps({"prompt": text, "task": task}), encoding="utf-8")
    (prompt,) = read_prompts(file, limit_tokens=64)

    assert (prompt.messages[0]["content"], prompt.task) == (text, task)
