"""A function of the user's that judges."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from sprout_like.errors import JudgeError, SettingError
from sprout_like.judges.judge import Case
from sprout_like.judges.own import UserJudge, open_function


def case(answer: str = "4") -> Case:
    return Case(messages=[{"role": "user", "content": "2+2"}], answer=answer, full_answer="5")


def test_a_function_sees_the_answer_the_conversation_and_the_reference() -> None:
    seen = []

    def score(answer: str, **more: object) -> float:
        seen.append((answer, more))
        return 0.25

    assert UserJudge(score, name="f").rule(case()).score == 0.25
    assert seen[0] == ("4", {"messages": [{"role": "user", "content": "2+2"}], "reference": None})
    assert [answer for answer, _ in seen] == ["4", "5"]


def test_a_function_that_cannot_tell_drops_the_case() -> None:
    ruling = UserJudge(lambda answer, **_: None if answer == "4" else 1, name="f").rule(case())
    assert (ruling.score, ruling.full_score, ruling.reason) == (None, None, "f: it gave no score")


@pytest.mark.parametrize("score", [-0.1, 1.1, math.nan, math.inf, "1", [1], np.zeros(2), 10**400])
def test_what_is_no_score_ends_the_judging(score: object) -> None:
    with pytest.raises(JudgeError, match=r"^f: it gave .*number in \[0, 1\]") as caught:
        UserJudge(lambda *_, **__: score, name="f").rule(case())
    assert "'1'" not in str(caught.value)


@pytest.mark.parametrize("score", [np.float32(0.25), np.float64(0.25), torch.tensor(0.25), Fraction(1, 4)])
def test_a_score_may_be_any_number(score: object) -> None:
    assert UserJudge(lambda *_, **__: score, name="f").rule(case()).score == 0.25


@pytest.mark.parametrize("score", [np.bool_(True), np.int64(1), True])
def test_a_score_may_be_a_truth(score: object) -> None:
    assert UserJudge(lambda *_, **__: score, name="f").rule(case()).score == 1


OWN = """\
import json

def parses(answer, *, messages, reference):
    return helper(answer)

def helper(answer):
    return json.loads(answer)
"""


def test_a_function_that_raises_ends_the_judging_and_shows_where(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(OWN)
    with pytest.raises(JudgeError) as caught:
        open_function(file, "parses").rule(case(answer="a secret answer"))
    said = str(caught.value)
    assert said.startswith(f"mine.py:parses: it raised JSONDecodeError at {file}:7; correct it")
    assert "secret" not in said


def test_a_function_that_is_no_functions_own_file_is_named_without_a_line() -> None:
    with pytest.raises(JudgeError, match=r"^f: it raised TypeError; correct it"):
        UserJudge(int, name="f").rule(case(answer="four"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import json\nraise ValueError('no\\nway')\n", r":2: ValueError: no way\. Correct it"),
        ("import json\n\njson.loads('')\n", r":3: JSONDecodeError: Expecting value"),
        ("import no_such_package\n", r":1: ModuleNotFoundError: No module named 'no_such_package'\."),
        ("def f(:\n", r":1: SyntaxError: invalid syntax\."),
    ],
)
def test_a_file_that_cannot_be_imported_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("mine.py")
    file.write_text(text)
    with pytest.raises(SettingError, match=rf"^judge: {re.escape(str(file))}{said}"):
        open_function(file, "f")
