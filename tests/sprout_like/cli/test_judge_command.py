"""`sprout-like judge` and `sprout-like prompts`: what the user got wrong is said before a model is loaded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sprout_like.evaluating.sample import Sampler
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.testing import sample_request
from sprout_like.serving import Reply
from sprout_like.testing import ManualClock

Command = Callable[..., Any]


@pytest.fixture
def prompts(place: Path) -> Path:
    file = place / "prompts.jsonl"
    file.write_text('{"prompt": "6 x 7?", "reference": "42"}\n')
    return file


@pytest.fixture
def ledger(place: Path) -> str:
    """A ledger that keeps one prompt for a week, and one whose week is over."""
    spec = str(place / "ledger.sqlite")
    for number, age in enumerate((timedelta(days=1), timedelta(days=8))):
        sampler = Sampler(
            build_engine(parse_address(spec)),
            share=1.0,
            keep=timedelta(days=7),
            clock=ManualClock(datetime.now(UTC) - age),
            rng=Random(1),
        )
        asked = [{"role": "user", "content": "a secret question\x1b[2J"}]
        sampler.offer(
            asked,
            None,
            {},
            Reply("a secret answer\x9b2J", sample_request(number, purpose="request", task="\x1bquestion")),
        )
        sampler.close()
    return spec


def test_its_options_are_told(sprout_like: Command) -> None:
    outcome = sprout_like("judge", "--help")

    assert outcome.code == 0
    for option in ("PROMPTS", "--judge", "--directives", "--max-prompts", "--half-width", "--wait", "--json"):
        assert option in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "judge: no judge is named. Give --judge"),
        (("--judge", "nonsense"), "judge: 'nonsense' names no judge"),
        (("--judge", "endpoint:gpt"), "judge_url: it is not set"),
        (("--judge", "exact", "--directives", "breif"), "did you mean 'brief'"),
        (("--judge", "exact", "--directives", "full"), "--directives: nothing is left to judge"),
        (("--judge", "exact", "--json", "nowhere/data.json"), "--json: cannot write nowhere/data.json"),
        (("--judge", "exact", "nowhere.jsonl"), "nowhere.jsonl: cannot be read"),
        (("--judge", "exact", "--wait"), "ledger: there is no ledger at"),
    ],
)
def test_what_is_wrong_is_one_line(sprout_like: Command, arguments: tuple[str, ...], message: str) -> None:
    outcome = sprout_like("judge", *arguments)

    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert message in outcome.err


def test_a_model_that_is_not_there_is_one_line(
    sprout_like: Command, place: Path, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    empty = place / "empty"
    empty.mkdir()
    outcome = sprout_like("judge", prompts, "--judge", "exact", "--model", empty)

    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "Name a folder that holds both" in outcome.err


def test_kept_prompts_are_counted_and_the_expired_deleted(sprout_like: Command, ledger: str) -> None:
    outcome = sprout_like("prompts", "list", "--ledger", ledger)

    assert outcome.code == 0
    assert "question" in outcome.out
    assert "brief" in outcome.out
    assert "secret" not in outcome.out + outcome.err
    assert sprout_like("prompts", "purge", "--ledger", ledger).out == "1 prompts deleted.\n"  # the other had expired
    assert "No prompt is kept" in sprout_like("prompts", "list", "--ledger", ledger).out


def test_texts_are_printed_when_asked_for(sprout_like: Command, ledger: str) -> None:
    outcome = sprout_like("prompts", "list", "--show", "--ledger", ledger)

    assert "user: a secret question" in outcome.out
    assert "answer: a secret answer" in outcome.out
    assert not {"\x1b", "\x9b"} & set(outcome.out)


def test_the_expired_alone_can_be_deleted(sprout_like: Command, ledger: str) -> None:
    assert sprout_like("prompts", "purge", "--expired", "--ledger", ledger).out == "1 prompts deleted.\n"
    assert sprout_like("prompts", "purge", "--ledger", ledger).out == "1 prompts deleted.\n"


def test_without_a_command_prompts_tells_its_commands(sprout_like: Command) -> None:
    outcome = sprout_like("prompts")

    assert outcome.code == 0
    assert "purge" in outcome.out
