from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import Grid, SourceSpecError, StaticSource
from grid.testing import NOON, ManualClock


@pytest.mark.parametrize("figure", [-1, float("nan"), float("inf"), 5_001, "250", True, None])
def test_a_figure_that_is_none_is_told_at_construction(figure: Any) -> None:
    with pytest.raises(SourceSpecError, match="static:250"):
        StaticSource(figure)


def test_unknown_factors_are_told_at_construction() -> None:
    factors: Any = "both"
    with pytest.raises(SourceSpecError, match="direct, lifecycle"):
        StaticSource(250, factors=factors)


@given(st.integers(0, 10**8))
def test_latest_is_the_hour_that_holds_now(seconds: int) -> None:
    now_utc = NOON + timedelta(seconds=seconds)
    latest = StaticSource(250, factors="direct").latest("FR", now_utc)
    assert latest.start_utc <= now_utc < latest.end_utc
    assert (latest.start_utc.minute, latest.end_utc - latest.start_utc) == (0, timedelta(hours=1))
    assert (latest.status, latest.factors, latest.zone) == ("static", "direct", "FR")


def test_it_is_never_stale_however_rarely_it_is_refreshed() -> None:
    clock = ManualClock()
    grid = Grid(StaticSource(250), "GB", now_utc=clock)
    for _ in range(300):
        grid.refresh_if_due()
        look = grid.look()
        assert (look.intensity is not None, look.stale, look.reason) == (True, False, None)
        clock.advance(601)
        assert not grid.look().stale
