"""Plans that one can tell by hand, and the least among all on small instances."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid.intensity import Intensity, Series
from sprout_like.jobs.planning import Due, Station, fits, plan_jobs

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PACE = 100.0

Steps = tuple[tuple[datetime, datetime, float], ...]


def steps(*figures: float, start: datetime = NOON, hours: float = 1.0) -> Steps:
    each = hours * HOUR
    return tuple((start + n * each, start + (n + 1) * each, g) for n, g in enumerate(figures))


def station(outlook: Steps | Series, worker_id: str = "w", **changed: object) -> Station:
    given_: dict[str, object] = {"zone": "GB", "model": "m", "engine": "e", "pace_tokens_per_s": PACE, "power_w": 360}
    return Station(worker_id=worker_id, outlook=outlook, **{**given_, **changed})  # type: ignore[arg-type]


def due(job_id: str, hours: float, within: float, **changed: object) -> Due:
    return Due(
        job_id=job_id,
        model="m",
        work_tokens=hours * 3600 * PACE,
        deadline_utc=NOON + within * HOUR,
        **changed,  # type: ignore[arg-type]
    )


def test_the_cheapest_hours_before_the_deadline_are_taken() -> None:
    agenda = plan_jobs([due("a", 2, 5)], [station(steps(300, 100, 300, 50, 300, 10))], NOON, margin=0, seed=None)
    assert [(span.start_utc, span.end_utc) for span in agenda.spans] == [
        (NOON + HOUR, NOON + 2 * HOUR),
        (NOON + 3 * HOUR, NOON + 4 * HOUR),
    ]
    assert agenda.expected["a"].planned_g == pytest.approx(0.36 * 150)
    assert agenda.expected["a"].at_once_g == pytest.approx(0.36 * 400)


def test_a_start_that_costs_more_than_it_saves_is_not_made() -> None:
    outlook = steps(100, 90, 100, 90, 300)
    apart = plan_jobs([due("a", 2, 4)], [station(outlook)], NOON, margin=0, seed=None)
    dear = plan_jobs([due("a", 2, 4)], [station(outlook, load_s=1, load_j=1e6, idle_w=300)], NOON, margin=0, seed=None)
    assert len(apart.spans) == 2
    assert len(dear.spans) == 1
    assert dear.spans[0].loads


def test_a_model_stays_loaded_through_a_gap_where_that_costs_less() -> None:
    outlook = steps(50, 300, 50, 300)
    cold, warm = (
        plan_jobs([due("a", 1.9, 3.5)], [station(outlook, load_s=60, load_j=2e5, idle_w=idle_w)], NOON, seed=None)
        for idle_w in (200.0, 1.0)
    )
    assert [span.loads for span in cold.spans] == [True, True]
    assert [span.loads for span in warm.spans] == [True, False]


def test_time_is_kept_free_before_the_deadline() -> None:
    agenda = plan_jobs([due("a", 1, 4)], [station(steps(300, 300, 300, 100))], NOON, margin=0.5, seed=None)
    assert agenda.spans[-1].end_utc <= NOON + 3.5 * HOUR
    assert not agenda.late


def test_a_job_waits_for_its_earliest_moment() -> None:
    later = due("a", 1, 4, earliest_utc=NOON + 2 * HOUR)
    (span,) = plan_jobs([later], [station(steps(10, 10, 300, 200))], NOON, margin=0, seed=None).spans
    assert (span.start_utc, span.end_utc) == (NOON + 3 * HOUR, NOON + 4 * HOUR)


def test_a_job_that_cannot_be_in_time_is_named_and_runs_as_soon_as_it_makes_none_late() -> None:
    agenda = plan_jobs([due("big", 5, 2), due("small", 1, 3)], [station(steps(300, 10, 10, 10))], NOON, margin=0)
    (late,) = agenda.late
    assert (late.job_id, late.short_s, late.reason) == ("big", pytest.approx(4 * 3600), "too little time")
    assert agenda.spans[0].job_id == "big"
    assert agenda.spans[0].start_utc == NOON
    small = [span.end_utc for span in agenda.spans if span.job_id == "small"]
    assert small == [NOON + 3 * HOUR]


def test_jobs_that_nobody_takes_are_late_for_ever_and_say_why() -> None:
    ours = [station(steps(100))]
    jobs = [
        due("model", 1, 4),
        due("zone", 1, 4, zones=frozenset({"FR", "DE"})),
        due("engine", 1, 4, engine="vllm"),
    ]
    jobs[0] = Due(job_id="model", model="other", work_tokens=1, deadline_utc=NOON + HOUR)
    reasons = {late.job_id: (late.short_s, late.reason) for late in plan_jobs(jobs, ours, NOON).late}
    assert reasons == {
        "model": (math.inf, "no worker with model other"),
        "zone": (math.inf, "no worker in zones DE, FR"),
        "engine": (math.inf, "no worker with engine vllm"),
    }
    assert plan_jobs(jobs[1:2], [], NOON).late[0].reason == "no worker"


@pytest.mark.parametrize(
    ("outlook", "start"),
    [
        ((), 0.0),  # nothing known: at once
        (steps(300, start=NOON - 9 * HOUR), 0.0),  # stale: as good now as later
        (steps(300, 300), 0.0),  # what lies beyond is taken as the mean of what is known
        (steps(300, 100), 1.0),
        ((*steps(300), *steps(100, start=NOON + 2 * HOUR)), 2.0),  # a gap
    ],
)
def test_an_outlook_that_is_empty_stale_short_or_has_gaps(outlook: Steps, start: float) -> None:
    agenda = plan_jobs([due("a", 1, 12)], [station(outlook)], NOON, seed=None)
    (span,) = agenda.spans
    assert span.start_utc == NOON + start * HOUR
    unknown = outlook == () or outlook[-1][1] < NOON + HOUR
    assert (agenda.expected["a"].planned_g is None) == unknown


def test_a_series_is_an_outlook_too() -> None:
    series = Series(
        Intensity(
            zone="GB",
            start_utc=start,
            end_utc=end,
            g_per_kwh=g,
            kind="average",
            factors="direct",
            status="forecast",
            source="test",
            fetched_at_utc=NOON,
        )
        for start, end, g in steps(300, 100, 200)
    )
    (span,) = plan_jobs([due("a", 1, 3)], [station(series)], NOON, margin=0, seed=None).spans
    assert span.start_utc == NOON + HOUR


def test_work_goes_where_and_when_it_emits_least() -> None:
    ours = [
        station(steps(300, 250, 300, 300), "dirty"),
        station(steps(300, 300, 40, 300), "clean", zone="FR"),
    ]
    free, bound = due("free", 1, 4), due("bound", 1, 4, zones=frozenset({"GB"}))
    spans = {span.job_id: span for span in plan_jobs([free, bound], ours, NOON, margin=0, seed=None).spans}
    assert (spans["free"].zone, spans["free"].start_utc) == ("FR", NOON + 2 * HOUR)
    assert (spans["bound"].zone, spans["bound"].start_utc) == ("GB", NOON + HOUR)


def test_a_job_too_large_for_one_worker_is_shared_out() -> None:
    ours = [station(steps(*[100] * 6), f"w{n}") for n in range(3)]
    agenda = plan_jobs([due("a", 12, 6)], ours, NOON, margin=0.1)
    assert not agenda.late
    assert len({span.worker_id for span in agenda.spans}) == 3
    assert sum(span.tokens for span in agenda.spans) == pytest.approx(12 * 3600 * PACE)


def test_a_fleet_does_not_start_in_the_same_second() -> None:
    fleet = [station(steps(300, 300, 100, 100, 100, 300), f"w{n}") for n in range(20)]
    starts = {plan_jobs([due("a", 1, 6)], [each], NOON, seed=7).spans[0].start_utc for each in fleet}
    assert len(starts) >= 15


@pytest.mark.parametrize("seed", range(6))
def test_a_start_is_not_moved_where_every_minute_counts(seed: int) -> None:
    worker = station(steps(300, 300, 1, 300, 300))
    (planned,) = plan_jobs([due("a", 1, 5)], [worker], NOON, margin=0, seed=seed).expected.values()
    assert planned.planned_g == pytest.approx(0.36, rel=0.01)


@pytest.mark.parametrize("seed", range(6))
def test_a_late_job_is_not_moved_either(seed: int) -> None:
    worker = station(steps(300, 300, 1, 300, 300), load_s=100)
    jobs = [due("late", 1.99, 1), due("other", 0.5, 5)]
    agenda = plan_jobs(jobs, [worker], NOON + timedelta(seconds=7), seed=seed)
    assert agenda.spans[0].job_id == "late"
    assert agenda.late[0].short_s == pytest.approx(0.99 * 3600 + 100 + 7)


class TestFits:
    def test_a_job_that_fits(self) -> None:
        assert fits(due("a", 1, 4), [station(())], NOON, [due("b", 1, 4)], margin=0.1) is None

    def test_a_job_that_does_not(self) -> None:
        late = fits(due("a", 2, 4), [station((), load_s=600)], NOON, [due("b", 3, 3.5)], margin=0.1)
        assert late is not None
        assert late.short_s == pytest.approx(1.0 * 3600 + 600)

    def test_a_job_for_which_the_margin_is_lacking(self) -> None:
        late = fits(due("a", 3.9, 4), [station(())], NOON, margin=0.1)
        assert late is not None
        assert late.short_s == 0
        assert "margin of 10%" in late.reason

    def test_a_job_that_would_make_another_late(self) -> None:
        late = fits(due("a", 2, 2), [station(())], NOON, [due("b", 3, 4)], margin=0)
        assert late is not None
        assert late.reason == "it would make job b late"


@settings(max_examples=40, deadline=None)
@given(
    figures=st.lists(st.floats(1, 900), min_size=5, max_size=5),
    jobs=st.lists(st.tuples(st.integers(1, 2), st.integers(1, 5)), min_size=1, max_size=3),
    load=st.sampled_from([(0.0, 0.0), (1.0, 4e5), (1.0, 2e6)]),
    idle_w=st.sampled_from([0.0, 100.0]),
    loaded=st.booleans(),
)
def test_no_choice_of_hours_emits_less(
    figures: list[float],
    jobs: list[tuple[int, int]],
    load: tuple[float, float],
    idle_w: float,
    loaded: bool,
) -> None:
    """Against every way to be on, idle or off in whole hours.

    Loading takes next to no time, and the work leaves room for the units in which it is counted.
    """
    ours = [due(f"j{n}", hours * 0.97, within) for n, (hours, within) in enumerate(jobs)]
    worker = station(steps(*figures), load_s=load[0], load_j=load[1], idle_w=idle_w, loaded=loaded)
    agenda = plan_jobs(ours, [worker], NOON, margin=0, seed=None, slot_s=900)
    if agenda.late:
        return
    grams = math.fsum(each.planned_g or 0.0 for each in agenda.expected.values())
    least = math.inf
    for states in itertools.product(("off", "idle", "on"), repeat=5):
        if all(
            sum(state == "on" for state in states[:end]) >= sum(hours for hours, within in jobs if within <= end)
            for end in range(1, 6)
        ):
            least = min(least, _grams(states, figures, load[1], idle_w, loaded))
    assert grams <= least * 1.002 + 1e-6


def _grams(states: tuple[str, ...], figures: list[float], load_j: float, idle_w: float, loaded: bool) -> float:
    before, total = loaded, 0.0
    for state, g_per_kwh in zip(states, figures, strict=True):
        if state == "off":
            before = False
            continue
        starts = not before
        if starts and state == "idle":
            return math.inf
        joules = (360 if state == "on" else idle_w) * 3600 + (load_j if starts else 0.0)
        total += joules / 3.6e6 * g_per_kwh
        before = True
    return total
