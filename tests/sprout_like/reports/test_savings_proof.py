"""The measured saving's interval on a fleet whose savings are known; the long form is benchmarks/savings_proof.py."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from scipy.stats import binom

from benchmarks.fleet import Fleet
from benchmarks.savings_proof import SCENARIOS, Found, Model, bias, coverage, measured, modelled

RUNS = 60


@cache
def runs(name: str) -> list[dict[str, Found]]:
    return [measured(SCENARIOS[name], 10_000 + seed) for seed in range(RUNS)]


def covered(what: str, name: str) -> int:
    return sum(run[what].low <= run[what].truth <= run[what].high for run in runs(name) if what in run)


@pytest.mark.parametrize("what", ["energy", "carbon"])
@pytest.mark.parametrize("name", ["30 control rows"])
def test_the_interval_covers_the_truth_as_often_as_it_says(name: str, what: str) -> None:
    """Within what chance does to 60 runs of 95 %; an interval half as wide, below, is outside."""
    low, high = binom.ppf([0.001, 0.999], RUNS, 0.95)

    assert low <= covered(what, name) <= high


def test_the_band_is_narrow_enough_to_tell() -> None:
    found = [run["energy"] for run in runs("30 control rows")]
    half = [abs(run.truth - run.saving) <= min(run.saving - run.low, run.high - run.saving) / 2 for run in found]

    assert sum(half) < binom.ppf(0.001, RUNS, 0.95)


def test_a_saving_of_nothing_is_rarely_taken_for_one() -> None:
    fleet = replace(SCENARIOS["nothing is saved"], requests=600)
    found = [measured(fleet, 20_000 + seed)["energy"] for seed in range(40)]

    assert coverage(found)["true_saving"] == pytest.approx(0, abs=1e-9)
    assert sum(run.low > 0 or run.high < 0 for run in found) <= binom.ppf(0.999, len(found), 0.05)


def test_a_control_share_that_falls_while_the_plans_get_bolder_does_not_bias_the_whole() -> None:
    """The plain means would: early plans, which save least, fill the control group."""
    fleet = Fleet(requests=20_000, control_share=(0.6, 0.3, 0.1, 0.05))
    found = [measured(fleet, 30_000 + seed) for seed in range(8)]
    ours = coverage([run["energy"] for run in found])
    plain = coverage([run["energy, before"] for run in found])

    assert abs(ours["mean_error"]) < 0.03
    assert abs(plain["mean_error"]) > 0.05


def test_the_cheapest_of_equals_is_modelled_too_well() -> None:
    """The winner's curse, which more rounds of measuring lift."""
    few = bias([modelled(Model(rounds=10, rivals=4), seed) for seed in range(6)])
    many = bias([modelled(Model(rounds=300, rivals=4), seed) for seed in range(6)])

    assert few["bias"] > 0.1
    assert 0 < many["bias"] < few["bias"] / 2
