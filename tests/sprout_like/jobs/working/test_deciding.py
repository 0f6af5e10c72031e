"""What a worker does next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sprout_like.jobs.job import Job, Planned
from sprout_like.jobs.working.deciding import Here, next_move, suits

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HERE = Here(worker_id="w", zone="GB", model="m", engine="fake", tokens_per_s=10.0, loaded=True, idle_w=5.0, load_j=600)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def job(job_id: str = "a", **changed: object) -> Job:
    made = Job(job_id=job_id, submitted_utc=NOW - hours(1), deadline_utc=NOW + hours(10), model="m", items_n=1)
    return replace(made, **changed)


def span(job_id: str, start_h: float, end_h: float, worker_id: str = "w") -> Planned:
    return Planned(
        job_id=job_id, worker_id=worker_id, zone="GB", start_utc=NOW + hours(start_h), end_utc=NOW + hours(end_h)
    )


WORK = {"a": 36_000.0, "b": 36_000.0}


def test_only_jobs_that_suit_this_worker_are_run() -> None:
    assert suits(job(), HERE)
    for changed in ({"model": "other"}, {"engine": "ray"}, {"zones": ("FR",)}, {"state": "paused"}):
        assert not suits(job(**changed), HERE)
    assert suits(job(zones=("FR", "GB"), engine="fake"), HERE)


def test_what_is_planned_now_is_run() -> None:
    assert next_move(HERE, [job()], [span("a", -1, 1)], WORK, NOW).jobs == ("a",)


def test_a_span_of_another_worker_or_of_later_is_not() -> None:
    move = next_move(HERE, [job()], [span("a", -1, 1, "other"), span("a", 2, 3)], WORK, NOW)
    assert move.jobs == ()
    assert move.until_utc == NOW + hours(2)


def test_a_deadline_is_kept_without_a_plan() -> None:
    late = job(deadline_utc=NOW + hours(1.09))  # an hour of work, a tenth of margin
    assert next_move(HERE, [late], [], WORK, NOW).jobs == ("a",)
    in_time = job(deadline_utc=NOW + hours(1.2))
    assert next_move(HERE, [in_time], [], WORK, NOW).jobs == ()


def test_without_a_pace_a_batch_is_run_to_learn_it() -> None:
    here = replace(HERE, tokens_per_s=None)
    assert next_move(here, [job()], [], WORK, NOW).jobs == ("a",)


def test_a_job_that_may_not_begin_yet_is_not_run_to_learn_the_pace_either() -> None:
    here = replace(HERE, tokens_per_s=None)
    assert next_move(here, [job(earliest_utc=NOW + hours(1))], [], WORK, NOW, at_once=True).jobs == ()


def test_at_once_takes_the_earliest_deadline_first() -> None:
    jobs = [job("a"), job("b", deadline_utc=NOW + hours(5))]
    assert next_move(HERE, jobs, [], WORK, NOW, at_once=True).jobs == ("b", "a")


def test_the_model_is_kept_over_a_short_wait_and_given_back_for_a_long_one() -> None:
    short = next_move(HERE, [job()], [span("a", 0.03, 1)], WORK, NOW)  # 108 s at 5 W: 540 J, below 600
    assert not short.unload
    assert next_move(HERE, [job()], [span("a", 0.04, 1)], WORK, NOW).unload
    assert not next_move(replace(HERE, loaded=False), [job()], [span("a", 0.04, 1)], WORK, NOW).unload


def test_with_nothing_ahead_the_model_is_given_back() -> None:
    assert next_move(HERE, [], [], {}, NOW).unload


def test_what_is_urgent_comes_before_what_is_planned() -> None:
    jobs = [job("a", deadline_utc=NOW + hours(9)), job("b", deadline_utc=NOW + hours(1))]
    assert next_move(HERE, jobs, [span("a", -1, 5)], WORK, NOW).jobs == ("b", "a")


def test_jobs_that_could_not_all_be_done_are_urgent_though_each_alone_could() -> None:
    jobs = [job("a", deadline_utc=NOW + hours(2)), job("b", deadline_utc=NOW + hours(2))]
    assert next_move(HERE, jobs, [], WORK, NOW).jobs == ("a", "b")
    assert next_move(HERE, jobs[:1], [], WORK, NOW).jobs == ()


def test_what_several_workers_can_do_in_time_may_wait() -> None:
    late = job(deadline_utc=NOW + hours(0.6))  # an hour for one worker
    assert next_move(HERE, [late], [], WORK, NOW).jobs == ("a",)
    assert next_move(replace(HERE, together_tokens_per_s=40.0), [late], [], WORK, NOW).jobs == ()
