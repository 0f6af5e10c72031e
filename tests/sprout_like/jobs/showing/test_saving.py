"""The saving against running at once, from runs and published intensities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import Intensity
from grid.testing import reading
from sprout_like.jobs.job import Job, Run
from sprout_like.jobs.showing.saving import SoFar, at_once_span, saved_share, so_far

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
JOB = Job(job_id="0" * 32, submitted_utc=NOON, deadline_utc=NOON + 24 * HOUR, model="org/model", items_n=2)
KWH_J = 3.6e6


def ran(
    at: float,
    hours: float = 1,
    *,
    zone: str = "GB",
    worker_id: str = "w",
    energy_j: float | None = KWH_J,
    operational_g: float | None = 100.0,
) -> Run:
    """So many hours of it, so many hours after noon."""
    return Run(
        run_id=f"{worker_id}-{at}",
        job_id=JOB.job_id,
        worker_id=worker_id,
        zone=zone,
        started_utc=NOON + at * HOUR,
        ended_utc=NOON + (at + hours) * HOUR,
        items_n=1,
        new_tokens=10,
        energy_j=energy_j,
        operational_g=operational_g,
    )


def published(*values: float, zone: str = "GB", **fields: Any) -> Sequence[Intensity]:
    """Actual readings of the hours from noon on."""
    return [
        replace(reading(value, start_utc=NOON + n * HOUR, slot_s=3600, zone=zone), **{"status": "actual", **fields})
        for n, value in enumerate(values)
    ]


def test_two_runs_against_the_first_two_hours() -> None:
    """1 kWh each at a mean of 250 g/kWh at once, and PUE 1.2, as the grams of the runs were counted."""
    found = so_far(JOB, [ran(10), ran(15)], published(200, 300, 900), pue=1.2)

    assert (found.emitted_g, found.at_once_g) == (200.0, pytest.approx(600.0))
    assert (found.known_n, found.runs_n) == (2, 2)
    assert saved_share(found.emitted_g, found.at_once_g) == pytest.approx(2 / 3)


def test_at_once_means_as_soon_as_it_was_allowed_to() -> None:
    later = replace(JOB, earliest_utc=NOON + HOUR)
    assert at_once_span(later, [ran(10)]) == (NOON + HOUR, NOON + 2 * HOUR)
    assert so_far(later, [ran(10)], published(200, 300), pue=1.0).at_once_g == pytest.approx(300.0)


def test_two_workers_beside_each_other_take_as_long_as_they_took() -> None:
    """An hour of both at 100 g/kWh at once; the second hour would be that of one worker alone."""
    runs = [ran(10, worker_id="a", operational_g=50.0), ran(10, worker_id="b", operational_g=50.0)]
    found = so_far(JOB, runs, published(100, 500), pue=1.0)

    assert at_once_span(JOB, runs) == (NOON, NOON + HOUR)
    assert (found.emitted_g, found.at_once_g) == (100.0, pytest.approx(200.0))


def test_what_overlaps_at_once_is_what_overlapped_then() -> None:
    """A from 10 to 12 and B from 11 to 13 are 0 to 2 and 1 to 3 at once; a run from 20 on follows at 3."""
    runs = [ran(20, worker_id="a"), ran(11, 2, worker_id="b"), ran(10, 2, worker_id="a")]

    assert at_once_span(JOB, runs) == (NOON, NOON + 4 * HOUR)
    found = so_far(JOB, runs, published(100, 200, 400, 800), pue=1.0)
    assert found.at_once_g == pytest.approx(150 + 300 + 800)


def test_zones_would_have_begun_beside_each_other() -> None:
    runs = [ran(10), ran(11, 2, zone="FR")]
    readings = [*published(200, 900), *published(50, 70, zone="FR")]

    assert at_once_span(JOB, runs) == (NOON, NOON + 2 * HOUR)
    assert so_far(JOB, runs, readings, pue=1.0).at_once_g == pytest.approx(260.0)


def test_a_worker_whose_clock_is_a_little_slow() -> None:
    """Its run seems to begin before the job came, when nothing need have been published."""
    early = ran(-0.001)
    assert at_once_span(JOB, [early]) == (NOON, NOON + HOUR)
    assert so_far(JOB, [early], published(200), pue=1.0).at_once_g == pytest.approx(200.0)


HOURS_G_PER_KWH = (100.0, 500.0, 300.0, 50.0, 700.0, 250.0)


@given(
    spans=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), st.floats(1, 1e9)), min_size=1, max_size=6),
    zones=st.lists(st.sampled_from(["GB", "FR"]), min_size=6, max_size=6),
)
def test_what_ran_at_once_saves_nothing(spans: list[tuple[int, int, float]], zones: list[str]) -> None:
    """Workers of either zone that begin and end when they like, as long as each zone has no gap."""
    runs, reached = [], {"GB": 0, "FR": 0}
    for n, ((start, hours, energy_j), zone) in enumerate(zip(spans, zones, strict=False)):
        at, g_per_kwh = min(start, reached[zone]), HOURS_G_PER_KWH[:: 1 if zone == "GB" else -1]
        end = min(at + hours, len(g_per_kwh))
        mean = sum(g_per_kwh[at:end]) / (end - at)
        emitted_g = energy_j / KWH_J * mean
        runs.append(ran(at, end - at, zone=zone, worker_id=str(n), energy_j=energy_j, operational_g=emitted_g))
        reached[zone] = max(reached[zone], end)
    readings = [*published(*HOURS_G_PER_KWH), *published(*HOURS_G_PER_KWH[::-1], zone="FR")]

    found = so_far(JOB, runs, readings, pue=1.0)
    assert found.known_n == len(runs)
    assert saved_share(found.emitted_g, found.at_once_g) == pytest.approx(0.0, abs=1e-9)


NOTHING = SoFar(emitted_g=None, at_once_g=None, known_n=0, runs_n=1)


@pytest.mark.parametrize(
    ("run", "readings"),
    [
        (ran(10, energy_j=None), published(200)),
        (ran(10, operational_g=None), published(200)),
        (ran(10), ()),
        (ran(10), published(200, zone="FR")),
        (ran(10), published(200, status="forecast")),
        (ran(10), [*published(200), *published(300, kind="marginal")]),
        (ran(10), [*published(200, factors="direct"), *published(300, factors="lifecycle")]),
    ],
    ids=["energy", "carbon", "nothing published", "of another zone", "a forecast", "two kinds", "two factors"],
)
def test_what_is_unknown_is_neither_saved_nor_lost(run: Run, readings: Sequence[Intensity]) -> None:
    assert so_far(JOB, [run], readings, pue=1.0) == NOTHING


def test_a_gap_in_the_hours_at_once_leaves_the_runs_in_it_unknown() -> None:
    assert so_far(JOB, [ran(10), ran(12)], published(200), pue=1.0).known_n == 1
    assert so_far(JOB, [ran(10, 2)], published(200), pue=1.0).known_n == 0


def test_only_runs_of_which_both_sides_are_known_are_compared() -> None:
    found = so_far(JOB, [ran(10), ran(11, energy_j=None, operational_g=None)], published(200, 200), pue=1.0)

    assert (found.emitted_g, found.at_once_g) == (100.0, pytest.approx(200.0))
    assert (found.known_n, found.runs_n) == (1, 2)


def test_each_run_counts_in_its_own_zone() -> None:
    readings = [*published(200, 200), *published(50, 50, zone="FR")]
    found = so_far(JOB, [ran(10), ran(11, zone="FR", operational_g=40.0)], readings, pue=1.0)

    assert found.at_once_g == pytest.approx(250.0)


@pytest.mark.parametrize(("emitted_g", "at_once_g"), [(None, 1.0), (1.0, None), (1.0, 0.0), (None, None)])
def test_a_share_of_what_is_unknown_or_nothing(emitted_g: float | None, at_once_g: float | None) -> None:
    assert saved_share(emitted_g, at_once_g) is None


@given(
    energies=st.lists(st.floats(1, 1e9), min_size=1, max_size=5),
    g_per_kwh=st.floats(1, 1000),
    pue=st.floats(1, 2),
)
def test_under_a_constant_intensity_nothing_is_saved(energies: list[float], g_per_kwh: float, pue: float) -> None:
    runs = [
        ran(10 + n, energy_j=energy_j, operational_g=energy_j / KWH_J * pue * g_per_kwh)
        for n, energy_j in enumerate(energies)
    ]
    found = so_far(JOB, runs, published(*[g_per_kwh] * 6), pue=pue)
    assert saved_share(found.emitted_g, found.at_once_g) == pytest.approx(0.0, abs=1e-9)
