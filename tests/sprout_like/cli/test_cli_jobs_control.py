"""Pausing, resuming, cancelling and forgetting; ids that are none; a ledger of another release."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sprout_like.cli.jobs.worker import stopping_at_signals
from sprout_like.jobs.submitting.items import items_of
from sprout_like.ledger.migrate import VERSION_TABLE
from tests.sprout_like.cli.jobs_queue import Made, contents, copied, make_queue, opened

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_queue(tmp_path_factory.mktemp("made") / "ledger.sqlite")


@pytest.fixture
def made(template: Made, place: Path) -> Made:
    return copied(template, place / "ledger.sqlite")


def state(made: Made) -> str:
    with opened(made.ledger) as queue:
        return queue.job(made.job_id).state


def test_paused_resumed_and_cancelled(sprout_like: Command, made: Made) -> None:
    for command, said, after in (
        ("pause", "is paused", "paused"),
        ("resume", "goes on", "waiting"),
        ("cancel", "is cancelled", "cancelled"),
    ):
        outcome = sprout_like("jobs", command, made.job_id[:12], "--ledger", made.ledger)
        assert (outcome.code, outcome.out) == (0, f"Job {made.job_id} {said}.\n")
        assert state(made) == after


def test_results_of_a_cancelled_job_do_not_promise_more(sprout_like: Command, made: Made) -> None:
    sprout_like("jobs", "cancel", made.job_id, "--ledger", made.ledger)
    outcome = sprout_like("jobs", "results", made.job_id, "--ledger", made.ledger)
    assert outcome.code == 1
    assert outcome.err.splitlines() == ["1 item was set aside", "5 items were cancelled"]


@pytest.mark.parametrize(("cancelled", "said"), [(False, "1 item is not done yet"), (True, "1 item was cancelled")])
def test_results_of_a_job_of_one_item(sprout_like: Command, place: Path, cancelled: bool, said: str) -> None:
    (place / "prompts.txt").write_text("Why?\n")
    ledger = ("--ledger", "ledger.sqlite")
    sprout_like("jobs", "submit", "prompts.txt", "--deadline", "+8h", "--model", "org/m", *ledger)
    with opened(place / "ledger.sqlite") as queue:
        (job,) = queue.jobs()
    if cancelled:
        sprout_like("jobs", "cancel", job.job_id, *ledger)
    outcome = sprout_like("jobs", "results", job.job_id, *ledger)
    assert (outcome.code, outcome.out, outcome.err) == (1, "", f"{said}\n")


@pytest.mark.parametrize("command", ["pause", "resume", "cancel"])
def test_a_job_that_has_ended_stays_as_it_is(sprout_like: Command, made: Made, command: str) -> None:
    sprout_like("jobs", "cancel", made.job_id, "--ledger", made.ledger)
    before = contents(made.ledger)
    outcome = sprout_like("jobs", command, made.job_id, "--ledger", made.ledger)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "cancelled" in outcome.err
    assert contents(made.ledger) == before


@pytest.mark.parametrize("command", ["show", "watch", "results", "pause", "resume", "cancel"])
@pytest.mark.parametrize("job", ["ffffffff", "x", "", "%", "' or 1=1 --"])
def test_an_id_that_is_none(sprout_like: Command, made: Made, command: str, job: str) -> None:
    before = contents(made.ledger)
    outcome = sprout_like("jobs", command, "--ledger", made.ledger, "--", job)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert outcome.err.startswith("error: ")
    assert contents(made.ledger) == before


def test_an_id_that_could_be_several(sprout_like: Command, made: Made) -> None:
    with opened(made.ledger) as queue:
        twin = replace(queue.job(made.job_id), job_id=f"{made.job_id[:12]}{'b' * 20}", items_n=1)
        queue.submit(twin, items_of([{"prompt": "Why?"}], limit_tokens=8))
    before = contents(made.ledger)
    outcome = sprout_like("jobs", "cancel", made.job_id[:12], "--ledger", made.ledger)

    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "several" in outcome.err
    assert contents(made.ledger) == before


def test_texts_of_jobs_that_ended_are_deleted(sprout_like: Command, made: Made) -> None:
    ledger = ("--ledger", made.ledger)
    open_still = sprout_like("jobs", "forget", "--before", "2999-01-01", *ledger)
    sprout_like("jobs", "cancel", made.job_id, *ledger)
    lately = sprout_like("jobs", "forget", *ledger)
    assert any("a secret" in line for line in contents(made.ledger))
    gone = sprout_like("jobs", "forget", "--before", "2999-01-01", *ledger)

    assert (open_still.out, lately.out, gone.out) == (
        "Texts of 0 jobs deleted.\n",
        "Texts of 0 jobs deleted.\n",
        "Texts of 1 jobs deleted.\n",
    )
    assert not any("a secret" in line or "an answer to" in line for line in contents(made.ledger))
    shown = " ".join(sprout_like("jobs", "show", made.job_id, *ledger).out.split())
    assert "energy 3.60 MJ" in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("show", "0000"),
        ("cancel", "0000"),
        ("submit", "prompts.txt", "--deadline", "+8h", "--model", "org/m"),
        ("worker", "--once"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_ledger_of_a_newer_release(sprout_like: Command, made: Made, place: Path, arguments: tuple[str, ...]) -> None:
    (place / "prompts.txt").write_text("Why?\n")
    with closing(sqlite3.connect(made.ledger)) as connection, connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    before = contents(made.ledger)
    outcome = sprout_like("jobs", *arguments, "--ledger", made.ledger)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "has schema 9999, which this release does not know" in outcome.err
    assert contents(made.ledger) == before


def test_a_first_signal_stops_and_a_second_ends() -> None:
    stops: list[str] = []
    with stopping_at_signals(lambda: stops.append("stop")) as asked:
        os.kill(os.getpid(), signal.SIGINT)
        assert (stops, asked) == (["stop"], [signal.SIGINT])
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert stops == ["stop"]


def test_a_signal_after_the_end_is_the_programs_own_again() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stopping_at_signals(lambda: None):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
