"""Budget, latency, price, pins: each is kept, several hold together, and what cannot hold is named."""

from __future__ import annotations

import math
import re

import pytest

from directives.constraints import Constraints
from directives.errors import Infeasible, PolicyError
from directives.estimate import Estimate
from directives.evidence import Evidence, Known, Quality
from directives.plan import Plan
from directives.policies import ContextualPolicy
from directives.solving import solve
from directives.workload import Bin

CHAT, MATHS = Bin(task="chat"), Bin(task="maths")
PRIOR = {"floor": 0.5, "mean_floor": 0.5, "control_share": 0.0, "explore_share": 0.0}


def known(directive: str, home: Bin, energy_j: float | None, score: float | None, full: float = 0.8) -> Known:
    quality = None
    if score is not None:
        spread = score * (1 - score), full * (1 - full)
        quality = Quality(
            n=10**12,
            mean=score,
            full_mean=full,
            variance=spread[0],
            full_variance=spread[1],
            covariance=spread[1] if directive == "full" else 0.0,
        )
    return Known(
        directive=directive,
        bin=home,
        lossless=False,
        energy_j=None if energy_j is None else Estimate(energy_j, 1.0, 50),
        time_s=None if energy_j is None else Estimate(energy_j / 100, 0.1, 50),
        quality=quality,
    )


EVIDENCE = Evidence(
    cells=(
        known("full", CHAT, 1000, 0.8),
        known("brief", CHAT, 400, 0.7),
        known("very_brief", CHAT, 200, 0.5),
        known("full", MATHS, 2000, 0.8),
        known("brief", MATHS, 1000, 0.6),
        known("very_brief", MATHS, 1900, 0.1),
    ),
    mix={CHAT: 0.5, MATHS: 0.5},
    intensities_g_per_kwh=(360.0,),
    requests_per_day=10_000.0,
)


def served(plan: Plan, home: Bin) -> dict[str, float]:
    return dict(plan.levels[0][home])


def test_a_carbon_budget_is_kept() -> None:
    plan = solve(EVIDENCE, Constraints(**PRIOR, carbon_budget_g_per_day=800.0))
    assert plan.expected.full_carbon_g == pytest.approx(1500 / 3.6e6 * 360)
    assert plan.expected.carbon_g is not None
    assert plan.expected.carbon_g * 10_000 <= 800 * (1 + 1e-6)


def test_control_group_and_exploration_are_part_of_the_budget() -> None:
    # Exploring `odd`, of unknown quality, costs as much as `full`.
    evidence = Evidence(
        cells=(*EVIDENCE.cells, known("odd", CHAT, 1000, None)),
        mix={CHAT: 1.0},
        intensities_g_per_kwh=(360.0,),
        requests_per_day=10_000.0,
    )
    plan = solve(evidence, Constraints(floor=0.5, mean_floor=0.5, control_share=0.2, explore_share=0.1))
    chat = served(plan, CHAT)
    energy = {"full": 1000.0, "brief": 400.0, "very_brief": 200.0}
    mean = 0.3 * 1000 + 0.7 * sum(share * energy[name] for name, share in chat.items())
    assert plan.expected.energy_j == pytest.approx(mean)
    assert plan.explored[CHAT] == ("odd",)


@pytest.mark.parametrize(
    ("change", "missing"),
    [({"requests_per_day": None}, "number of requests"), ({"intensities_g_per_kwh": ()}, "intensity")],
)
def test_a_budget_that_cannot_be_told_says_what_is_missing(change: dict[str, object], missing: str) -> None:
    given = {"requests_per_day": 10.0, "intensities_g_per_kwh": (100.0,), **change}
    evidence = Evidence(cells=EVIDENCE.cells, mix=EVIDENCE.mix, **given)  # type: ignore[arg-type]
    with pytest.raises(Infeasible, match=missing) as caught:
        solve(evidence, Constraints(carbon_budget_g_per_day=5.0))
    assert caught.value.constraints == ("carbon_budget_g_per_day",)


