"""The plan keeps its floors, recomputed without the program's arithmetic; and it is the cheapest that does."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directives.constraints import Constraints
from directives.estimate import Estimate
from directives.evidence import Evidence, Known, Quality
from directives.plan import Plan
from directives.solving import solve
from directives.workload import Bin

NAMES = ("full", "brief", "very_brief")
MANY = 10**12


def cell(directive: str, task: str, energy_j: float | None, score: float | None, full: float, n: int = MANY) -> Known:
    """Scores of 0 and 1, as different as they can be between prompts."""
    quality = None
    if score is not None:
        variance, full_variance = score * (1 - score), full * (1 - full)
        covariance = full_variance if directive == "full" else 0.0
        quality = Quality(
            n=n, mean=score, full_mean=full, variance=variance, full_variance=full_variance, covariance=covariance
        )
    energy = None if energy_j is None else Estimate(energy_j, 1.0, 50)
    return Known(directive=directive, bin=Bin(task=task), lossless=False, energy_j=energy, quality=quality)


shares = st.floats(0.05, 0.95)


@st.composite
def evidences(draw: st.DrawFn, least: int = 20) -> Evidence:
    tasks = [f"t{i}" for i in range(draw(st.integers(1, 4)))]
    raw = [draw(st.floats(0.1, 1.0)) for _ in tasks]
    cells = []
    for task in tasks:
        full = draw(shares)
        n = draw(st.integers(least, least + 3000))
        cells.append(cell("full", task, 1000.0, full, full, n))
        cells += [cell(name, task, draw(st.floats(50, 1200)), draw(shares), full, n) for name in NAMES[1:]]
    past = tuple(draw(st.lists(st.floats(10, 800), max_size=40)))
    return Evidence(
        cells=tuple(cells),
        mix={Bin(task=task): share / sum(raw) for task, share in zip(tasks, raw, strict=True)},
        intensities_g_per_kwh=past,
        requests_per_day=1000.0,
    )


def raw_quality(evidence: Evidence, plan: Plan, level: int) -> float:
    """Served over `full`'s mean score at a level, control group included, of the judged means as they are."""
    known = {(c.bin, c.directive): c.quality for c in evidence.cells}
    served = full = 0.0
    for home, share in evidence.mix.items():
        best = known[home, "full"]
        assert best is not None
        parts = {name: (1 - plan.control_share) * part for name, part in plan.levels[level][home].items()}
        parts["full"] = parts.get("full", 0.0) + plan.control_share
        served += share * sum(part * known[home, name].mean for name, part in parts.items())  # type: ignore[union-attr]
        full += share * best.mean
    return served / full


def lower_bound(evidence: Evidence, plan: Plan, level: int, floor: float, confidence: float) -> float:
    """Of the worth of what is planned, errors added within a bin and independent between bins, without shrinking."""
    z = math.sqrt(2) * NormalDist().inv_cdf(confidence)
    known = {(c.bin, c.directive): c.quality for c in evidence.cells}
    mean = variance = 0.0
    for home, share in evidence.mix.items():
        error = 0.0
        for name, part in plan.levels[level][home].items():
            quality = known[home, name]
            assert quality is not None
            worth = quality.worth(floor)
            mean += share * (1 - plan.control_share) * part * worth.mean
            error += share * (1 - plan.control_share) * part * (worth.sd or 0.0) / math.sqrt(worth.n)
        full = known[home, "full"]
        assert full is not None
        mean += share * plan.control_share * (1 - floor) * full.mean
        variance += error**2
    return mean - z * math.sqrt(variance)


@given(evidence=evidences(), floor=st.floats(0.5, 0.999))
@settings(max_examples=60, deadline=None)
def test_shares_are_probabilities_of_known_directives_in_every_row(evidence: Evidence, floor: float) -> None:
    plan = solve(evidence, Constraints(floor=floor))
    assert len(plan.levels) == len(plan.edges_g_per_kwh) + 1
    for level in plan.levels:
        for row in level.values():
            assert math.fsum(row.values()) == pytest.approx(1, abs=1e-9)
            assert all(share > 0 for share in row.values())
            assert set(row) <= set(NAMES)


