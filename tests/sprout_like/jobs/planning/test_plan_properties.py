"""What holds of every plan, whatever is due."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprout_like.jobs.planning import Agenda, Due, Span, Station, plan_jobs

NOW = datetime(2026, 6, 1, 12, 20, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PACE = 100.0


@st.composite
def outlooks(draw: st.DrawFn) -> tuple[tuple[datetime, datetime, float], ...]:
    """Stale, short, with gaps, or empty."""
    start = NOW.replace(minute=0, second=0) + draw(st.integers(-6, 2)) * 60 * MINUTE
    figures = draw(st.lists(st.one_of(st.none(), st.floats(0, 900)), max_size=24))
    hour = 60 * MINUTE
    return tuple((start + i * hour, start + (i + 1) * hour, g) for i, g in enumerate(figures) if g is not None)


@st.composite
def stations(draw: st.DrawFn, worker_id: str = "w0", zone: str = "GB") -> Station:
    load_s = draw(st.sampled_from([0.0, 45.0, 700.0]))
    return Station(
        worker_id=worker_id,
        zone=zone,
        model="m",
        engine="e",
        pace_tokens_per_s=PACE,
        power_w=300,
        load_s=load_s,
        load_j=draw(st.sampled_from([0.0, 1e4, 1e6])) if load_s else 0.0,
        idle_w=draw(st.sampled_from([0.0, 60.0])),
        loaded=draw(st.booleans()),
        outlook=draw(outlooks()),
    )


@st.composite
def dues(draw: st.DrawFn, *, releases: bool = True, most: int = 6) -> list[Due]:
    def one(number: int) -> Due:
        earliest = NOW + draw(st.integers(-60, 900)) * MINUTE if releases and draw(st.booleans()) else None
        return Due(
            job_id=f"j{number}",
            model="m",
            work_tokens=PACE * 60 * draw(st.floats(0.2, 400)),
            deadline_utc=NOW + draw(st.integers(-30, 1440)) * MINUTE,
            earliest_utc=earliest,
        )

    return [one(number) for number in range(draw(st.integers(1, most)))]


def ready(span: Span, station: Station) -> datetime:
    return span.start_utc + timedelta(seconds=station.load_s if span.loads else 0)


def done(agenda: Agenda) -> dict[str, datetime]:
    ends: dict[str, datetime] = {}
    for span in agenda.spans:
        ends[span.job_id] = max(span.end_utc, ends.get(span.job_id, span.end_utc))
    return ends


def kept_at_once(due: list[Due], station: Station) -> dict[str, float]:
    """Minute by minute, the earliest deadline of what is there first: how late each job is, in s, at the worst."""
    left = {each.job_id: each.work_tokens / PACE for each in due}
    clock = 0.0 if station.loaded else station.load_s
    late: dict[str, float] = {}
    start = {e.job_id: max(0.0, (e.earliest_utc - NOW).total_seconds()) if e.earliest_utc else 0.0 for e in due}
    order = sorted(due, key=lambda each: each.deadline_utc)
    while left:
        there = [each for each in order if each.job_id in left and start[each.job_id] <= clock + 1e-9]
        later = [start[job_id] for job_id in left if start[job_id] > clock + 1e-9]
        if not there:
            clock = min(later)
            continue
        job = there[0]
        step = min([left[job.job_id], *(each - clock for each in later)])
        clock += step
        left[job.job_id] -= step
        if left[job.job_id] <= 1e-6:
            del left[job.job_id]
            late[job.job_id] = clock - (job.deadline_utc - NOW).total_seconds()
    return late


@settings(max_examples=30, deadline=None)
@given(due=dues(), station=stations(), seed=st.sampled_from([None, 0, 1]))
def test_spans_never_overlap_begin_too_early_or_leave_work(due: list[Due], station: Station, seed: int | None) -> None:
    agenda = plan_jobs(due, [station], NOW, seed=seed, slot_s=900)
    end = NOW
    for span in agenda.spans:
        assert span.start_utc >= end - timedelta(microseconds=2)
        assert span.end_utc > span.start_utc
        end = span.end_utc
    tokens: dict[str, float] = defaultdict(float)
    for span in agenda.spans:
        tokens[span.job_id] += span.tokens
        working_s = (span.end_utc - ready(span, station)).total_seconds()
        assert span.tokens == pytest.approx(working_s * PACE, abs=1e-2)
    for each in due:
        assert tokens[each.job_id] == pytest.approx(each.work_tokens, rel=1e-6, abs=1)
        first = min(ready(span, station) for span in agenda.spans if span.job_id == each.job_id)
        assert each.earliest_utc is None or first >= each.earliest_utc - timedelta(milliseconds=2)


@settings(max_examples=30, deadline=None)
@given(due=dues(), station=stations(), margin=st.sampled_from([0.0, 0.1, 0.5]))
def test_deadlines_are_kept_whenever_they_can_be(due: list[Due], station: Station, margin: float) -> None:
    agenda = plan_jobs(due, [station], NOW, margin=margin, slot_s=900)
    ends = done(agenda)
    late = {each.job_id: each for each in agenda.late}
    for each in due:
        over_s = (ends[each.job_id] - each.deadline_utc).total_seconds()
        assert (over_s > 2e-3) == (each.job_id in late)
        if each.job_id in late:
            assert late[each.job_id].short_s == pytest.approx(over_s, abs=0.01)
    if max(kept_at_once(due, station).values()) <= 0:
        assert not late


@settings(max_examples=30, deadline=None)
@given(due=dues(), station=stations())
def test_the_margin_is_kept_where_it_can_be(due: list[Due], station: Station) -> None:
    margin = 0.2
    wanted = [
        Due(
            job_id=each.job_id,
            model="m",
            work_tokens=each.work_tokens,
            deadline_utc=each.deadline_utc - timedelta(seconds=margin * each.work_tokens / PACE),
            earliest_utc=each.earliest_utc,
        )
        for each in due
    ]
    if max(kept_at_once(wanted, station).values()) > 0:
        return
    ends = done(plan_jobs(due, [station], NOW, margin=margin, slot_s=900))
    for each in wanted:
        # Up to the unit in which the slots count work.
        assert (ends[each.job_id] - each.deadline_utc).total_seconds() <= 130


@settings(max_examples=30, deadline=None)
@given(due=dues(), station=stations())
def test_a_plan_never_emits_more_than_running_at_once(due: list[Due], station: Station) -> None:
    expected = plan_jobs(due, [station], NOW, seed=None, slot_s=900).expected.values()
    pairs = [(each.planned_g, each.at_once_g) for each in expected]
    if any(None in pair for pair in pairs):
        return
    planned, at_once = (math.fsum(pair[i] or 0.0 for pair in pairs) for i in (0, 1))
    assert planned <= at_once * (1 + 1e-9) + 1e-9


@settings(max_examples=30, deadline=None)
@given(due=dues(), station=stations(), seed=st.integers(0, 50))
def test_jitter_changes_near_equal_choices_alone(due: list[Due], station: Station, seed: int) -> None:
    plain, jittered = (plan_jobs(due, [station], NOW, seed=each, slot_s=900).expected for each in (None, seed))
    assert plan_jobs(due, [station], NOW, seed=seed, slot_s=900).expected == jittered
    if any(each.planned_g is None for each in (*plain.values(), *jittered.values())):
        return
    totals = [math.fsum(each.planned_g or 0.0 for each in one.values()) for one in (plain, jittered)]
    assert totals[1] <= 1.01 * totals[0] + 1e-9


@settings(max_examples=30, deadline=None)
@given(due=dues(releases=False), ours=st.tuples(stations("w0", "GB"), stations("w1", "FR")))
def test_several_stations_keep_what_one_of_them_could(due: list[Due], ours: tuple[Station, Station]) -> None:
    agenda = plan_jobs(due, ours, NOW, slot_s=900)
    for station in ours:
        spans = [span for span in agenda.spans if span.worker_id == station.worker_id]
        for before, after in pairwise(spans):
            assert after.start_utc >= before.end_utc - timedelta(microseconds=2)
        if max(kept_at_once(due, station).values()) <= 0:
            assert not agenda.late
