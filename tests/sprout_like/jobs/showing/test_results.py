"""Answers as JSON Lines."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sprout_like.errors import JobError
from sprout_like.jobs.job import Answer, Attempt
from sprout_like.jobs.showing.results import print_results, write_results

ANSWER = Answer(
    place=0,
    text="Zwölf, 雨, 🌧 and \x9b31m",
    directive="brief",
    prompt_tokens=7,
    new_tokens=3,
    finish_reason="stop",
    energy_j=1.5,
    energy_method="apportioned",
    operational_g=None,
)
ANSWERED = Attempt(place=0, state="done", attempts=1, own_id="first", answer=ANSWER)
FAILED = Attempt(place=1, state="failed", attempts=3, error="ValueError: too long")
WAITING = Attempt(place=2, state="waiting", attempts=1, error="TimeoutError")
FORGOTTEN = replace(ANSWERED, place=3, answer=replace(ANSWER, place=3, text=None))


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_what_was_answered_and_what_was_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    written = write_results([ANSWERED, FAILED], file)
    answered, failed = lines(file.read_text("utf-8"))

    assert answered == {
        "place": 0,
        "id": "first",
        "text": "Zwölf, 雨, 🌧 and \x9b31m",
        "directive": "brief",
        "prompt_tokens": 7,
        "new_tokens": 3,
        "finish_reason": "stop",
        "energy_j": 1.5,
        "energy_method": "apportioned",
        "operational_g": None,
        "error": None,
    }
    assert (failed["place"], failed["text"], failed["error"]) == (1, None, "ValueError: too long")
    assert set(failed) == set(answered)
    assert (written.answered_n, written.failed_n, written.complete) == (1, 1, False)
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_not_done_yet_is_left_out_and_counted() -> None:
    stream = io.StringIO()
    written = print_results([ANSWERED, WAITING], stream)

    assert [line["place"] for line in lines(stream.getvalue())] == [0]
    assert (written.missing_n, written.complete) == (1, False)
    assert print_results([ANSWERED], io.StringIO()).complete


def test_a_text_that_was_deleted_says_so_and_its_figures_stay() -> None:
    stream = io.StringIO()
    print_results([FORGOTTEN], stream)
    (line,) = lines(stream.getvalue())

    assert line["text"] is None
    assert "job_keep_days" in str(line["error"])
    assert (line["directive"], line["prompt_tokens"], line["new_tokens"]) == ("brief", 7, 3)
    assert (line["finish_reason"], line["energy_j"], line["energy_method"]) == ("stop", 1.5, "apportioned")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_every_encoding_gets_json_that_tells_the_terminal_nothing(encoding: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace")
    print_results([ANSWERED], stream)
    stream.flush()
    text = raw.getvalue().decode(encoding)

    assert "\x9b" not in text
    assert lines(text)[0]["text"] == ANSWER.text


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    file.write_text("mine")
    with pytest.raises(JobError, match=r"exists\. Name another file"):
        write_results([ANSWERED], file)
    assert file.read_text() == "mine"


def test_nor_one_that_comes_while_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"

    def attempts() -> Iterator[Attempt]:
        yield ANSWERED
        file.write_text("mine")

    with pytest.raises(JobError, match=r"cannot write .*File exists"):
        write_results(attempts(), file)
    assert file.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [file]


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    def attempts() -> Iterator[Attempt]:
        yield ANSWERED
        raise JobError("the queue went away")

    with pytest.raises(JobError, match="went away"):
        write_results(attempts(), tmp_path / "answers.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"cannot write .*answers\.jsonl \(No such file"):
        write_results([ANSWERED], tmp_path / "nowhere" / "answers.jsonl")
