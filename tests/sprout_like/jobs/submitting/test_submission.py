"""What goes into the queue, and what is refused before anything does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from grid import GridError
from sprout_like.errors import JobError
from sprout_like.jobs.job import Item, WorkerRecord
from sprout_like.jobs.submitting.items import items_of
from sprout_like.jobs.submitting.recurring import fired
from sprout_like.jobs.submitting.submission import Known, Order, Submission, submission

NOW = datetime(2026, 11, 21, 19, tzinfo=UTC)
HOUR = timedelta(hours=1)
ITEMS = items_of(["Why?"] * 36, limit_tokens=100)


def worker(model: str = "org/model", pace: float | None = None, **fields: Any) -> WorkerRecord:
    known: dict[str, Any] = {
        "worker_id": "w1",
        "host": "here",
        "pid": 1,
        "zone": "GB",
        "engine": "padded",
        "schema": "0007",
        "state": "idle",
        "started_utc": NOW,
        "seen_utc": NOW,
        "outlook": ((NOW, NOW + 96 * HOUR, 100.0),),
    }
    return WorkerRecord(**{**known, "model": model, "pace_tokens_per_s": pace, "power_w": 50.0, **fields})


def submitted(*, items: list[Item] = ITEMS, known: dict[str, Any] | None = None, **order: Any) -> Submission:
    asked = {"deadline": "+8h", "model": "org/model", **order}
    what = {"now_utc": NOW, "job_id": "0" * 32, "margin": 0.1, **(known or {})}
    return submission(Order(**asked), items, Known(**what))


def refused(*, items: list[Item] = ITEMS, known: dict[str, Any] | None = None, **order: Any) -> str:
    with pytest.raises(JobError) as caught:
        submitted(items=items, known=known, **order)
    return str(caught.value)


def test_a_job_with_all_it_can_have(tmp_path: Path) -> None:
    made = submitted(
        deadline="2026-11-22T08:00+01:00",
        earliest="+1h",
        engine="padded",
        task="summary",
        policy="brief",
        zones=["GB", "aws:eu-west-3", "FR"],
        tags={"team": "search"},
        out=tmp_path / "answers.jsonl",
        known={"tasks": {"summary"}, "workers": [worker(pace=100.0)]},
    )
    job = made.job
    assert (job.deadline_utc, job.earliest_utc) == (datetime(2026, 11, 22, 7, tzinfo=UTC), NOW + HOUR)
    assert (job.model, job.engine, job.task, job.policy, job.zones) == (
        "org/model",
        "padded",
        "summary",
        "brief",
        ("GB", "FR"),
    )
    assert (job.tags, job.items_n, job.out) == ({"team": "search"}, 36, str(tmp_path / "answers.jsonl"))
    assert (job.state, job.submitted_utc, made.schedule) == ("waiting", NOW, None)
    assert made.notes == ("36 items, about 36 s of work at most at the measured pace, 11.0 h left.",)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"deadline": None}, "deadline: there is none"),
        ({"deadline": "2026-11-21T18:59Z"}, "deadline: 2026-11-21 18:59 UTC has passed, it is 2026-11-21 19:00 UTC"),
        ({"deadline": NOW}, "has passed"),
        ({"deadline": "2026-12-01T08:00"}, "Add Z for UTC, or an offset such as +01:00"),
        ({"deadline": "2062-12-01T08:00Z"}, "more than a year away"),
        ({"earliest": "+8h"}, "earliest: the job may not begin before its deadline has come"),
        ({"engine": "paded"}, "Did you mean 'padded'?"),
        ({"engine": "tensorflow"}, "Use one of: padded, continuous, openai, ray"),
        ({"within": "8h"}, "within: it goes with every"),
        ({"every": "0 6 * * *"}, "every: a recurring job has no deadline"),
        ({"every": "0 6 * * *", "deadline": None}, "within: a recurring job needs the time"),
        ({"every": "6", "deadline": None, "within": "8h"}, "every: '6' is not five fields"),
        ({"every": "0 6 * * *", "deadline": None, "within": "8"}, "within: '8' is no length of time"),
    ],
)
def test_what_cannot_be_ordered(order: dict[str, Any], message: str) -> None:
    assert message in refused(**order)


RECURRING: dict[str, Any] = {"deadline": None, "every": "0 6 * * *"}


@pytest.mark.parametrize(
    "order",
    [
        {"deadline": 8},
        {"deadline": date(2026, 12, 1)},
        {"deadline": timedelta.max},
        {"deadline": datetime.max.replace(tzinfo=UTC)},
        {"earliest": 3},
        {"earliest": timedelta.max},
        {"zones": 5},
        {"zones": b"GB"},
        {"zones": {"GB": 1}},
        {"zones": [5]},
        {"zones": ["GB", None]},
        {"engine": 5},
        {"out": 5},
        {"out": "~nobody/answers.jsonl"},
        {"out": "x" * 300},
        {"out": "nul\0"},
        {"model": 5},
        {"task": 5},
        {"policy": 5},
        {"timezone": 5, **RECURRING, "within": "8h"},
        {"timezone": None, **RECURRING, "within": "8h"},
        {"every": 5, "deadline": None, "within": "8h"},
        {"within": 5, **RECURRING},
        {"within": timedelta.max, **RECURRING},
        {"within": "99999999d", **RECURRING},
        {"within": "999999999.9d", **RECURRING},
    ],
    ids=str,
)
def test_what_is_of_a_wrong_kind_is_named_in_one_line(order: dict[str, Any]) -> None:
    message = refused(**order)
    assert message.startswith(f"{next(iter(order))}: ")
    assert "\n" not in message


@pytest.mark.parametrize("zones", ["", " ", ",", " , ", [""], ["", " "]])
def test_zones_that_are_given_and_name_none(zones: Any) -> None:
    assert refused(zones=zones) == (
        "zones: none is named. Give some such as GB,FR, or leave it out where the job may run anywhere"
    )


@pytest.mark.parametrize("zones", [(), [], None])
def test_without_zones_a_job_may_run_anywhere(zones: Any) -> None:
    assert submitted(zones=zones).job.zones == ()


def test_a_recurring_job_may_take_as_long_as_one_that_comes_once() -> None:
    assert refused(**RECURRING, within="400d") == "within: 400 days are more than a year. Give a shorter time"
    assert refused(deadline="+400d").endswith("is more than a year away. Give an earlier one")
    assert submitted(**RECURRING, within="366d").schedule is not None
    assert submitted(deadline="+366d").job.deadline_utc == NOW + timedelta(days=366)


@pytest.mark.parametrize("model", ["./nowhere", "/nowhere", "~nobody/model", "a b", "a/b/c", "", "https://x.org/model"])
def test_a_model_that_nobody_could_know(model: str) -> None:
    assert refused(model=model).startswith("model: ")


def test_a_folder_means_the_same_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    assert submitted(model="mine").job.model == submitted(model="./mine").job.model == str(tmp_path / "mine")


def test_a_name_that_is_known_to_be_right_is_taken_as_it_is() -> None:
    assert submitted(model="./mine", known={"models": {"./mine"}}).job.model == "./mine"
    assert submitted(model="vendor/family/model@1", engine="openai").job.model == "vendor/family/model@1"


def test_no_such_grid_zone() -> None:
    with pytest.raises(GridError, match="Atlantis"):
        submitted(zones="GB,Atlantis")


def test_the_one_model_that_the_workers_run_needs_no_name() -> None:
    assert submitted(model=None, known={"workers": [worker(), worker(worker_id="w2")]}).job.model == "org/model"
    assert "no worker is running that could tell. Name one, or start `sprout-like jobs worker`" in refused(model=None)
    both = {"workers": [worker("org/b"), worker("org/a")]}
    assert refused(model=None, known=both) == ("model: none is named, and the workers run org/a, org/b. Name one")


def test_a_model_that_no_worker_runs_is_worth_a_note() -> None:
    alive = {"workers": [worker("HuggingFaceTB/SmolLM2-135M-Instruct")]}
    slip = submitted(model="HuggingFaceTB/SmolLM-135M-Instruct", known=alive)
    other = submitted(model="org/other", known=alive)

    assert "Did you mean HuggingFaceTB/SmolLM2-135M-Instruct?" in slip.notes[0]
    assert "those alive run HuggingFaceTB/SmolLM2-135M-Instruct. Start one: sprout-like jobs worker" in other.notes[0]
    assert submitted().notes[0].startswith("No worker is running. Start one: sprout-like jobs worker --model org/model")


def test_a_zone_without_a_worker_is_worth_a_note() -> None:
    notes = submitted(zones=("FR",), known={"workers": [worker(pace=100.0)]}).notes
    assert notes[0] == "No worker runs org/model in FR; those alive are in GB."


def test_a_misspelt_task_is_named_and_a_new_one_noted() -> None:
    known = {"tasks": {"summary", "question"}}
    assert refused(task="sumary", known=known) == (
        "task: nothing is known of 'sumary'. Did you mean 'summary'? If it is another task, add --anyway (anyway=True)"
    )
    assert submitted(task="sumary", anyway=True, known=known).job.task == "sumary"
    assert "No evidence yet for task poetry." in submitted(task="poetry", known=known).notes
    assert not any("evidence" in note for note in submitted(task="summary", known=known).notes)


def test_a_misspelt_task_of_one_item_is_named() -> None:
    items = items_of([{"prompt": "Why?", "task": "sumary"}], limit_tokens=100)
    assert "Did you mean 'summary'?" in refused(items=items, known={"tasks": {"summary"}})


def test_a_file_for_the_answers_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").touch()
    assert refused(out=tmp_path / "answers.jsonl").endswith("exists. Name another file, or move it away")
    assert "there is no folder" in refused(out=tmp_path / "nowhere" / "answers.jsonl")


def test_a_job_larger_than_can_finish() -> None:
    """3,600 tokens at 0.1 tokens/s are 10 h; there are 8."""
    slow = {"workers": [worker(pace=0.1)]}
    message = refused(known=slow)

    assert message.startswith(
        "deadline: it cannot be done in time at the measured pace: 36 items, about 10.0 h of work at most, 8.0 h left"
    )
    assert message.endswith("Give a later one or fewer items, start workers, or add --anyway (anyway=True)")
    assert "cannot be done in time" in submitted(anyway=True, known=slow).notes[0]
    assert submitted(deadline="+12h", known=slow).notes == (
        "36 items, about 10.0 h of work at most at the measured pace, 12.0 h left.",
    )


def test_a_beginning_that_is_too_late_counts() -> None:
    """5 h of work fit into 8 h, and not into the 4 h after the earliest beginning."""
    fast = {"workers": [worker(pace=0.2)]}
    assert submitted(known=fast).job.deadline_utc == NOW + 8 * HOUR
    assert "5.0 h of work at most, 4.0 h left" in refused(earliest="+4h", known=fast)


def test_without_a_measured_pace_nobody_can_tell() -> None:
    (note,) = submitted(known={"workers": [worker()]}).notes
    assert note == "Whether it can be done in time is unknown until a worker has measured its pace on a first batch."


def test_only_workers_that_may_run_it_count() -> None:
    other = {"workers": [worker(pace=0.1, zone="GB"), worker(worker_id="w2", zone="FR")]}
    assert any("is unknown until" in note for note in submitted(zones=("FR",), known=other).notes)


def test_a_recurring_job(tmp_path: Path) -> None:
    made = submitted(
        deadline=None, every="0 6 * * *", within="8h", timezone="Europe/Paris", out=tmp_path / "answers-{start}.jsonl"
    )
    schedule = made.schedule
    assert schedule is not None
    six = datetime(2026, 11, 22, 5, tzinfo=UTC)
    assert (schedule.next_utc, schedule.within) == (six, 8 * HOUR)
    assert fired(schedule, "1" * 32, six - HOUR) is None

    found = fired(schedule, "1" * 32, six + timedelta(seconds=2))
    assert found is not None
    job, next_utc = found
    assert (job.job_id, job.schedule_id, job.earliest_utc) == ("1" * 32, schedule.schedule_id, None)
    assert (job.submitted_utc, job.deadline_utc) == (six + timedelta(seconds=2), six + 8 * HOUR)
    assert job.out == str(tmp_path / "answers-20261122T0500Z.jsonl")
    assert (job.model, job.items_n, next_utc) == ("org/model", 36, six + 24 * HOUR)


def test_each_recurring_job_has_a_file_of_its_own(tmp_path: Path) -> None:
    message = refused(deadline=None, every="0 6 * * *", within="8h", out=tmp_path / "answers.jsonl")
    assert "Put {start} into the name" in message
