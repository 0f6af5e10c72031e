"""No evidence, no risk: what is not known is not served, and a few lucky prompts are not knowledge."""

from __future__ import annotations

import math
import random

import pytest

from directives.constraints import Constraints
from directives.estimate import Estimate
from directives.evidence import Evidence, Known, Quality
from directives.plan import Plan
from directives.solving import solve
from directives.workload import Bin

HOME, OTHER = Bin(task="a", prompt_tokens="1-128"), Bin(task="a", prompt_tokens="129-512")
LOOSE = Constraints(floor=0.5, mean_floor=0.5)


def known(
    directive: str, home: Bin, energy_j: float | None = None, quality: Quality | None = None, *, lossless: bool = False
) -> Known:
    energy = None if energy_j is None else Estimate(energy_j, 1.0, 20)
    return Known(directive=directive, bin=home, lossless=lossless, energy_j=energy, quality=quality)


def judged(n: int, mean: float, full: float = 0.7, seed: int = 0) -> Quality:
    rng = random.Random(seed)
    quality = Quality.of((float(rng.random() < mean), float(rng.random() < full)) for _ in range(n))
    assert quality is not None
    return quality


def solved(*cells: Known, mix: dict[Bin, float] | None = None, asked: Constraints = LOOSE) -> Plan:
    return solve(Evidence(cells=cells, mix={HOME: 1.0} if mix is None else mix), asked)


def brief(plan: Plan, home: Bin = HOME) -> float:
    return plan.levels[0][home].get("brief", 0.0)


def test_with_nothing_known_full_is_served() -> None:
    plan = solve(Evidence(cells=()), Constraints())
    assert plan.levels == ({Bin(): {"full": 1.0}},)
    assert plan.explored == {}
    assert plan.expected.energy_j is None


def test_a_lossless_directive_needs_only_to_be_cheaper() -> None:
    full = known("full", HOME, 100)
    assert solved(full, known("draft", HOME, 80, lossless=True)).levels[0][HOME] == {"draft": 1.0}
    assert solved(full, known("draft", HOME, 120, lossless=True)).levels[0][HOME] == {"full": 1.0}
    unknown = solved(full, known("draft", HOME, None, lossless=True))
    assert unknown.levels[0][HOME] == {"full": 1.0}
    assert unknown.explored[HOME] == ("draft",)


def test_a_lossy_directive_never_judged_is_explored_alone() -> None:
    plan = solved(known("full", HOME, 100), known("brief", HOME, 10))
    assert plan.levels[0][HOME] == {"full": 1.0}
    assert plan.explored[HOME] == ("brief",)
    assert plan.expected.quality is None


def test_what_is_known_is_not_explored() -> None:
    plan = solved(known("full", HOME, 100), known("brief", HOME, 10, judged(2000, 0.7)))
    assert brief(plan) == 1.0
    assert plan.explored == {}


def test_without_a_mix_only_lossless_directives_are_served() -> None:
    cells = (
        known("full", HOME, 100),
        known("brief", HOME, 10, judged(5000, 0.9)),
        known("draft", HOME, 80, lossless=True),
    )
    plan = solved(*cells, mix={})
    assert plan.levels[0][HOME] == {"draft": 1.0}
    assert plan.explored == {}


def test_three_prompts_all_won_are_not_believed() -> None:
    strict = Constraints(floor=0.9, mean_floor=0.9, control_share=0)
    miracle = Quality.of([(1.0, 0.0)] * 3)
    few = brief(solved(known("full", HOME, 100), known("brief", HOME, 10, miracle), asked=strict))
    many = brief(solved(known("full", HOME, 100), known("brief", HOME, 10, judged(3000, 0.8, 0.6)), asked=strict))
    assert few < 0.25
    assert many == 1.0


def test_agreement_of_a_few_is_not_certainty() -> None:
    """Ties without any spread: a plain standard error would be 0."""
    strict = Constraints(floor=0.95, mean_floor=0.95, control_share=0)
    ties = Quality.of([(0.5, 0.5)] * 5)
    assert brief(solved(known("full", HOME, 100), known("brief", HOME, 10, ties), asked=strict)) < 0.1


def test_the_more_is_judged_the_more_is_served() -> None:
    strict = Constraints(floor=0.9, mean_floor=0.9, control_share=0)

    def share(n: int) -> float:
        quality = Quality(n=n, mean=0.6, full_mean=0.7, variance=0.24, full_variance=0.21, covariance=0.0)
        return brief(solved(known("full", HOME, 100), known("brief", HOME, 10, quality), asked=strict))

    shares = [share(n) for n in (10, 100, 1000, 10_000, 10**6)]
    assert shares == sorted(shares)
    # Of a floor that allows 0.07 of score to be lost, 0.1 is lost per brief answer.
    assert shares[-1] == pytest.approx(0.7, abs=0.02)
    assert shares[0] < 0.1


