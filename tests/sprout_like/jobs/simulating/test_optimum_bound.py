"""The optimum is a bound where a worker may also stay loaded, and what a station counts as a start."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprout_like.errors import JobError, SettingError
from sprout_like.jobs.simulating import Order, Report, as_text, simulate
from sprout_like.jobs.simulating.asked import Asked, generated
from sprout_like.jobs.simulating.execution import Machine, View, Wish, executed_alone, executed_shared
from sprout_like.jobs.simulating.optimum import least_alone_g
from sprout_like.jobs.simulating.policies import AtOnce
from sprout_like.jobs.simulating.zone import Zone, read_zone

START = datetime(2023, 1, 1, tzinfo=UTC)
HOUR_S = 3600.0


def trace(folder: Path, values: list[float], step_s: float = HOUR_S) -> Path:
    rows = [f"{(START + n * timedelta(seconds=step_s)).isoformat()},{g:.4f}" for n, g in enumerate(values)]
    path = folder / "GB_test.csv"
    path.write_text("\n".join(["time_utc,direct_g_per_kwh", *rows]) + "\n", "utf-8")
    return path


def zone(folder: Path, values: list[float], step_s: float = HOUR_S) -> Zone:
    return read_zone(
        trace(folder, values, step_s),
        name="GB",
        column="direct_g_per_kwh",
        start_utc=START,
        days=None,
        most_forecasts=1000,
    )


def machine(load_s: float = 1800.0, idle_w: float = 60.0) -> Machine:
    return Machine(power_w=300, load_s=load_s, load_j=300 * load_s, idle_w=idle_w)


def swinging(days: int) -> list[float]:
    return [200 + 150 * math.sin(hour / 24 * 2 * math.pi) for hour in range(24 * days)]


def assert_bounded(report: Report) -> None:
    for each in report.figures:
        if each.all.missed == 0:
            assert (each.all.of_optimum_pct or 0.0) <= 100 * (1 + 1e-5), each.policy


@pytest.mark.parametrize("idle_w", [1.0, 60.0])
@pytest.mark.parametrize("shared", [False, True])
def test_a_worker_that_stays_loaded_saves_no_more_than_the_optimum(tmp_path: Path, idle_w: float, shared: bool) -> None:
    # Breaks of half an hour are cheaper loaded than with a start: keep_s is more than a slot.
    path = trace(tmp_path, [10.0 if n % 2 else 400.0 for n in range(48 * 6)], 1800.0)
    order = Order(
        traces=(path,),
        jobs=4,
        start=START + timedelta(days=4),
        idle_w=idle_w,
        start_up_s=1800.0,
        duration_hours=(2.0,),
        shared=shared,
    )
    assert_bounded(simulate(order))


def test_the_optimum_by_hand(tmp_path: Path) -> None:
    zones = [zone(tmp_path, [100.0, 10.0, 1000.0, 10.0, 100.0, 100.0])]
    jobs = [Asked(name="a", arrival_s=0.0, due_s=6 * HOUR_S, work_s=2 * HOUR_S)]
    # Loads before 1:00 for 0.1 h at 100, works at 10, is loaded for an hour at 1000 g/kWh, works at 10: against a
    # second start of 0.03 kWh at 1000 or one within the low hour, and the 0.1 h of work at 100 that this costs.
    (kept,) = least_alone_g(jobs, zones, machine(360.0, 0.01), START) or [0.0]
    assert kept == pytest.approx(0.03 * 100 + 0.6 * 10 + 0.01e-3 * 1000, rel=1e-3)
    (started,) = least_alone_g(jobs, zones, machine(360.0, 300.0), START) or [0.0]
    # The second load is in the low hour, or in the dirty one before it; the first is before the first low hour.
    assert started <= 0.03 * 100 + 0.6 * 10 + 0.03 * 10 + 0.03 * 100 + 1e-9
    assert started >= 0.6 * 10 + 2 * 0.03 * 10
    assert least_alone_g(jobs, zones, machine(4 * HOUR_S + 1), START) is None


class Drawn:
    """Works and stops as it was drawn, quarter by quarter, and works when it must."""

    def __init__(self, jobs: list[Asked], machine: Machine, works: list[bool]) -> None:
        self._jobs, self._machine, self._works = jobs, machine, works

    def wishes(self, view: View) -> list[Wish]:
        (number,) = view.left_s
        spare_s = self._jobs[number].due_s - view.now_s - view.left_s[number] - self._machine.load_s
        quarter = int((view.now_s + 1e-3) // 900)
        if self._works[quarter % len(self._works)] or spare_s < 2 * self._machine.load_s + 2.0:
            return [Wish(number, (quarter + 1) * 900.0)]
        return [Wish(None, min((quarter + 1) * 900.0, view.now_s + spare_s))]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    works=st.lists(st.booleans(), min_size=6, max_size=40),
    load_s=st.sampled_from([0.0, 60.0, 1800.0, 5400.0]),
    idle_w=st.sampled_from([0.0, 1.0, 60.0, 300.0]),
)
def test_no_schedule_at_all_emits_less_than_the_optimum(
    tmp_path_factory: pytest.TempPathFactory, seed: int, works: list[bool], load_s: float, idle_w: float
) -> None:
    rng = np.random.default_rng(seed)
    zones = [zone(tmp_path_factory.mktemp("drawn"), [float(g) for g in rng.uniform(5, 600, 24)])]
    jobs = [Asked(name="a", arrival_s=1234.0, due_s=22 * HOUR_S, work_s=float(rng.uniform(600, 5 * HOUR_S)))]
    station = machine(load_s, idle_w)
    out = executed_alone(lambda some: Drawn(list(some), station, works), jobs, zones, station)
    least = least_alone_g(jobs, zones, station, START)
    assert least is not None
    if out.end_s[0] <= jobs[0].due_s:
        assert out.g[0] >= least[0] * (1 - 1e-5)


def test_with_free_idling_a_worker_is_still_started_once_and_no_better_than_the_optimum(tmp_path: Path) -> None:
    path = trace(tmp_path, swinging(7))
    order = Order(traces=(path,), jobs=6, start=START + timedelta(days=4), idle_w=0.0, start_up_s=1800.0)
    report = simulate(order)
    assert_bounded(report)
    assert [each.starts for each in report.figures if each.starts is not None] == [6, 6, 6, 6]


def test_a_start_that_was_broken_off_is_finished_before_work_goes_on(tmp_path: Path) -> None:
    class Hesitant:
        def wishes(self, view: View) -> list[Wish]:
            if 300 <= view.now_s < 600:
                return [Wish(None, 600.0)]
            return [Wish(0, 300.0 if view.now_s < 300 else math.inf)]

    jobs = [Asked(name="a", arrival_s=0.0, due_s=5 * HOUR_S, work_s=HOUR_S)]
    station = machine(1800.0, 60.0)
    out = executed_shared(lambda _: Hesitant(), jobs, [zone(tmp_path, [100.0] * 24)], station)
    assert out.starts == 1
    assert out.end_s[0] == pytest.approx(1800 + HOUR_S)
    assert out.g[0] == pytest.approx(100 * 0.3 * 1.5)


def test_jobs_that_are_made_up_have_time_to_load(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="--duration-hours: the longest is 6 h, with 60 s to load"):
        Order(traces=(Path("GB_1.csv"),), deadline_hours=(6.0,), duration_hours=(6.0,))
    tight = Order(
        traces=(trace(tmp_path, swinging(8)),),
        jobs=3,
        start=START + timedelta(days=4),
        deadline_hours=(6.0,),
        duration_hours=(5.5,),
        start_up_s=1800.0,
    )
    report = simulate(tight)
    assert report.of("at once").all.missed == 0
    assert report.of("optimum").all.g is not None


@pytest.mark.parametrize("seed", range(4))
def test_one_station_that_starts_at_once_keeps_every_deadline_of_jobs_that_are_made_up(
    tmp_path: Path, seed: int
) -> None:
    jobs = generated(
        30, span_s=6 * 86400, deadlines_s=[10_800, 43_200], durations_s=[3600, 9000], load_s=1800.0, seed=seed
    )
    out = executed_shared(AtOnce, jobs, [zone(tmp_path, [100.0] * 24 * 6)], machine(1800.0, 300.0))
    assert all(end_s <= job.due_s + 0.1 for end_s, job in zip(out.end_s, jobs, strict=True))


def test_the_text_says_what_the_planner_sees(tmp_path: Path) -> None:
    report = simulate(Order(traces=(trace(tmp_path, swinging(5)),), jobs=1, start=START + timedelta(days=2)))
    assert "the actual of the slot that runs, told one second after it begins" in as_text(report)


@pytest.mark.parametrize(
    ("start", "days"), [(None, 1e8), (datetime(9999, 12, 31, tzinfo=UTC), 5.0), (datetime(9999, 12, 31, tzinfo=UTC), 1)]
)
def test_a_time_beyond_the_calendar(tmp_path: Path, start: datetime | None, days: float) -> None:
    with pytest.raises(JobError, match="Change --start or --days"):
        simulate(Order(traces=(trace(tmp_path, swinging(5)),), jobs=1, start=start, days=days))
