"""Jobs from Python: `CarbonAware.submit`, and a worker on the wrapped model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sprout_like import CarbonAware, SettingError
from sprout_like.errors import JobError
from sprout_like.jobs.queue import open_queue
from sprout_like.ledger import open_engine
from sprout_like.ledger.check import check
from sprout_like.ledger.testing import MemoryLedger

PROMPTS = ["What causes the tides?", [{"role": "user", "content": "Why is the sky blue?"}], {"prompt": "And grass?"}]


@pytest.fixture
def parts(tiny_model: Any, tokenizer: Any, tmp_path: Path) -> dict[str, Any]:
    return {
        "model": tiny_model,
        "tokenizer": tokenizer,
        "grid": "static:200",
        "policy": "full",
        "meter": "cpu",
        "ledger": str(tmp_path / "ledger.sqlite"),
    }


@pytest.fixture
def aware(parts: dict[str, Any]) -> Iterator[CarbonAware]:
    with CarbonAware(**parts) as made:
        yield made


def test_prompts_are_answered_as_chat_answers_them(aware) -> None:
    job = aware.submit(PROMPTS, deadline="+8h", limit_tokens=12)
    assert not job.wait(0)
    done = aware.worker().run(until_empty=True)
    assert job.wait(0)
    found = [attempt.answer.text for attempt in job.results()]
    alone = [
        aware.chat(text, max_new_tokens=12, do_sample=False).text
        for text in ("What causes the tides?", "Why is the sky blue?", "And grass?")
    ]
    assert found == alone
    assert done.answered_n == 3
    assert job.standing().operational_g > 0


def test_the_ledger_adds_up_with_jobs_beside_requests(parts, tmp_path: Path) -> None:
    with CarbonAware(**parts) as aware:
        aware.chat("One alone.", max_new_tokens=8)
        aware.submit(PROMPTS, deadline="+8h", limit_tokens=12)
        aware.worker().run(until_empty=True)
        aware.chat("Another.", max_new_tokens=8)
    engine = open_engine(parts["ledger"])
    report = check(engine)
    engine.dispose()
    assert report.ok, report.findings
    assert (report.requests, report.unmetered) == (5, 0)


def test_task_and_tags_of_a_view_go_with_the_job(aware) -> None:
    job = aware.using(task="question", tags={"team": "blue"}).submit(PROMPTS, deadline="+8h", tags={"run": "7"})
    assert (job.job().task, job.job().tags) == ("question", {"team": "blue", "run": "7"})
    assert job.job().model == aware.model_name


def test_the_wrapped_model_stays_usable_after_a_worker(aware) -> None:
    aware.submit(PROMPTS, deadline="+8h", limit_tokens=4)
    aware.worker().run(until_empty=True)
    assert aware.chat("Still there?", max_new_tokens=4).text is not None


def test_a_job_can_be_taken_back(aware) -> None:
    job = aware.submit(PROMPTS, deadline="+8h")
    assert job.cancel().state == "cancelled"
    assert job.wait(0)


@pytest.mark.parametrize(
    ("prompts", "order", "problem"),
    [
        (PROMPTS, {"deadline": "2020-01-01T00:00Z"}, "has passed"),
        (PROMPTS, {"deadline": "2030-01-01T00:00"}, "zone"),
        (PROMPTS, {}, "deadline"),
        ([], {"deadline": "+8h"}, "there are none"),
        (["fine", ""], {"deadline": "+8h"}, r"prompts\[1\]"),
        (PROMPTS, {"deadline": "+8h", "limit_tokens": 0}, "limit_tokens"),
        (PROMPTS, {"deadline": "+8h", "policy": "nosuch"}, "neither a policy nor a directive"),
        (PROMPTS, {"every": "0 6 * * *", "within": "8h"}, "recurring"),
    ],
)
def test_what_cannot_be_is_said_and_the_queue_stays_as_it_was(aware, parts, prompts, order, problem) -> None:
    with pytest.raises((JobError, SettingError), match=problem):
        aware.submit(prompts, **order)
    with closing(open_queue(parts["ledger"])) as queue:
        assert queue.jobs() == []


def test_an_option_that_there_is_not_is_an_error_of_the_call(aware) -> None:
    with pytest.raises(TypeError, match="dedline"):
        aware.submit(PROMPTS, dedline="+8h")


def test_a_ledger_object_has_no_queue(parts) -> None:
    with (
        CarbonAware(**{**parts, "ledger": MemoryLedger()}) as aware,
        pytest.raises(SettingError, match="jobs need a database"),
    ):
        aware.submit(PROMPTS, deadline="+8h")