@given(evidence=evidences(least=300), floor=st.floats(0.5, 0.99), confidence=st.floats(0.6, 0.999))
@settings(max_examples=60, deadline=None)
def test_the_floor_holds_at_every_level_with_its_margin(evidence: Evidence, floor: float, confidence: float) -> None:
    plan = solve(evidence, Constraints(floor=floor, mean_floor=floor, confidence=confidence))
    for level in range(len(plan.levels)):
        # Shrinking, and the two prompts added, move a mean of 300 prompts or more by less than this.
        assert lower_bound(evidence, plan, level, floor, confidence) >= -0.02


@given(evidence=evidences(least=MANY), floor=st.floats(0.5, 0.99))
@settings(max_examples=40, deadline=None)
def test_quality_is_worse_in_dirty_hours_only_as_far_as_the_floor_and_made_good_over_time(
    evidence: Evidence, floor: float
) -> None:
    plan = solve(evidence, Constraints(floor=floor, mean_floor=(1 + floor) / 2, confidence=0.5))
    qualities = [raw_quality(evidence, plan, level) for level in range(len(plan.levels))]
    assert min(qualities) >= floor - 0.01
    past = sorted(evidence.intensities_g_per_kwh) or [1.0]
    counts = [0] * len(plan.levels)
    for intensity in past:
        counts[plan.level(intensity)] += 1
    mean = sum(n * quality for n, quality in zip(counts, qualities, strict=True)) / len(past)
    assert mean >= (1 + floor) / 2 - 0.01


def test_brevity_moves_into_dirty_hours() -> None:
    cells = (cell("full", "a", 1000, 0.8, 0.8), cell("brief", "a", 300, 0.6, 0.8))
    past = tuple(float(g) for g in (50, 60, 70, 80, 90, 100, 500, 510, 520, 530, 540, 550))
    evidence = Evidence(cells=cells, mix={Bin(task="a"): 1.0}, intensities_g_per_kwh=past)
    plan = solve(evidence, Constraints(floor=0.8, mean_floor=0.9, control_share=0))
    clean, dirty = (level[Bin(task="a")].get("brief", 0.0) for level in plan.levels)
    assert (clean, dirty) == (pytest.approx(0.0, abs=0.02), pytest.approx(0.8, abs=0.02))
    assert plan.edges_g_per_kwh == (300.0,)


@given(evidence=evidences(least=MANY), floor=st.floats(0.6, 0.99), step=st.floats(0, 0.2))
@settings(max_examples=40, deadline=None)
def test_a_lower_floor_never_emits_more(evidence: Evidence, floor: float, step: float) -> None:
    strict = solve(evidence, Constraints(floor=floor), intensity_g_per_kwh=200.0)
    loose = solve(evidence, Constraints(floor=floor - step), intensity_g_per_kwh=200.0)
    assert strict.expected.carbon_g is not None
    assert loose.expected.carbon_g is not None
    assert loose.expected.carbon_g <= strict.expected.carbon_g * (1 + 1e-6)


@given(
    scores=st.lists(st.tuples(shares, shares, shares), min_size=2, max_size=2),
    energies=st.lists(st.tuples(st.floats(100, 999), st.floats(100, 999)), min_size=2, max_size=2),
    floor=st.floats(0.6, 0.99),
)
@settings(max_examples=30, deadline=None)
def test_no_mixture_of_a_fine_grid_is_cheaper(
    scores: list[tuple[float, float, float]], energies: list[tuple[float, float]], floor: float
) -> None:
    cells = []
    for task, (full, *others), cost in zip("ab", scores, energies, strict=True):
        cells.append(cell("full", task, 1000.0, full, full))
        cells += [cell(name, task, e, s, full) for name, s, e in zip(NAMES[1:], others, cost, strict=True)]
    evidence = Evidence(cells=tuple(cells), mix={Bin(task="a"): 0.5, Bin(task="b"): 0.5})
    plan = solve(evidence, Constraints(floor=floor, mean_floor=floor, confidence=0.5, control_share=0))
    steps = 12
    grid = [(a / steps, b / steps, 1 - (a + b) / steps) for a in range(steps + 1) for b in range(steps + 1 - a)]
    options = [
        [
            (
                sum(x * e for x, e in zip(mix, (1000.0, *cost), strict=True)),
                sum(x * (s - floor * full) for x, s in zip(mix, (full, *others), strict=True)),
            )
            for mix in grid
        ]
        for (full, *others), cost in zip(scores, energies, strict=True)
    ]
    cheapest = min((a[0] + b[0]) / 2 for a, b in itertools.product(*options) if a[1] + b[1] >= 1e-4)
    assert plan.expected.energy_j is not None
    assert plan.expected.energy_j <= cheapest + 1e-3


