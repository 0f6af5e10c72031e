"""The simulation: what each policy does, that nobody looks ahead, and what it says of bad input."""

from __future__ import annotations

import json
import math
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sprout_like.cli.commands import app
from sprout_like.errors import JobError, SettingError
from sprout_like.jobs.planning.order import Task, too_late
from sprout_like.jobs.simulating import Order, Report, as_json, as_text, simulate
from sprout_like.jobs.simulating.asked import Asked, generated
from sprout_like.jobs.simulating.execution import Machine, View, executed_alone, executed_shared
from sprout_like.jobs.simulating.policies import Planned
from sprout_like.jobs.simulating.zone import read_zone

START = datetime(2023, 1, 1, tzinfo=UTC)
SHARED = Path(os.environ.get("SPROUT_SHARED_DATA", Path(__file__).parents[4].parent / "shared" / "data"))
DAY_7 = '"2023-01-07T00:00Z"'
MACHINE = Machine(power_w=300, load_s=60, load_j=18_000, idle_w=60)


def figures(days: int, seed: int = 0) -> list[float]:
    rng = np.random.default_rng(seed)
    hours = np.arange(24 * days)
    noise = np.convolve(rng.normal(0, 12, len(hours) + 5), np.ones(6) / 2, "valid")
    return [float(g) for g in 250 + 120 * np.sin(hours / 24 * 2 * math.pi) + noise]


