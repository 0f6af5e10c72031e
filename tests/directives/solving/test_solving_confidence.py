"""Floors hold with the stated confidence, also where the plan takes the best-looking of many directives."""

from __future__ import annotations

import numpy as np
import pytest

from directives.constraints import Constraints
from directives.estimate import Estimate
from directives.evidence import Evidence, Known, Quality
from directives.solving import solve
from directives.workload import Bin

FLOOR, TRIALS = 0.95, 60


@pytest.mark.parametrize(("tasks", "prompts"), [(6, 100), (1, 100), (2, 40)])
def test_the_best_looking_of_ten_directives_keep_the_floor(tasks: int, prompts: int) -> None:
    rng = np.random.default_rng(1)
    broken = sum(shortfall(rng, tasks, prompts) > 0 for _ in range(TRIALS))
    assert broken <= 2  # at a confidence of 0.99, three of 60 would come once in fifty times


def shortfall(rng: np.random.Generator, tasks: int, prompts: int) -> float:
    """How far the true quality of what is served lies below the floor, in score per request."""
    bins = [Bin(task=f"t{i}") for i in range(tasks)]
    ratio = 0.92 + rng.normal(0, 0.05, 10) + rng.normal(0, 0.05, (tasks, 10))
    cells, worth = [], {}
    for i, home in enumerate(bins):
        cells.append(Known(directive="full", bin=home, lossless=True, energy_j=Estimate(100.0, 1.0, 100)))
        worth[home, "full"] = 0.5 * (1 - FLOOR)
        for j in range(10):
            # Pairwise: a win is 1, a tie 1/2, and `full` has the rest; two of five are ties.
            mean = ratio[i, j] / (1 + ratio[i, j])
            scores = rng.choice([1.0, 0.5, 0.0], prompts, p=[mean - 0.2, 0.4, 0.8 - mean])
            energy_j = Estimate(100 * rng.uniform(0.3, 0.9), 1.0, 100)
            quality = Quality.of([(score, 1 - score) for score in scores.tolist()])
            cells.append(Known(directive=f"d{j}", bin=home, lossless=False, energy_j=energy_j, quality=quality))
            worth[home, f"d{j}"] = mean - FLOOR * (1 - mean)
    evidence = Evidence(cells=tuple(cells), mix=dict.fromkeys(bins, 1 / tasks))
    plan = solve(evidence, Constraints(floor=FLOOR, mean_floor=FLOOR, control_share=0.0, explore_share=0.0))
    return -sum(share * worth[home, name] for home in bins for name, share in plan.levels[0][home].items()) / tasks


def test_what_is_expected_is_of_the_work_that_counts() -> None:
    """A task pinned to what was never judged counts in no floor, and does not dilute what is expected of the rest."""
    homes = judged, pinned = Bin(task="a"), Bin(task="b")
    scores = Quality(n=10**6, mean=0.5, full_mean=0.5, variance=0.25, full_variance=0.25, covariance=0.2)
    cells = [Known(directive="full", bin=h, lossless=True, energy_j=Estimate(100.0, 1.0, 100)) for h in homes]
    brief = Known(directive="brief", bin=judged, lossless=False, energy_j=Estimate(10.0, 1.0, 100), quality=scores)
    odd = Known(directive="odd", bin=pinned, lossless=False, energy_j=Estimate(10.0, 1.0, 100))

    plan = solve(
        Evidence(cells=(*cells, brief, odd), mix={judged: 0.5, pinned: 0.5}),
        Constraints(pinned={"b": "odd"}, explore_share=0.0),
    )

    assert plan.expected.quality == pytest.approx(1.0, abs=1e-6)
    assert plan.expected.quality_low == pytest.approx(1.0, abs=0.01)
