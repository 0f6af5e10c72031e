"""Frames of `jobs watch` for jobs that are late, far away, in several zones, or of which little is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from grid import Intensity
from grid.testing import reading
from sprout_like.cli.grid.glyphs import BLOCKS
from sprout_like.cli.grid.times import Times
from sprout_like.cli.jobs.shown import shown
from sprout_like.cli.jobs.watched import frame
from sprout_like.jobs.job import Job, Planned, Run, Standing
from sprout_like.jobs.showing.saving import so_far
from sprout_like.jobs.showing.view import View, state_of
from tests.sprout_like.cli.jobs_queue import HOUR, MODEL, worker

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
JOB = Job(job_id="0" * 32, submitted_utc=NOW - 2 * HOUR, deadline_utc=NOW + 10 * HOUR, model=MODEL, items_n=5)


def standing(**fields: Any) -> Standing:
    known: dict[str, Any] = {
        "waiting_n": 5,
        "leased_n": 0,
        "done_n": 0,
        "failed_n": 0,
        "left_tokens": 500,
        "done_tokens": 0,
        "done_limit_tokens": 0,
    }
    return Standing(**{**known, **fields})


def planned(at: float, zone: str = "GB", hours: float = 1) -> Planned:
    start_utc = NOW + at * HOUR
    return Planned(
        job_id=JOB.job_id, worker_id="b" * 32, zone=zone, start_utc=start_utc, end_utc=start_utc + hours * HOUR
    )


def ran(at: float, zone: str = "GB", **fields: Any) -> Run:
    start_utc = NOW + at * HOUR
    known: dict[str, Any] = {"run_id": f"{at}", "items_n": 1, "new_tokens": 10, **fields}
    return Run(
        job_id=JOB.job_id,
        worker_id="b" * 32,
        zone=zone,
        started_utc=start_utc,
        ended_utc=start_utc + HOUR,
        **known,
    )


def view(job: Job = JOB, *, runs: Sequence[Run] = (), past: Sequence[Intensity] = (), **fields: Any) -> View:
    known: dict[str, Any] = {
        "standing": standing(),
        "now_utc": NOW,
        "planned": (),
        "workers": (worker(NOW),),
        "failed": (),
        **fields,
    }
    return View(job=job, runs=tuple(runs), past=tuple(past), so_far=so_far(job, runs, past, pue=1.0), **known)


def drawn(what: View, width: int = 80) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(frame(what, Times(utc=True), width, BLOCKS))
    return captured.get().splitlines()


def row(lines: Sequence[str], name: str) -> str:
    return next(line for line in lines if line[:6].strip() == name)


def test_spans_in_other_zones_have_rows_of_their_own() -> None:
    lines = drawn(view(planned=(planned(3, "FR"), planned(6)), workers=(worker(NOW, zone="FR"), worker(NOW))))

    assert lines[0] == "000000000000: waiting (FR, times UTC)"
    assert row(lines, "plan").index("▲") == 8 + 30  # the 5th of 12 hours, over 72 columns
    assert row(lines, "GB").index("▲") == 8 + 48
    assert "next run  2026-03-02 15:00 to 16:00 UTC, FR" in lines


def test_a_job_that_is_late_shows_what_lies_ahead() -> None:
    lines = drawn(view(replace(JOB, deadline_utc=NOW - HOUR)))

    assert lines[0] == "000000000000: late (GB, times UTC)"
    assert "│" in row(lines, "now")
    assert any(line.startswith("deadline  2026-03-02 11:00 UTC, 1 h ago") for line in lines)


def test_of_a_deadline_far_away_four_days_are_drawn() -> None:
    far = replace(JOB, submitted_utc=NOW - 100 * HOUR, deadline_utc=NOW + 1000 * HOUR)
    lines = drawn(view(far, planned=(planned(24),)))

    assert row(lines, "now").index("│") == 8 + 18  # a day of four, over 72 columns
    assert row(lines, "plan").index("▲") == 8 + 36


def test_what_was_published_is_drawn_from_one_source_and_kind() -> None:
    def hour(n: int, value: float, **fields: Any) -> Intensity:
        one = reading(value, start_utc=NOW - n * HOUR, slot_s=3600, zone="GB")
        return replace(one, **{"status": "actual", **fields})

    past = [
        hour(2, 100),
        hour(1, 100),
        hour(2, 900, kind="marginal", status="estimated"),
        hour(2, 800, status="estimated"),
    ]
    lines = drawn(view(past=past))
    assert lines[2].startswith("   300 │")  # the forecast's; neither 800 nor 900


@pytest.mark.parametrize("workers", [(), (worker(NOW, outlook=()),), (worker(NOW, model="org/other"),)])
def test_without_a_forecast_there_is_no_plot_and_a_word_for_it(workers: Any) -> None:
    lines = drawn(view(workers=workers))
    assert not any("g/kWh" in line for line in lines)
    assert "forecast  unknown: no worker has announced one" in lines


def test_energy_that_is_known_in_part() -> None:
    runs = [ran(-2, energy_j=1000.0, operational_g=0.1), ran(-1)]
    facts = " ".join(" ".join(drawn(view(runs=runs, standing=standing(done_n=2, energy_j=1000.0)))).split())

    assert "energy 1.00 kJ, and unknown of 1 of 2 runs" in facts
    assert "carbon unknown planned" in facts


def test_a_job_that_has_ended_says_nothing_of_plans_and_workers() -> None:
    done = replace(JOB, state="done", finished_utc=NOW)
    text = "\n".join(drawn(view(done, runs=[ran(-1)], standing=standing(done_n=5))))
    assert "done" in text
    for word in ("next run", "workers", " now ", "left", "ago"):
        assert word not in text


def test_many_spans_are_counted_and_not_all_listed() -> None:
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        many = view(planned=[planned(n / 4, hours=0.1) for n in range(20)], runs=[ran(-20 + n) for n in range(15)])
        console.print(shown(many, Times(utc=True), 80))
    text = captured.get()
    assert "and 8 later ones" in text
    assert "and 3 earlier ones" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("job", "leased_n", "state"),
    [
        (JOB, 0, "waiting"),
        (JOB, 1, "running"),
        (replace(JOB, state="paused"), 1, "paused"),
        (replace(JOB, deadline_utc=NOW), 1, "late"),
        (replace(JOB, deadline_utc=NOW - HOUR, state="done"), 0, "done"),
    ],
)
def test_states_for_people(job: Job, leased_n: int, state: str) -> None:
    assert state_of(job, standing(leased_n=leased_n), NOW) == state


@given(
    width=st.integers(30, 200),
    left_h=st.floats(-50, 2000),
    age_h=st.floats(0, 2000),
    spans=st.lists(st.floats(-100, 100), max_size=4),
)
def test_any_job_has_a_frame_that_fits(width: int, left_h: float, age_h: float, spans: list[float]) -> None:
    job = replace(JOB, submitted_utc=NOW - timedelta(hours=age_h), deadline_utc=NOW + timedelta(hours=left_h))
    lines = drawn(view(job, planned=tuple(planned(max(0.0, at)) for at in sorted(spans))), width)
    plotted = lines[: next(n for n, line in enumerate(lines) if line.startswith("items"))]
    assert max(map(len, plotted[1:])) <= width
