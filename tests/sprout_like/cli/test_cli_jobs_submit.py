"""`sprout-like jobs submit`: what goes into the queue, and that nothing does where anything is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sprout_like.ledger import open_ledger
from sprout_like.ledger.testing import sample_request
from tests.sprout_like.cli.jobs_queue import MODEL, Made, contents, copied, make_queue, opened, worker

Command = Callable[..., Any]

GOOD = ("--deadline", "+8h", "--model", "org/model")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_queue(tmp_path_factory.mktemp("made") / "ledger.sqlite")


@pytest.fixture
def made(template: Made, place: Path) -> Made:
    return copied(template, place / "ledger.sqlite")


@pytest.fixture
def prompts(place: Path) -> Path:
    file = place / "prompts.jsonl"
    lines: list[dict[str, Any]] = [
        {"prompt": "a secret question", "id": "first"},
        {"messages": [{"role": "user", "content": "another secret"}], "task": "summary", "limit_tokens": 8},
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    return file


def test_a_job_in_a_ledger_that_is_made_for_it(sprout_like: Command, prompts: Path, place: Path) -> None:
    day = f"{datetime.now(UTC) + timedelta(days=20):%Y-%m-%d}"
    outcome = sprout_like(
        "jobs",
        "submit",
        prompts,
        *(
            "--deadline",
            f"{day}T08:00+01:00",
            "--model",
            "org/model",
            "--task",
            "question",
            "--out",
            "answers.jsonl",
            "--tag",
            "team=search",
        ),
        *("--zones", "GB, FR", "--engine", "padded", "--policy", "brief", "--limit-tokens", 99),
    )
    ledger = place / "data" / "sprout-like" / "ledger.sqlite"

    assert (outcome.code, outcome.err) == (0, "")
    with opened(ledger) as queue:
        (job,) = queue.jobs()
        claim = queue.claim(job.job_id, "w", most=2, lease_s=60)
    assert outcome.out.startswith(f"Job {job.job_id}: 2 items, to be done by {day} 07:00 UTC.\n")
    assert "No worker is running. Start one: sprout-like jobs worker --model org/model\n" in outcome.out
    assert (job.model, job.task, job.engine, job.policy) == ("org/model", "question", "padded", "brief")
    assert (job.zones, job.tags, job.items_n) == (("GB", "FR"), {"team": "search"}, 2)
    assert job.out == str(place / "answers.jsonl")
    assert claim is not None
    assert {(item.own_id, item.task, item.limit_tokens) for item in claim.items} == {
        ("first", None, 99),
        (None, "summary", 8),
    }


def test_the_model_of_the_workers_and_their_pace(sprout_like: Command, prompts: Path, made: Made) -> None:
    outcome = sprout_like("jobs", "submit", prompts, "--deadline", "+8h", "--ledger", made.ledger, "--json")
    data = json.loads(outcome.out)

    assert outcome.code == 0
    assert data["job"]["model"] == MODEL
    assert data["notes"][1:] == ["2 items, about 3 s of work at most at the measured pace, 8.0 h left."]
    assert "secret" not in outcome.out


def test_a_recurring_job_is_listed_and_ended(sprout_like: Command, prompts: Path, made: Made) -> None:
    ledger = ("--ledger", made.ledger)
    outcome = sprout_like(
        "jobs", "submit", prompts, "--every", "0 6 * * 1-5", "--within", "8h", "--timezone", "Europe/Paris", *ledger
    )
    schedule_id = outcome.out.split()[1].rstrip(":")
    listed = sprout_like("jobs", "schedules", *ledger).out
    (as_json,) = json.loads(sprout_like("jobs", "schedules", "--json", *ledger).out)["schedules"]

    assert outcome.code == 0
    assert " ".join(listed.splitlines()[1].split()).startswith(f"{schedule_id[:12]} 0 6 * * 1-5 Europe/Paris 8 h")
    assert (as_json["schedule_id"], as_json["within"]) == (schedule_id, 8 * 3600)
    with opened(made.ledger) as queue:
        assert len(queue.jobs()) == 1
    ended = sprout_like("jobs", "schedules", "--end", schedule_id[:12], *ledger)
    assert ended.out == f"Schedule {schedule_id} has ended.\n"
    assert "There is no schedule" in sprout_like("jobs", "schedules", *ledger).out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--deadline", "2020-01-01T00:00Z"), "deadline: 2020-01-01 00:00 UTC has passed"),
        (("--deadline", "2026-12-01T08:00"), "does not say in which zone. Add Z for UTC, or an offset such as +01:00"),
        (("--deadline", "tomorrow"), "deadline: 'tomorrow' is no moment"),
        ((), "deadline: there is none"),
        (("--every", "0 6 * *", "--within", "8h"), "every: '0 6 * *' is not five fields"),
        (("--every", "0 6 * * *"), "within: a recurring job needs the time"),
        (("--every", "0 6 * * *", "--within", "8h", "--timezone", "Mars/X"), "timezone: there is no zone 'Mars/X'"),
        (("--deadline", "+8h", "--model", "./nowhere"), "model: there is no folder './nowhere'"),
        (("--deadline", "+8h", "--model", "a b"), "model: 'a b' is no name of a model"),
        (("--deadline", "+8h", "--task", "sumary"), "task: nothing is known of 'sumary'. Did you mean 'summary'?"),
        (("--deadline", "+8h", "--engine", "vllm"), "engine: there is none named 'vllm'"),
        (("--deadline", "+8h", "--policy", "brif"), "policy: 'brif' is neither a policy nor a directive"),
        (("--deadline", "+8h", "--zones", "GB,Atlantis"), "Atlantis"),
        (("--deadline", "+8h", "--zones", ""), "zones: none is named. Give some such as GB,FR"),
        (("--deadline", "+8h", "--zones", " ,"), "zones: none is named. Give some such as GB,FR"),
        (("--every", "0 6 * * *", "--within", "400d"), "within: 400 days are more than a year. Give a shorter time"),
        (("--every", "0 6 * * *", "--within", "99999999d"), "within: 99999999 days are more than a year"),
        (("--deadline", "+8h", "--tag", "team"), "--tag: 'team' is no tag. Give one such as team=search"),
        (("--deadline", "+8h", "--out", "there.jsonl"), "there.jsonl exists. Name another file, or move it away"),
        (("--deadline", "+8h", "--out", "no/where.jsonl"), "out: there is no folder"),
        (
            ("--deadline", "+1h", "--limit-tokens", 1 << 20),
            "cannot be done in time at the measured pace: 2 items, about",
        ),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_the_queue_as_it_was(
    sprout_like: Command, prompts: Path, made: Made, place: Path, options: tuple[object, ...], message: str
) -> None:
    (place / "there.jsonl").touch()
    ledger = open_ledger(made.ledger, spool_path=place / "spool.sqlite")
    ledger.append(sample_request(1, task="summary"))
    ledger.close()
    before = contents(made.ledger)
    outcome = sprout_like("jobs", "submit", prompts, *options, "--ledger", made.ledger)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1
    assert message in outcome.err
    assert contents(made.ledger) == before


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"prompt": "secret"', "prompts.jsonl:3: the line is no JSON"),
        ('{"prompt": "secret", "limt_tokens": 3}', "prompts.jsonl:3: there is no key 'limt_tokens'"),
        ('{"messages": [{"role": "user"}]}', "prompts.jsonl:3: messages is no list of chat messages"),
    ],
)
def test_a_malformed_line_is_named_by_its_number(
    sprout_like: Command, prompts: Path, made: Made, line: str, message: str
) -> None:
    with prompts.open("a") as file:
        file.write("\n" + line + "\n")
    before = contents(made.ledger)
    outcome = sprout_like("jobs", "submit", prompts, *GOOD, "--ledger", made.ledger)

    assert outcome.code == 2
    assert message in outcome.err
    assert "secret" not in outcome.err
    assert contents(made.ledger) == before


def test_a_file_that_is_not_there_or_empty(sprout_like: Command, place: Path, made: Made) -> None:
    (place / "empty.txt").touch()
    before = contents(made.ledger)
    for file, message in (("nowhere.jsonl", "cannot be read"), ("empty.txt", "it holds no prompt")):
        outcome = sprout_like("jobs", "submit", file, *GOOD, "--ledger", made.ledger)
        assert (outcome.code, message in outcome.err) == (2, True)
    assert contents(made.ledger) == before


def test_no_ledger_is_made_for_an_order_that_is_wrong(sprout_like: Command, prompts: Path, place: Path) -> None:
    outcome = sprout_like("jobs", "submit", prompts, "--model", "org/model", "--deadline", "2020-01-01T00:00Z")
    assert outcome.code == 2
    assert not (place / "data").exists()


def test_too_much_is_taken_anyway_where_it_is_asked_for(sprout_like: Command, prompts: Path, made: Made) -> None:
    outcome = sprout_like(
        *("jobs", "submit", prompts, "--deadline", "+1h", "--limit-tokens", 1 << 20, "--anyway"),
        *("--ledger", made.ledger),
    )
    assert outcome.code == 0
    assert "It cannot be done in time at the measured pace" in outcome.out


def test_a_model_that_no_worker_runs_is_a_note(sprout_like: Command, prompts: Path, made: Made) -> None:
    with opened(made.ledger) as queue:
        queue.announce(worker(made.now_utc))
    outcome = sprout_like(
        *("jobs", "submit", prompts, "--deadline", "+8h", "--model", MODEL.replace("135M", "360M")),
        *("--ledger", made.ledger),
    )
    assert outcome.code == 0
    assert f"those alive run {MODEL}. Did you mean {MODEL}?" in outcome.out
