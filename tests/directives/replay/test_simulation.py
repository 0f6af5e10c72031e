"""What a simulation adds up, against sums done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directives import PolicyError
from directives.replay.scheme import Judged
from directives.replay.simulation import SLICES_PER_HOUR, simulate
from tests.directives.replay.synthetic import Always, ByPrompt, prompts_of, random_prompts, random_window, window_of

KWH_J = 3.6e6

# Two prompts of each task; energy is the same for all prompts of a task, so the draws do not matter.
PROMPTS = prompts_of(
    [0, 0, 1, 1],
    [[KWH_J, KWH_J / 4], [KWH_J, KWH_J / 4], [2 * KWH_J, KWH_J], [2 * KWH_J, KWH_J]],
    [[1.0, 0.5], [0.6, 0.3], [0.5, 0.75], [0.5, 0.25]],
)
ONE = np.zeros(4, dtype=np.int64)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_carbon_is_energy_times_intensity_and_the_embodied_share_of_the_time() -> None:
    window = window_of([100, 300], [[1, 0], [0, 1]], requests_per_hour=12, embodied_g_per_s=0.001)
    outcome = simulate(PROMPTS, window, Always(ONE, directive=1), rng())
    # 12 requests of 1/4 kWh in 3,600 s each, then 12 of 1 kWh in 14,400 s each.
    assert outcome.carbon_g.tolist() == pytest.approx([12 * (25 + 3.6), 12 * (300 + 14.4)])
    assert outcome.full_carbon_g.tolist() == pytest.approx([12 * (100 + 14.4), 12 * (600 + 28.8)])
    assert outcome.energy_j.tolist() == pytest.approx([3 * KWH_J, 12 * KWH_J])
    assert outcome.saving_pct == pytest.approx(100 * (1 - (28.6 + 314.4) / (114.4 + 628.8)))
    assert outcome.shares.tolist() == [[0, 1], [0, 1]]


def test_an_evaluation_is_emitted_in_its_hour_and_taken_off_the_saving() -> None:
    window = window_of([100, 300], [[1, 0], [1, 0]], requests_per_hour=12)
    judged = Judged(hour=1, prompts=3, fresh=2, energy_j=2 * KWH_J, time_s=0.0)
    outcome = simulate(PROMPTS, window, Always(ONE, 1, evaluations=[judged]), rng())
    assert outcome.evaluation_g.tolist() == [0, 600]
    # Served: 3 kWh an hour; with `full` 12 kWh an hour.
    assert outcome.saving_pct == pytest.approx(100 * (1 - (300 + 900 + 600) / (1200 + 3600)))
    assert outcome.evaluation_share_pct == pytest.approx(100 * 2 / (2 + 6))


def test_quality_is_that_of_all_prompts_that_could_have_been_drawn() -> None:
    """One request an hour draws one prompt, and is worth what its task's prompts are worth on average."""
    window = window_of([100] * 20, [[1, 0]] * 20, requests_per_hour=1)
    outcome = simulate(PROMPTS, window, Always(ONE, 1), rng())
    assert outcome.quality.tolist() == pytest.approx([0.4] * 20)
    assert outcome.full_quality.tolist() == pytest.approx([0.8] * 20)
    assert outcome.preference_pct == pytest.approx(50)


def test_quality_weighs_tasks_by_the_mix_and_hours_alike() -> None:
    window = window_of([100, 300], [[1, 0], [0.5, 0.5]], requests_per_hour=60)
    outcome = simulate(PROMPTS, window, Always(ONE, 1), rng())
    # 0.4 of 0.8; then (0.4 + 0.5) / 2 of (0.8 + 0.5) / 2, however many of each task were drawn.
    assert outcome.preference.tolist() == pytest.approx([0.5, 0.9 / 1.3])
    assert outcome.preference_pct == pytest.approx(100 * (0.5 + 0.9 / 1.3) / 2)
    assert outcome.hours_below_pct(0.6) == 50
    assert outcome.hours_below_pct(0.5) == 0
    assert outcome.hours_below_pct(0.9) == 100


def test_who_tells_prompts_apart_is_judged_by_them() -> None:
    """The first prompt of either task is served briefly, the other one in full."""
    window = window_of([100], [[0.5, 0.5]], requests_per_hour=4000)
    scheme = ByPrompt(np.arange(4), directives=np.array([1, 0, 1, 0]))
    outcome = simulate(PROMPTS, window, scheme, rng())
    assert outcome.quality.tolist() == pytest.approx([((0.5 + 0.6) / 2 + (0.75 + 0.5) / 2) / 2])


def test_a_scheme_is_told_what_it_served_several_times_an_hour() -> None:
    scheme = Always(ONE, directive=1)
    simulate(PROMPTS, window_of([100, 100], [[1, 0], [0, 1]], requests_per_hour=60), scheme, rng())
    assert len(scheme.told) == 2 * SLICES_PER_HOUR
    assert sum(len(served.prompt) for served in scheme.told) == 120
    first, last = scheme.told[0], scheme.told[-1]
    assert set(first.prompt) <= {0, 1}
    assert set(last.prompt) <= {2, 3}
    assert first.energy_j.tolist() == [KWH_J / 4] * 10
    assert last.energy_j.tolist() == [KWH_J] * 10


def test_what_is_a_share_of_nothing_is_refused() -> None:
    worthless = prompts_of([0, 1], [[1, 1], [1, 1]], [[0, 1], [1, 1]])
    with pytest.raises(PolicyError, match="scores 0 on every prompt of the tasks that come in hour 1"):
        simulate(worthless, window_of([1, 1], [[0.5, 0.5], [1, 0]]), Always(np.zeros(2, dtype=np.int64)), rng())


@given(seed=st.integers(0, 2**32 - 1), per_hour=st.integers(1, 200))
@settings(max_examples=30, deadline=None)
def test_always_full_saves_nothing_and_loses_nothing(seed: int, per_hour: int) -> None:
    draws = np.random.default_rng(seed)
    prompts, window = random_prompts(draws, per_task=20), random_window(draws, 12, per_hour)
    outcome = simulate(prompts, window, Always(np.zeros(40, dtype=np.int64)), draws)
    assert outcome.saving_pct == pytest.approx(0, abs=1e-9)
    assert outcome.preference.tolist() == pytest.approx([1] * 12)
    assert outcome.hours_below_pct(1.0) == 0


@given(seed=st.integers(0, 2**32 - 1), directive=st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_no_hour_is_lost_and_no_share(seed: int, directive: int) -> None:
    draws = np.random.default_rng(seed)
    prompts, window = random_prompts(draws, per_task=20), random_window(draws, 12, 120)
    outcome = simulate(prompts, window, Always(np.zeros(40, dtype=np.int64), directive), draws)
    assert outcome.shares.sum(axis=1).tolist() == pytest.approx([1] * 12)
    mean = np.array([prompts.quality[prompts.task == task, directive].mean() for task in (0, 1)])
    assert outcome.quality.tolist() == pytest.approx((window.mix @ mean).tolist())
