"""Sums that stand for means and spreads, against numpy's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from directives.replay.tally import Tally, effective, quality_of


@given(seed=st.integers(0, 2**32 - 1), parts=st.integers(1, 5))
def test_costs_counted_in_parts_are_those_of_the_whole(seed: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    bins, directives = rng.integers(0, 3, n), rng.integers(0, 2, n)
    energy_j, time_s = rng.uniform(100, 2000, n), rng.uniform(1, 9, n)
    tally = Tally(3, 2)
    assert tally.empty
    for part in np.array_split(np.arange(n), parts):
        tally.add(bins[part], directives[part], energy_j[part], time_s[part])
    for at in range(3):
        for kind in range(2):
            mine = (bins == at) & (directives == kind)
            for figures, estimate in zip((energy_j, time_s), tally.of(at, kind), strict=True):
                if not mine.any():
                    assert estimate is None
                    continue
                assert estimate is not None
                assert (estimate.mean, estimate.n) == (pytest.approx(figures[mine].mean()), mine.sum())
                if mine.sum() > 1:
                    assert estimate.sd == pytest.approx(figures[mine].std(ddof=1), rel=1e-6, abs=1e-5)
    tally.forget()
    assert tally.empty
    assert tally.of(0, 0) == (None, None)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40))
def test_quality_is_mean_and_spread_of_weighed_scores(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    score, full, times = rng.random(n), rng.random(n), rng.integers(1, 5, n)
    found = quality_of(score, full, times.astype(float))
    repeated = np.stack([np.repeat(score, times), np.repeat(full, times)])
    spread = np.cov(repeated, bias=True)
    assert found is not None
    assert found.n == times.sum()
    assert (found.mean, found.full_mean) == pytest.approx(tuple(repeated.mean(axis=1)))
    assert (found.variance, found.covariance, found.full_variance) == pytest.approx(
        (spread[0, 0], spread[0, 1], spread[1, 1]), abs=1e-12
    )


def test_without_a_score_no_quality_is_known() -> None:
    nothing = np.zeros(0)
    assert quality_of(nothing, nothing, nothing) is None


def test_unequal_weights_count_for_fewer_prompts() -> None:
    assert effective(np.full(7, 0.3)).tolist() == pytest.approx([1] * 7)
    assert effective(np.array([3.0, 1.0])).sum() == pytest.approx(16 / 10)
    assert effective(np.array([5.0, 0.0, 0.0])).tolist() == [1, 0, 0]
    assert effective(np.zeros(3)).tolist() == [0, 0, 0]
