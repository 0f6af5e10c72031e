"""A low that is shorter than the work still gets all that fits: only the rest runs in dirty time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sprout_like.jobs.planning import Agenda, Due, Station, plan_jobs

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SLOT = timedelta(minutes=5)
DIRTY, CLEAN = 400.0, 20.0
POWER_W, LOAD_S, LOAD_J, MARGIN = 50.0, 2.0, 100.0, 0.1
SLOTS = 24


def planned(low_min: int, work_s: float, *, loaded: bool, now: datetime = NOW, seed: int | None = 0) -> Agenda:
    """One job that is due in 2 h; the last `low_min` before its deadline are clean."""
    outlook = tuple(
        (NOW + n * SLOT, NOW + (n + 1) * SLOT, CLEAN if SLOTS - low_min // 5 <= n < SLOTS else DIRTY)
        for n in range(SLOTS + 60)
    )
    station = Station(
        worker_id="w",
        zone="GB",
        model="m",
        engine="e",
        pace_tokens_per_s=1.0,
        power_w=POWER_W,
        load_s=LOAD_S,
        load_j=LOAD_J,
        idle_w=POWER_W / 4,
        loaded=loaded,
        outlook=outlook,
    )
    due = Due(job_id="j", model="m", work_tokens=work_s, deadline_utc=NOW + SLOTS * SLOT)
    return plan_jobs([due], [station], now, margin=MARGIN, seed=seed)


def least_g(low_min: int, work_s: float, *, loaded: bool) -> float:
    """As much as the low holds before the margin, the rest in dirty time; loading counted where it is cheapest."""
    clean_s = min(work_s, low_min * 60 - MARGIN * work_s)
    loads = 1 if loaded or clean_s == work_s else 2
    loading = LOAD_J * CLEAN * loads
    return (POWER_W * ((work_s - clean_s) * DIRTY + clean_s * CLEAN) + loading) / 3.6e6


@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize(
    ("low_min", "work_s"), [(5, 200), (5, 296), (5, 596), (10, 500), (10, 596), (30, 3000), (60, 3000), (60, 5000)]
)
def test_nearly_all_that_waiting_can_save_is_saved(low_min: int, work_s: float, loaded: bool) -> None:
    """All but 5 %: loading takes 2 s of the low (1 % of what the shortest can save), jitter up to 1 % of the grams."""
    agenda = planned(low_min, work_s, loaded=loaded)
    expected = agenda.expected["j"]
    assert expected.planned_g is not None
    assert expected.at_once_g is not None
    possible_g = expected.at_once_g - least_g(low_min, work_s, loaded=loaded)
    assert expected.at_once_g - expected.planned_g >= 0.95 * possible_g
    assert agenda.spans[-1].end_utc <= NOW + SLOTS * SLOT - timedelta(seconds=MARGIN * work_s - 0.01)


@pytest.mark.parametrize("seed", range(6))
def test_it_is_saved_off_the_clock_and_with_jitter_too(seed: int) -> None:
    now = NOW + timedelta(seconds=97)
    expected = planned(10, 596, loaded=False, now=now, seed=seed).expected["j"]
    assert expected.planned_g is not None
    assert expected.at_once_g is not None
    possible_g = expected.at_once_g - least_g(10, 596, loaded=False)
    assert expected.at_once_g - expected.planned_g >= 0.95 * possible_g
