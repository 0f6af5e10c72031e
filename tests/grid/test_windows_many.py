"""Plans at the size of real series: days of hours, work of many hours, many pieces of work together."""

from __future__ import annotations

import math
import random
from datetime import timedelta

import pytest

from grid.errors import WindowError
from grid.testing import NOON
from grid.windows import Work, plan, plan_many
from tests.grid.slots import series_of

HOUR_S = 3600.0
POWER_W = 3.6e6  # so that a second at 1 g/kWh emits 1 g


def some_work(rng: random.Random, hours: int) -> Work:
    duration_h = 0.2 * math.exp(rng.uniform(0, 4))
    earliest_h = rng.uniform(0, hours - 1.3 * duration_h)
    start_up_s = rng.uniform(30, 600)
    return Work(
        duration_s=duration_h * HOUR_S,
        power_w=POWER_W,
        earliest_utc=NOON + timedelta(hours=earliest_h),
        deadline_utc=NOON + timedelta(hours=rng.uniform(earliest_h + 1.2 * duration_h, hours)),
        interruptible=True,
        start_up_s=start_up_s,
        start_up_j=start_up_s * POWER_W * rng.uniform(0, 3),
    )


def test_work_among_others_emits_as_little_as_alone() -> None:
    rng = random.Random(0)
    series = series_of([(HOUR_S, 250 + 110 * math.sin(hour / 4) + rng.gauss(0, 25)) for hour in range(96)])
    works = [some_work(rng, 96) for _ in range(120)]
    together = plan_many(works, series)
    several = 0
    for work, found in zip(works, together, strict=True):
        if isinstance(found, WindowError):
            with pytest.raises(WindowError):
                plan(work, series)
            continue
        assert found.emitted_g == pytest.approx(plan(work, series).emitted_g, rel=1e-8)
        several += len(found.windows) > 1
    assert several > 30


def test_two_runs_that_only_just_fit_are_found_where_they_are_a_little_better() -> None:
    series = series_of([(50_010, 0.7), (10, 0.701), (50_000, 0.7)])
    work = Work(
        duration_s=100_000,
        power_w=POWER_W,
        deadline_utc=NOON + timedelta(seconds=100_020),
        interruptible=True,
        start_up_s=10,
    )
    found = plan(work, series)
    # The second start-up, at no power, takes the dirty slot; one run would work through it, for 0.01 g more.
    assert found.emitted_g == pytest.approx(70_000, abs=1e-4)
    assert [(w.start_utc - NOON).total_seconds() for w in found.windows] == pytest.approx([0, 50_010])