def trace(folder: Path, values: list[float], name: str = "GB_test.csv") -> Path:
    rows = [f"{(START + n * timedelta(hours=1)).isoformat()},{g:.2f}" for n, g in enumerate(values)]
    path = folder / name
    path.write_text("\n".join(["time_utc,direct_g_per_kwh", *rows]) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("traces")
    other = [500 - g for g in figures(12)]
    traces = (trace(folder, figures(12)), trace(folder, other, "FR_test.csv"))
    return simulate(Order(traces=traces, jobs=12, start=START + timedelta(days=7)))


def test_no_policy_saves_more_than_the_optimum_and_planning_saves_most(report: Report) -> None:
    savings = {each.policy: each.all.saving_pct or 0.0 for each in report.figures}
    assert savings["at once"] == 0
    assert max(savings["at the deadline"], savings["wait awhile"]) < savings["planned"] <= savings["optimum"]
    assert savings["planned"] < savings["planned, all zones"] <= savings["optimum, all zones"]
    assert (report.of("planned").all.of_optimum_pct or 0) > 85


def test_no_deadline_is_missed_and_parts_add_up(report: Report) -> None:
    for each in report.figures:
        assert each.all.missed == 0
        assert sum(share.jobs_n for share in each.by_deadline) == each.all.jobs_n == 12
        assert sum(share.g or 0.0 for share in each.by_deadline) == pytest.approx(each.all.g)
    assert report.of("at once").starts == 12


def test_the_figures_as_text_and_json(report: Report) -> None:
    data = json.loads(as_json(report))
    assert data["policies"]["planned"]["saving_pct"] == pytest.approx(report.of("planned").all.saving_pct)
    assert data["policies"]["planned"]["by_deadline"][0]["hours"] == 6
    assert data["arguments"]["seed"] == 0
    assert "planned, all zones" in as_text(report)


def test_all_jobs_on_one_worker_emit_no_less_than_the_bound(tmp_path: Path) -> None:
    path = trace(tmp_path, figures(9))
    told = simulate(Order(traces=(path,), jobs=12, start=START + timedelta(days=6), shared=True))
    bound = told.of("optimum").all.g
    assert bound is not None
    for each in told.figures:
        assert each.all.g is not None
        assert each.all.g >= bound * (1 - 1e-9)
        assert each.all.missed == 0


@settings(max_examples=2, deadline=None)
@given(hour=st.integers(110, 150), factor=st.floats(0.1, 5))
def test_what_comes_later_changes_nothing_before(
    tmp_path_factory: pytest.TempPathFactory, hour: int, factor: float
) -> None:
    folder = tmp_path_factory.mktemp("future")
    known = figures(7)
    changed = [g if n < hour else g * factor for n, g in enumerate(known)]
    until_s = (hour - 96) * 3600.0

    def done_before(values: list[float]) -> list[tuple[int | None, float]]:
        zone = read_zone(
            trace(folder, values),
            name="GB",
            column="direct_g_per_kwh",
            start_utc=START + timedelta(days=4),
            days=None,
            most_forecasts=1000,
        )
        jobs = generated(6, span_s=72 * 3600.0, deadlines_s=[6e4], durations_s=[7200.0], load_s=60.0, seed=1)
        planned = Planned(jobs, [zone], MACHINE, 0.1, START + timedelta(days=4))
        seen: list[tuple[int | None, float]] = []

        class Watched:
            def wishes(self, view):  # type: ignore[no-untyped-def]
                wishes = planned.wishes(view)
                if view.now_s < until_s:
                    seen.append((wishes[0].number, view.now_s))
                return wishes

        executed_shared(lambda _: Watched(), jobs, [zone], MACHINE)
        return seen

    assert done_before(known) == done_before(changed)


def test_what_a_plan_left_over_is_planned_again_at_its_end(tmp_path: Path) -> None:
    start = START + timedelta(days=7)
    zone = read_zone(
        trace(tmp_path, figures(8)),
        name="GB",
        column="direct_g_per_kwh",
        start_utc=start,
        days=1,
        most_forecasts=1000,
    )
    planned = Planned([Asked(name="a", arrival_s=0.0, due_s=900.0, work_s=600.0)], [zone], MACHINE, 0.1, start)
    (wish,) = planned.wishes(View(0.0, 0, {0: 600.0}, (True,), new=True))
    assert (wish.number, wish.until_s) == (0, 600.0)
    # The model had not loaded yet, unlike what the plan was told.
    (wish,) = planned.wishes(View(600.0, 0, {0: 40.0}, (True,), new=False))
    assert (wish.number, wish.until_s) == (0, 640.0)


def test_a_job_in_a_known_grid_runs_in_its_cheapest_hours(tmp_path: Path) -> None:
    square = [100.0 if n % 24 in (10, 11) else 300.0 for n in range(24 * 9)]
    zone = read_zone(
        trace(tmp_path, square),
        name="GB",
        column="direct_g_per_kwh",
        start_utc=START + timedelta(days=6),
        days=2,
        most_forecasts=1000,
    )
    jobs = generated(4, span_s=172_800, deadlines_s=[86_400], durations_s=[3600], load_s=60.0, seed=0)
    start = START + timedelta(days=6)
    out = executed_alone(lambda some: Planned(some, [zone], MACHINE, 0.1, start), jobs, [zone], MACHINE)
    assert all(10 < end_s / 3600 % 24 <= 12.1 for end_s in out.end_s)


def test_jobs_that_are_made_up_can_all_be_in_time() -> None:
    jobs = generated(60, span_s=20 * 86400, deadlines_s=[21_600, 172_800], durations_s=[3600, 7200], load_s=0.0, seed=3)
    tasks = [Task(number, job.work_s, job.arrival_s, job.due_s) for number, job in enumerate(jobs)]
    assert not too_late(tasks, 0.0)
    assert jobs == generated(
        60, span_s=20 * 86400, deadlines_s=[21_600, 172_800], durations_s=[3600, 7200], load_s=0.0, seed=3
    )
    with pytest.raises(JobError, match="do not fit into 1 days"):
        generated(30, span_s=86400, deadlines_s=[21_600], durations_s=[7200], load_s=0.0, seed=3)


def test_jobs_from_a_file(tmp_path: Path) -> None:
    path, lines = tmp_path / "jobs.jsonl", []
    for n in range(3):
        arrival = START + timedelta(days=6, hours=5 * n)
        lines.append(
            json.dumps(
                {
                    "arrival_utc": arrival.isoformat(),
                    "deadline_utc": (arrival + timedelta(hours=12)).isoformat(),
                    "duration_s": 1800,
                }
            )
        )
    path.write_text("\n".join(lines), "utf-8")
    told = simulate(Order(traces=(trace(tmp_path, figures(9)),), jobs=path, start=START + timedelta(days=6)))
    assert (told.jobs_n, told.work_h) == (3, 1.5)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: it is not JSON"),
        ('{"arrival_utc": "2023-01-07T00:00Z"}', "line 2: a job has arrival_utc"),
        ('{"arrival_utc": "2023-01-07", "deadline_utc": "x", "duration_s": 1}', "without a zone"),
        ('{"arrival_utc": 7, "deadline_utc": "x", "duration_s": 1}', "arrival_utc is 7"),
        (
            '{"arrival_utc": "2023-01-07T00:00Z", "deadline_utc": "2023-01-07T09:00Z", "duration_s": "1"}',
            "duration_s is '1'",
        ),
        (
            '{"arrival_utc": "2023-01-07T00:00Z", "deadline_utc": "2025-01-07T09:00Z", "duration_s": 1}',
            "Move it, --start or --days",
        ),
        (f'{{"arrival_utc": {DAY_7}, "deadline_utc": {DAY_7}, "duration_s": 1{"0" * 400}}}', "longer than the time"),
        (f'{{"arrival_utc": {DAY_7}, "deadline_utc": {DAY_7}, "duration_s": 1e300}}', "longer than the time"),
        (f'{{"arrival_utc": "0001-01-01T00:00+14:00", "deadline_utc": {DAY_7}, "duration_s": 1}}', "arrival_utc is"),
        ("[" * 200_000, "line 2: it is not JSON"),
    ],
    ids=lambda value: value[:60],
)
def test_a_line_that_is_no_job(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "jobs.jsonl"
    path.write_text(f"\n{line}\n", "utf-8")
    order = Order(traces=(trace(tmp_path, figures(9)),), jobs=path, start=START + timedelta(days=6))
    with pytest.raises(JobError, match=said) as caught:
        simulate(order)
    assert len(str(caught.value)) < 500


def test_files_that_are_not_there_or_empty(tmp_path: Path) -> None:
    ours = trace(tmp_path, figures(9))
    with pytest.raises(JobError, match="cannot be read"):
        simulate(Order(traces=(ours,), jobs=tmp_path / "none.jsonl"))
    (tmp_path / "empty.jsonl").write_text("\n", "utf-8")
    with pytest.raises(JobError, match="there is no job in it"):
        simulate(Order(traces=(ours,), jobs=tmp_path / "empty.jsonl"))


def test_a_trace_that_is_too_short_or_has_a_gap(tmp_path: Path) -> None:
    whole = trace(tmp_path, figures(9))
    with pytest.raises(JobError, match="Change --start or --days"):
        simulate(Order(traces=(whole,), jobs=1, days=30))
    lines = whole.read_text("utf-8").splitlines()
    (tmp_path / "GB_gap.csv").write_text("\n".join([*lines[:150], *lines[160:]]) + "\n", "utf-8")
    with pytest.raises(JobError, match="there is a gap"):
        simulate(Order(traces=(tmp_path / "GB_gap.csv",), jobs=1))
    other = trace(tmp_path, figures(7), "FR_short.csv")
    with pytest.raises(SettingError, match="do not have the same slots"):
        simulate(Order(traces=(whole, other), jobs=1))


def test_a_file_whose_name_tells_no_zone_needs_one_named(tmp_path: Path) -> None:
    year = trace(tmp_path, figures(9), "year.csv")
    with pytest.raises(SettingError, match=r"--zone: it is not given, and the name of .*year\.csv begins with none"):
        simulate(Order(traces=(year,), jobs=1))
    assert simulate(Order(traces=(year,), zones=("GB",), jobs=1)).jobs_n == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"traces": ()}, "--trace: there is none"),
        ({"zones": ("GB", "FR")}, "2 for 1 traces"),
        ({"traces": (Path("GB_1.csv"), Path("GB_2.csv"))}, "comes twice"),
        ({"jobs": 0}, "--jobs: it is 0"),
        ({"jobs": 10**30}, "--jobs: it is 1000000000000000000000000000000"),
        ({"deadline_hours": ()}, "--deadline-hours: it is empty"),
        ({"duration_hours": (7.0,)}, "the longest is 7"),
        ({"power_w": 0.0}, "--power-w"),
        ({"idle_w": 400.0}, "--idle-w"),
        ({"days": -1.0}, "--days"),
        ({"margin": 2.0}, "--margin"),
        ({"seed": -1}, "--seed"),
    ],
)
def test_figures_out_of_range(changed: dict[str, object], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        Order(**{"traces": (Path("GB_1.csv"),), **changed})  # type: ignore[arg-type]


@pytest.mark.skipif(not (SHARED / "traces").is_dir(), reason=f"needs the traces in {SHARED}; set SPROUT_SHARED_DATA")
def test_a_week_of_a_real_grid() -> None:
    path = SHARED / "traces" / "US-CAL-CISO_2023Q1.csv"
    told = simulate(Order(traces=(path,), jobs=8, days=4)).of("planned").all
    assert told.missed == 0
    assert (told.of_optimum_pct or 0) > 60


@pytest.mark.parametrize("jobs", ["²", "--5", "9" * 5000])
def test_a_number_of_jobs_that_is_none_is_a_file_that_is_not_there(tmp_path: Path, jobs: str) -> None:
    found = CliRunner().invoke(app, ["jobs", "simulate", "--trace", str(trace(tmp_path, figures(9))), f"--jobs={jobs}"])
    assert isinstance(found.exception, JobError)
    assert "cannot be read" in str(found.exception)