def test_what_one_task_gains_another_may_lose() -> None:
    """The floor is held in total, not bin by bin."""
    cells = (
        cell("full", "a", 1000, 0.5, 0.5),
        cell("brief", "a", 200, 0.7, 0.5),
        cell("full", "b", 1000, 0.5, 0.5),
        cell("brief", "b", 200, 0.3, 0.5),
    )
    evidence = Evidence(cells=cells, mix={Bin(task="a"): 0.5, Bin(task="b"): 0.5})
    plan = solve(evidence, Constraints(floor=0.95, mean_floor=0.95))
    assert plan.levels[0][Bin(task="a")] == {"brief": 1.0}
    assert plan.levels[0][Bin(task="b")]["brief"] > 0.9


def test_the_expected_quality_and_its_lower_bound_are_told() -> None:
    cells = (cell("full", "a", 1000, 0.8, 0.8, 500), cell("brief", "a", 300, 0.7, 0.8, 500))
    plan = solve(Evidence(cells=cells, mix={Bin(task="a"): 1.0}), Constraints(floor=0.9, mean_floor=0.9))
    assert plan.binding == ("floor",)
    assert plan.expected.quality_low == pytest.approx(0.9, abs=1e-3)
    assert plan.expected.quality is not None
    assert plan.expected.quality > 0.91
    assert plan.expected.energy_j is not None
    assert plan.expected.energy_j < 1000
    assert plan.expected.carbon_g is None


@given(
    tasks=st.lists(st.tuples(shares, shares, st.integers(20, 200)), min_size=8, max_size=24), floor=st.floats(0.7, 0.99)
)
@settings(max_examples=25, deadline=None)
def test_margins_settle_where_many_bins_share_the_error(tasks: list[tuple[float, float, int]], floor: float) -> None:
    """Thinly judged bins, so that the margin is most of what there is: the lower bound is the floor, not a guess."""
    cells = []
    for index, (full, score, n) in enumerate(tasks):
        cells += [cell("full", f"t{index}", 1000, full, full, n), cell("brief", f"t{index}", 300, score, full, n)]
    mix = {Bin(task=f"t{index}"): 1 / len(tasks) for index in range(len(tasks))}
    asked = Constraints(floor=floor, mean_floor=floor, confidence=0.999, control_share=0)
    expected = solve(Evidence(cells=tuple(cells), mix=mix), asked).expected
    assert expected.quality_low is None or expected.quality_low >= floor - 2e-4


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 1e6])
def test_the_plan_does_not_depend_on_the_unit_of_energy(factor: float) -> None:
    """A small model's grams per request lie far below a solver's absolute tolerances."""

    def served(unit: float) -> dict[str, float]:
        energies = ((1000, 0.8), (400, 0.7), (390, 0.6))
        cells = tuple(cell(n, "a", e * unit, s, 0.8) for n, (e, s) in zip(NAMES, energies, strict=True))
        asked = Constraints(floor=0.8, mean_floor=0.8)
        plan = solve(Evidence(cells=cells, mix={Bin(task="a"): 1.0}), asked, intensity_g_per_kwh=50.0)
        return dict(plan.levels[0][Bin(task="a")])

    assert served(factor) == pytest.approx(served(1.0), abs=1e-4)
    assert 0.6 < served(1.0)["very_brief"] < 0.7
