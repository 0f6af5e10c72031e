"""What the commands print of jobs that are there: list, show, watch, results, workers, schedules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text

from sprout_like.cli.grid.screen import Screen
from sprout_like.cli.grid.times import Times
from sprout_like.jobs.job import Answer
from tests.sprout_like.cli.jobs_queue import HOUR, MODEL, Made, copied, make_queue, opened, worker

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_queue(tmp_path_factory.mktemp("made") / "ledger.sqlite")


@pytest.fixture
def made(template: Made, place: Path) -> Made:
    return copied(template, place / "ledger.sqlite")


def test_help_alone_for_the_group(sprout_like: Command) -> None:
    assert sprout_like("jobs") == sprout_like("jobs", "-h")


def test_the_list(sprout_like: Command, made: Made) -> None:
    outcome = sprout_like("jobs", "list", "--ledger", made.ledger)
    heading, line = outcome.out.splitlines()[:2]

    assert (outcome.code, outcome.err) == (0, "")
    assert heading.split()[:6] == ["job", "state", "done", "failed", "CO2e", "saves"]
    assert line.split()[:8] == [made.job_id[:12], "running", "4/10", "1", "100", "g", "50", "%"]
    assert max(map(len, outcome.out.splitlines())) <= 80
    (as_json,) = json.loads(sprout_like("jobs", "list", "--json", "--ledger", made.ledger).out)["jobs"]
    assert (as_json["job_id"], as_json["state"], as_json["planned_saving_share"]) == (made.job_id, "running", 0.5)
    assert as_json["standing"]["failed_n"] == 1


@pytest.mark.parametrize("columns", ["30", "200"])
def test_no_figure_is_cut_in_any_width(
    sprout_like: Command, made: Made, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for command in ("list", "workers"):
        assert "…" not in sprout_like("jobs", command, "--ledger", made.ledger).out


def test_a_job_in_full(sprout_like: Command, made: Made) -> None:
    outcome = sprout_like("jobs", "show", made.job_id[:12], "--utc", "--ledger", made.ledger)
    words = " ".join(outcome.out.split())

    assert (outcome.code, outcome.err) == (0, "")
    assert f"{made.job_id}: running" in words
    assert "items 4 of 10 done, 2 with a worker, 1 set aside" in words
    assert f"model {MODEL}" in words
    assert "tags team=search" in words
    assert "energy 3.60 MJ" in words
    assert "carbon 100 g CO2e" in words
    assert "planned 50 g CO2e instead of 100 g at once: 50 % less" in words
    assert "so far 100 g CO2e instead of 400 g at once: 75 % less, modelled" in words
    assert "GB 5 28 3.60 MJ 100 g" in words
    assert "ValueError: longer than the context, after 1 attempts" in words
    assert "secret" not in outcome.out
    assert "an answer" not in outcome.out


def test_a_job_for_machines(sprout_like: Command, made: Made) -> None:
    outcome = sprout_like("jobs", "show", made.job_id, "--json", "--ledger", made.ledger)
    data = json.loads(outcome.out)

    assert (data["state"], data["job"]["items_n"], data["standing"]["done_n"]) == ("running", 10, 4)
    assert data["saving"]["planned_share"] == 0.5
    assert data["saving"]["so_far"]["share"] == pytest.approx(0.75)
    assert (len(data["planned"]), len(data["runs"]), len(data["failed"])) == (1, 1, 1)
    assert "secret" not in outcome.out
    assert "an answer" not in outcome.out


def test_what_is_unknown_is_said_to_be(sprout_like: Command, place: Path, made: Made) -> None:
    (place / "prompts.txt").write_text("Why?\n")
    new = json.loads(
        sprout_like(
            "jobs",
            "submit",
            "prompts.txt",
            "--deadline",
            "+8h",
            "--model",
            "org/other",
            "--json",
            "--ledger",
            made.ledger,
        ).out
    )["job"]["job_id"]
    words = " ".join(sprout_like("jobs", "show", new, "--ledger", made.ledger).out.split())
    listed = sprout_like("jobs", "list", "--ledger", made.ledger).out
    watched = " ".join(sprout_like("jobs", "watch", new, "--ledger", made.ledger).out.split())

    assert next(line for line in listed.splitlines() if line.startswith(new[:12])).split()[2:6] == [
        "0/1",
        "0",
        "–",
        "–",
    ]
    assert "energy none yet carbon none yet planned unknown: no forecast or no measured pace yet" in words
    assert "so far" not in words
    assert "next run not planned: no worker alive may run it" in watched
    assert "forecast unknown: no worker has announced one" in watched
    assert " 0 g" not in words + watched


def test_a_watched_job_in_a_pipe_is_one_frame(sprout_like: Command, made: Made) -> None:
    outcome = sprout_like("jobs", "watch", made.job_id, "--utc", "--ledger", made.ledger)
    lines = outcome.out.splitlines()
    ran, plan, now = (next(line for line in lines if line.split()[:1] == [name]) for name in ("ran", "plan", "now"))

    assert (outcome.code, outcome.err) == (0, "")
    assert lines[0] == f"{made.job_id[:12]}: running (GB, times UTC)"
    assert lines[1] == " g/kWh"
    assert max(map(len, lines)) <= 80
    # 20 hours over 72 columns: the run from the 5th to the 6th, the plan from the 13th to the 15th.
    assert (ran.index("█"), ran.count("█")) == (8 + 18, 4)
    assert (plan.index("▲"), plan.count("▲")) == (8 + 46, 8)
    assert ran.index("█") < now.index("│") < plan.index("▲")
    words = " ".join(outcome.out.split())
    assert "4 of 10 done" in words
    assert "energy 3.60 MJ" in words
    assert "carbon 100 g CO2e" in words
    assert "50 % less" in words
    assert "bbbbbbbbbbbb running, GB, padded, 100 tokens/s, seen" in words


def test_a_watched_job_on_a_terminal_is_drawn_until_it_has_ended(capsys: pytest.CaptureFixture[str]) -> None:
    frames = iter([("one", True), ("two", True), ("three", False)])

    def draw() -> tuple[Text, bool]:
        name, goes_on = next(frames)
        return Text(name), goes_on

    Screen(Times()).keep_showing(draw, every_s=0.0)
    assert next(frames, None) is None
    assert capsys.readouterr().out.split()[-1] == "three"


def test_past_hours_are_drawn_as_published_and_those_to_come_as_announced(sprout_like: Command, made: Made) -> None:
    """From 400 at submission down to 260 an hour ago, then 300 now and down: the highest bar is the first."""
    lines = sprout_like("jobs", "watch", made.job_id, "--utc", "--ledger", made.ledger).out.splitlines()
    assert lines[2].startswith("   400 │█")
    assert len(lines[2].rstrip()) < 20
    assert len(lines[11].rstrip()) == 80


def test_a_frame_where_there_are_no_block_characters(
    sprout_like: Command, made: Made, installed_command: Command
) -> None:
    outcome = installed_command(
        "jobs", "watch", made.job_id, "--once", "--ledger", str(made.ledger), PYTHONIOENCODING="ascii"
    )
    assert outcome.code == 0
    assert "\\u" not in outcome.out
    assert "   ran " in outcome.out
    assert "^^^" in outcome.out


def test_results_are_json_lines_and_say_what_is_missing(sprout_like: Command, made: Made, place: Path) -> None:
    outcome = sprout_like("jobs", "results", made.job_id, "--ledger", made.ledger)
    lines = [json.loads(line) for line in outcome.out.splitlines()]

    assert outcome.code == 1
    assert [line["place"] for line in lines] == sorted(line["place"] for line in lines)
    assert [line["text"] for line in lines if line["error"] is None] == [
        f"an answer to {line['place']}" for line in lines if line["error"] is None
    ]
    assert [line["error"] for line in lines if line["error"]] == ["ValueError: longer than the context"]
    assert all(line["id"] == f"q{line['place']}" for line in lines)
    assert outcome.err.splitlines() == ["1 item was set aside", "5 items are not done yet"]

    to_file = sprout_like("jobs", "results", made.job_id, "--out", "answers.jsonl", "--ledger", made.ledger)
    again = sprout_like("jobs", "results", made.job_id, "--out", "answers.jsonl", "--ledger", made.ledger)
    assert (to_file.code, to_file.out) == (1, "")
    assert (place / "answers.jsonl").read_text() == outcome.out
    assert (again.code, again.err) == (2, "error: out: answers.jsonl exists. Name another file, or move it away\n")


def test_results_of_a_complete_job_have_exit_code_0(sprout_like: Command, place: Path) -> None:
    (place / "prompts.txt").write_text("Why?\n")
    options = ("--ledger", "ledger.sqlite")
    job_id = json.loads(
        sprout_like("jobs", "submit", "prompts.txt", "--deadline", "+8h", "--model", "org/m", "--json", *options).out
    )["job"]["job_id"]
    with opened(place / "ledger.sqlite") as queue:
        claim = queue.claim(job_id, "w", most=1, lease_s=60)
        assert claim is not None
        queue.finish(claim, [Answer(place=0, text="Because.")])

    outcome = sprout_like("jobs", "results", job_id, *options)
    assert (outcome.code, outcome.err) == (0, "")
    assert "done" in sprout_like("jobs", "list", *options).out
    assert ": done" in sprout_like("jobs", "watch", job_id, *options).out


def test_workers_that_are_alive(sprout_like: Command, made: Made) -> None:
    with opened(made.ledger) as queue:
        queue.announce(worker(made.now_utc - HOUR, worker_id="d" * 32))
        queue.announce(worker(made.now_utc, worker_id="e" * 32, state="stopped"))
        queue.announce(worker(made.now_utc, worker_id="f" * 32, pace_tokens_per_s=None, power_w=None, state="idle"))
    lines = sprout_like("jobs", "workers", "--ledger", made.ledger).out.splitlines()

    assert [line.split()[0] for line in lines[1:] if not line.startswith(" ")] == ["b" * 12, "f" * 12]
    assert "  –" in next(line for line in lines if line.startswith("ffff"))


def test_a_worker_of_another_release_is_pointed_out(sprout_like: Command, made: Made) -> None:
    assert "release" not in sprout_like("jobs", "workers", "--ledger", made.ledger).out
    with opened(made.ledger) as queue:
        queue.announce(worker(made.now_utc, worker_id="f" * 32, schema="0006"))
    assert "they know schema 0006 and not " in sprout_like("jobs", "workers", "--ledger", made.ledger).out


def test_a_worker_is_asked_to_end(sprout_like: Command, made: Made) -> None:
    outcome = sprout_like("jobs", "workers", "--stop", "bbbb", "--ledger", made.ledger)
    assert (outcome.code, outcome.out) == (0, f"Worker {made.worker_id} is asked to end.\n")
    with opened(made.ledger) as queue:
        assert queue.announce(worker(made.now_utc)) is True
    missing = sprout_like("jobs", "workers", "--stop", "cccc", "--ledger", made.ledger)
    assert (missing.code, missing.err) == (2, "error: worker: there is no 'cccc'. See `sprout-like jobs workers`\n")


def test_an_empty_queue(sprout_like: Command, place: Path, made: Made) -> None:
    with opened(made.ledger) as queue:
        queue.cancel(made.job_id)
    assert "There is no schedule" in sprout_like("jobs", "schedules", "--ledger", made.ledger).out
    assert "cancelled" in sprout_like("jobs", "list", "--ledger", made.ledger).out
    missing = sprout_like("jobs", "list", "--ledger", place / "nowhere.sqlite")
    assert missing.code == 2
    assert "Submit a job first, or name another" in missing.err
    assert not (place / "nowhere.sqlite").exists()
