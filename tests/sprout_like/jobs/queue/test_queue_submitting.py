"""What goes into the queue, how it is steered, and how it is wiped again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from sprout_like.errors import JobError
from sprout_like.jobs.job import Item, Job, Standing

SECRET = "nobody may read this"


def test_a_job_and_its_items_come_back_as_they_went(client: Any) -> None:
    job = client.job(
        2,
        earliest_utc=client.clock.now_utc(),
        engine="padded",
        task="summarise",
        policy="full",
        zones=("GB", "FR"),
        tags={"team": "a"},
        out="/tmp/answers.jsonl",
        schedule_id="s" * 32,
        planned_g=1.5,
        at_once_g=3.0,
    )
    given = [
        Item(
            place=0,
            messages=({"role": "system", "content": "Be brief."}, {"role": "user", "content": "naïve \0 ✓ \ud800"}),
            template={"enable_thinking": False, "tools": [{"name": "f"}]},
            arguments={"max_new_tokens": 9, "temperature": 0.25, "stop_strings": ["\n"]},
            task="other",
            own_id="row-17",
        ),
        Item(place=1, messages=({"role": "user", "content": "b"},), arguments={"max_new_tokens": 3}),
    ]

    client.queue.submit(job, given)

    assert client.queue.job(job.job_id) == job
    claimed = client.claim(job.job_id)
    assert [replace(item, messages=tuple(item.messages)) for item in claimed.items] == given
    assert client.queue.standing(job.job_id) == Standing(
        waiting_n=0, leased_n=2, done_n=0, failed_n=0, left_tokens=12, done_tokens=0, done_limit_tokens=0
    )


def test_a_unique_beginning_of_an_id_is_enough(client: Any) -> None:
    first, second = client.submit(), client.submit()

    assert client.queue.job(first[:8]).job_id == first
    assert client.queue.job(second).job_id == second
    with pytest.raises(JobError, match="several jobs begin with 0000"):
        client.queue.job("0000")
    with pytest.raises(JobError, match="no job 12345"):
        client.queue.job("12345")
    for prefix in ("000", "%%%%", "", "prompt"):
        with pytest.raises(JobError, match="first 4 hex digits"):
            client.queue.job(prefix)


def test_jobs_are_listed_newest_first(client: Any) -> None:
    ids = []
    for _ in range(3):
        ids.append(client.submit())
        client.clock.advance(1)
    client.queue.pause(ids[1])

    assert [job.job_id for job in client.queue.jobs()] == ids[::-1]
    assert [job.job_id for job in client.queue.jobs(limit=2)] == ids[:0:-1]
    assert [job.job_id for job in client.queue.jobs(states=("waiting",))] == [ids[2], ids[0]]
    assert client.queue.jobs(states=("done", "failed")) == []
    assert client.queue.standings(ids[:2]).keys() == set(ids[:2])
    assert client.queue.standings([]) == {}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda job, items: (replace(job, items_n=2), items), "says 2 prompts and comes with 1"),
        (lambda job, items: (replace(job, items_n=0), []), "no prompts"),
        (lambda job, items: (job, [replace(items[0], place=1)]), "places of the prompts"),
        (lambda job, items: (job, [replace(items[0], arguments={})]), "prompt 0 has no limit"),
        (lambda job, items: (job, [replace(items[0], arguments={"max_new_tokens": 0})]), "prompt 0 has no limit"),
        (lambda job, items: (job, [replace(items[0], template={"x": object()})]), "cannot hold a value"),
        (lambda job, items: (job, [replace(items[0], own_id="\ud800")]), "cannot hold a value"),
        (lambda job, items: (job, [replace(items[0], arguments={"max_new_tokens": 2**70})]), "cannot hold a value"),
        (lambda job, items: (replace(job, deadline_utc=job.deadline_utc.replace(tzinfo=None)), items), "time zone"),
    ],
)
def test_what_cannot_be_a_job_leaves_the_queue_as_it_was(
    client: Any, make_items: Any, change: Any, problem: str
) -> None:
    kept = client.submit()
    job, given = change(client.job(), make_items([8]))

    with pytest.raises(JobError, match=problem) as told:
        client.queue.submit(job, given)

    assert "prompt 0" not in str(told.value).replace("prompt 0 has", "")
    assert [job.job_id for job in client.queue.jobs()] == [kept]
    client.submit()


def test_an_id_is_given_once(client: Any, make_items: Any) -> None:
    job_id = client.submit([8, 8])

    with pytest.raises(JobError, match="there is a job"):
        client.queue.submit(client.job(job_id=job_id), make_items([8]))

    assert client.states(job_id) == "ww"


def test_steering_needs_a_state_that_allows_it(client: Any) -> None:
    job_id = client.submit()

    assert client.queue.pause(job_id).state == "paused"
    assert client.claim(job_id) is None
    with pytest.raises(JobError, match=f"{job_id} is paused.*waiting can be paused"):
        client.queue.pause(job_id)
    assert client.queue.resume(job_id).state == "waiting"
    with pytest.raises(JobError, match=r"is waiting.*paused can be resumed"):
        client.queue.resume(job_id)
    cancelled = client.queue.cancel(job_id)
    assert (cancelled.state, cancelled.finished_utc) == ("cancelled", client.clock.now_utc())
    assert client.claim(job_id) is None
    for steer in (client.queue.pause, client.queue.resume, client.queue.cancel):
        with pytest.raises(JobError, match="is cancelled"):
            steer(job_id)
        with pytest.raises(JobError, match="no job ffff"):
            steer("ffff")
    for look in (client.queue.standing, client.queue.attempts):
        with pytest.raises(JobError, match="no job ffff"):
            look("ffff")


def test_a_job_keeps_what_its_plan_expects(client: Any) -> None:
    job_id = client.submit()

    client.queue.revise(job_id, planned_g=1.25, at_once_g=None)

    job: Job = client.queue.job(job_id)
    assert (job.planned_g, job.at_once_g) == (1.25, None)
    with pytest.raises(JobError, match="no job"):
        client.queue.revise("ffff", planned_g=None, at_once_g=None)


def test_texts_of_old_jobs_are_wiped_and_their_figures_stay(client: Any, engine: Engine, make_answer: Any) -> None:
    messages = ({"role": "user", "content": SECRET},)
    given = [Item(place=0, messages=messages, template={"x": SECRET}, arguments={"max_new_tokens": 8})]
    old, young, still_open = client.job(), client.job(), client.job()
    for job in (old, young, still_open):
        client.queue.submit(job, given)
    figures = {"request_id": "a" * 32, "directive": "brief", "prompt_tokens": 5, "finish_reason": "eos"}
    answer = make_answer(0, text=SECRET, energy_j=2.0, energy_method="measured", operational_g=0.5, **figures)
    client.queue.finish(client.claim(old.job_id), [answer])
    client.clock.advance(60)
    client.queue.finish(client.claim(young.job_id), [make_answer(0, text=SECRET)])
    before = client.queue.standing(old.job_id)

    assert client.queue.forget(before_utc=client.clock.now_utc()) == 1
    assert client.queue.forget(before_utc=client.clock.now_utc()) == 0

    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM job_items WHERE job_id = :job"), {"job": old.job_id}).all()
        sql_null = "SELECT count(*) FROM job_items WHERE messages IS NULL AND template IS NULL AND answer IS NULL"
        assert connection.scalar(text(sql_null)) == 1
    assert SECRET not in str(rows)
    assert client.queue.standing(old.job_id) == before
    [wiped] = client.queue.attempts(old.job_id)
    assert (wiped.state, wiped.answer) == ("done", replace(answer, text=None))
    [kept] = client.queue.attempts(young.job_id)
    assert kept.answer.text == SECRET
    assert client.claim(still_open.job_id).items[0].messages[0]["content"] == SECRET


def test_many_items_are_read_in_order_of_place(client: Any) -> None:
    job_id = client.submit([1 + place % 7 for place in range(2500)])

    assert [attempt.place for attempt in client.queue.attempts(job_id)] == list(range(2500))
    assert client.queue.standing(job_id).waiting_n == 2500
    assert client.queue.job(job_id).deadline_utc - client.clock.now_utc() == timedelta(hours=8)