def test_a_floor_and_a_budget_that_exclude_each_other_are_named_with_what_each_would_allow() -> None:
    asked = Constraints(floor=0.95, mean_floor=0.95, confidence=0.5, control_share=0, carbon_budget_g_per_day=900.0)
    with pytest.raises(Infeasible) as caught:
        solve(EVIDENCE, asked)
    assert caught.value.constraints == ("floor", "carbon_budget_g_per_day")
    message = str(caught.value)
    assert "floor 0.95 and carbon_budget_g_per_day 900 cannot hold together" in message
    # With the floor, 0.08 of score may be lost: in chat 0.05 / 0.125 = 640 J per unit of it are saved more cheaply.
    # J per unit of score: chat 600 / 0.1 by brief, maths 1000 / 0.2; so maths waits until chat has lost all of 0.1.
    least_j = 1500 - (0.04 / 0.05) * 300
    assert f"with floor 0.95, carbon_budget_g_per_day {least_j / 10:.3g}" in message
    most = 1 - (0.05 + (1200 - 900) / 500 * 0.1) / 0.8
    told = re.search(r"with carbon_budget_g_per_day 900, floor ([\d.]+) is the most", message)
    assert told is not None
    assert float(told[1]) == pytest.approx(most, abs=2e-4)  # rounded down


def test_a_latency_limit_is_kept_as_a_mean_by_task() -> None:
    plan = solve(EVIDENCE, Constraints(**PRIOR, latency_limit_s={"maths": 12.0}))
    maths = served(plan, MATHS)
    assert sum({"full": 20, "brief": 10, "very_brief": 19}[name] * share for name, share in maths.items()) <= 12 + 1e-6
    every = solve(EVIDENCE, Constraints(**PRIOR, latency_limit_s={"": 10.0}))
    assert served(every, MATHS) == {"brief": 1.0}


def test_a_latency_limit_below_the_fastest_is_named_with_its_task() -> None:
    with pytest.raises(
        Infeasible, match=r"latency_limit_s 5 of task 'maths' cannot hold: latency_limit_s 10 is the least"
    ) as caught:
        solve(EVIDENCE, Constraints(**PRIOR, latency_limit_s={"maths": 5.0}))
    assert caught.value.constraints == ("latency_limit_s",)


def test_a_latency_limit_needs_the_time_of_full_and_of_what_is_chosen() -> None:
    blind = Known(directive="full", bin=CHAT, lossless=False, energy_j=Estimate(1.0, None, 1))
    with pytest.raises(Infeasible, match="time of 'full' was never measured"):
        solve(Evidence(cells=(blind,), mix={CHAT: 1.0}), Constraints(latency_limit_s={"chat": 1.0}))
    untimed = Known(directive="fast", bin=CHAT, lossless=True, energy_j=Estimate(1.0, None, 1))
    evidence = Evidence(cells=(*EVIDENCE.cells[:1], untimed), mix={CHAT: 1.0})
    assert served(solve(evidence, Constraints()), CHAT) == {"fast": 1.0}
    assert served(solve(evidence, Constraints(latency_limit_s={"chat": 60.0})), CHAT) == {"full": 1.0}


def test_a_price_takes_what_saves_more_than_it_spoils() -> None:
    """Chat: brief saves 0.06 g for 1/8 of quality, very brief 0.02 g more for another quarter."""
    plan_at = {
        price: solve(
            EVIDENCE,
            Constraints(
                floor=None, confidence=0.5, control_share=0, explore_share=0, price_per_kg=price, answer_value=1.0
            ),
        )
        for price in (1.0, 3000.0, 1e6)
    }
    assert served(plan_at[1.0], CHAT) == {"full": 1.0}
    assert served(plan_at[3000.0], CHAT) == {"brief": 1.0}
    assert served(plan_at[1e6], CHAT) == {"very_brief": 1.0}


def test_a_price_stays_within_the_floor() -> None:
    asked = Constraints(floor=0.9, mean_floor=0.9, control_share=0, price_per_kg=1e6, answer_value=1.0)
    plan = solve(EVIDENCE, asked)
    assert plan.expected.quality_low == pytest.approx(0.9, abs=1e-3)
    assert "floor" in plan.binding


def test_a_price_needs_an_intensity() -> None:
    evidence = Evidence(cells=EVIDENCE.cells, mix=EVIDENCE.mix)
    with pytest.raises(Infeasible, match="price_per_kg 5: the grid's intensity is unknown"):
        solve(evidence, Constraints(price_per_kg=5.0, answer_value=1.0))