def test_thin_data_lean_on_the_parent_and_plenty_do_not() -> None:
    """Nine alike bins are judged well; the tenth has four bad prompts, or four thousand."""
    homes = [Bin(task="a", prompt_tokens=str(i)) for i in range(10)]
    asked = Constraints(floor=0.95, mean_floor=0.95, confidence=0.5, control_share=0)

    def share(n: int) -> float:
        bad = Quality(n=n, mean=0.0, full_mean=0.7, variance=0.0, full_variance=0.21, covariance=0.0)
        cells = [known("full", home, 100) for home in homes]
        cells += [known("brief", home, 10, judged(1000, 0.7, 0.7, seed)) for seed, home in enumerate(homes[:9])]
        plan = solved(*cells, known("brief", homes[9], 10, bad), mix=dict.fromkeys(homes, 0.1), asked=asked)
        return brief(plan, homes[9])

    assert share(4) > 2 * share(4000)
    assert share(4000) == pytest.approx(share(10**6), abs=0.02)


def test_a_bin_without_verdicts_is_served_what_its_parent_knows_with_a_wider_margin() -> None:
    strict = Constraints(floor=0.9, mean_floor=0.9, control_share=0)
    cells = (known("full", HOME, 100), known("full", OTHER, 200), known("brief", HOME, 10, judged(5000, 0.75)))
    plan = solved(*cells, mix={HOME: 0.8, OTHER: 0.2}, asked=strict)
    alone = solved(*cells, mix={OTHER: 1.0}, asked=strict)
    assert brief(plan, HOME) == 1.0
    assert 0 < brief(alone, OTHER) < 0.5


def test_energy_of_a_bin_not_measured_is_the_parents_ratio_times_full_here() -> None:
    cells = (
        known("full", HOME, 100),
        known("brief", HOME, 25, judged(5000, 0.7)),
        known("full", OTHER, 4000),
        known("brief", OTHER, None, judged(5000, 0.7)),
    )
    plan = solved(*cells, mix={OTHER: 1.0}, asked=Constraints(floor=0.5, mean_floor=0.5, control_share=0))
    assert plan.levels[0][OTHER] == {"brief": 1.0}
    assert plan.expected.energy_j == pytest.approx(1000)


def test_an_energy_that_full_cannot_be_compared_with_is_no_evidence() -> None:
    plan = solved(known("brief", HOME, 1, judged(5000, 0.9)))
    assert plan.levels[0][HOME] == {"full": 1.0}
    assert plan.explored[HOME] == ("brief",)
    assert plan.expected.full_energy_j is None


def test_a_task_lends_its_mean_to_bins_of_its_own_without_requests_and_strangers_get_what_is_safe() -> None:
    cells = (
        known("full", HOME, 100),
        known("brief", HOME, 10, judged(5000, 0.8)),
        known("full", OTHER, 100),
        known("brief", OTHER, 200, judged(5000, 0.8)),
        known("draft", HOME, 90, lossless=True),
    )
    plan = solved(*cells, mix={HOME: 0.25, OTHER: 0.75}, asked=Constraints(floor=0.9, mean_floor=0.9))
    assert brief(plan, HOME) == 1.0
    assert brief(plan, OTHER) == 0.0
    assert brief(plan, Bin(task="a")) == pytest.approx(0.25)
    assert plan.levels[0][Bin()] == {"draft": 1.0}


def test_embodied_emissions_count_by_time() -> None:
    """A saver of energy that takes ten times as long is no saver of carbon on clean power."""
    slow = Known(
        directive="slow", bin=HOME, lossless=True, energy_j=Estimate(90.0, 1.0, 9), time_s=Estimate(10.0, 0.1, 9)
    )
    full = Known(
        directive="full", bin=HOME, lossless=False, energy_j=Estimate(100.0, 1.0, 9), time_s=Estimate(1.0, 0.1, 9)
    )
    evidence = Evidence(cells=(full, slow), mix={HOME: 1.0})

    def served(intensity: float) -> dict[str, float]:
        plan = solve(evidence, Constraints(), pue=1.2, embodied_g_per_s=1.7e-4, intensity_g_per_kwh=intensity)
        return dict(plan.levels[0][HOME])

    assert served(20.0) == {"full": 1.0}
    assert served(900.0) == {"slow": 1.0}
    plan = solve(evidence, Constraints(), pue=1.2, embodied_g_per_s=1.7e-4, intensity_g_per_kwh=20.0)
    assert plan.expected.full_carbon_g == pytest.approx(100 / 3.6e6 * 1.2 * 20 + 1.7e-4)


def test_the_version_is_of_the_table_alone() -> None:
    cells = (known("full", HOME, 100), known("brief", HOME, 10, judged(500, 0.65)))
    first, again = solved(*cells), solved(*cells)
    other = solved(*cells, asked=Constraints(floor=0.99))
    assert first.version == again.version != other.version
    assert math.isclose(sum(first.levels[0][HOME].values()), 1)