def test_a_pinned_task_gets_its_directive_and_the_others_make_good_for_it() -> None:
    plan = solve(EVIDENCE, Constraints(floor=0.85, mean_floor=0.85, control_share=0, pinned={"maths": "brief"}))
    assert served(plan, MATHS) == {"brief": 1.0}
    assert plan.pinned == {"maths": "brief"}
    # Maths alone loses 0.2 of 1.6: chat has 0.04 of score left to lose.
    assert served(plan, CHAT).get("very_brief", 0) * 0.3 + served(plan, CHAT).get("brief", 0) * 0.1 <= 0.0401


def test_a_pin_that_breaks_the_floor_is_named() -> None:
    with pytest.raises(Infeasible, match="pinned") as caught:
        solve(EVIDENCE, Constraints(floor=0.95, control_share=0, pinned={"maths": "brief"}))
    assert caught.value.constraints == ("mean_floor", "pinned")


def test_the_work_of_a_pin_never_judged_stands_outside_the_floors() -> None:
    plan = solve(EVIDENCE, Constraints(floor=1.0, control_share=0, pinned={"maths": "terse"}))
    assert served(plan, MATHS) == {"terse": 1.0}
    assert served(plan, CHAT) == {"full": 1.0}


def test_forbidden_directives_are_neither_served_nor_explored() -> None:
    cells = (*EVIDENCE.cells, known("odd", CHAT, 1, None), known("odd", MATHS, 1, None))
    evidence = Evidence(cells=cells, mix=EVIDENCE.mix)
    asked = Constraints(floor=0.5, forbidden={"": frozenset({"brief"}), "chat": frozenset({"odd"})})
    plan = solve(evidence, asked)
    assert all("brief" not in row for level in plan.levels for row in level.values())
    assert "odd" not in plan.explored.get(CHAT, ())
    assert "odd" in plan.explored[MATHS]


@pytest.mark.parametrize("mix", [{CHAT: 1.0}, {Bin(): 1.0}, {}])
def test_what_a_task_forbids_holds_before_its_first_request(mix: dict[Bin, float]) -> None:
    saver = Known(directive="lookup", bin=Bin(), lossless=True, energy_j=Estimate(1.0, 0.1, 50))
    untried = Known(directive="odd", bin=Bin(), lossless=False)
    evidence = Evidence(cells=(*EVIDENCE.cells, saver, untried), mix=mix)
    plan = solve(evidence, Constraints(floor=0.5, forbidden={"exam": frozenset({"lookup", "odd"})}))
    policy = ContextualPolicy(plan)
    for home in (Bin(task="exam"), Bin(task="exam", prompt_tokens="1-128")):
        assert not policy.chances(home, None, ["full", "lookup", "odd"]).keys() & {"lookup", "odd"}
    assert "lookup" in policy.chances(Bin(task="another"), None, ["full", "lookup", "odd"])


def test_full_cannot_be_forbidden() -> None:
    with pytest.raises(PolicyError, match="'full'"):
        solve(EVIDENCE, Constraints(forbidden={"chat": frozenset({"full"})}))


@pytest.mark.parametrize(("floor", "left"), [(0.9, 0.02), (0.99, 0.01), (0.999, 0.0), (1.0, 0.0)])
def test_there_is_no_more_exploration_than_the_floor_leaves_room_for(floor: float, left: float) -> None:
    evidence = Evidence(cells=(*EVIDENCE.cells, known("odd", CHAT, 1, None)), mix={CHAT: 1.0})

    plan = solve(evidence, Constraints(floor=floor, mean_floor=floor, explore_share=0.02))

    assert plan.explore_share == left


@pytest.mark.parametrize("mix", [{CHAT: 0.5, MATHS: 0.4}, {CHAT: 1.5, MATHS: -0.5}, {CHAT: math.nan}])
def test_a_mix_that_is_none_is_refused(mix: dict[Bin, float]) -> None:
    with pytest.raises(PolicyError, match="mix"):
        solve(Evidence(cells=EVIDENCE.cells, mix=mix), Constraints())


def test_two_cells_for_one_thing_are_refused() -> None:
    with pytest.raises(PolicyError, match=r"two of directive 'full' in bin chat"):
        solve(Evidence(cells=(*EVIDENCE.cells, EVIDENCE.cells[0]), mix=EVIDENCE.mix), Constraints())
