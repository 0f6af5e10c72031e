"""What comes later changes nothing that the policy did before, and what it did not ask for changes nothing at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directives.constraints import Constraints
from directives.replay import Context, Outcome, Prompts, Window, replay
from directives.replay.context import Seen
from directives.replay.data import Floats, Indices
from directives.replay.evaluator import Evaluator
from directives.replay.schemes.contextual import Contextual
from directives.replay.simulation import simulate
from tests.directives.replay.synthetic import experiment_of, random_prompts, random_window, window_of

HOURS = 20
HINDSIGHT = settings(max_examples=4, deadline=None)


class Watched(Contextual):
    """Notes at the beginning of every hour what it would serve to each prompt, before it has met one."""

    def begin(self, hour: int, intensity_g_per_kwh: float) -> None:
        super().begin(hour, intensity_g_per_kwh)
        draws = np.random.default_rng(hour).random(len(self.strata))
        self.plans = [*getattr(self, "plans", []), self.serve(np.arange(len(self.strata)), draws).tolist()]


def served(
    context: Context, evaluated: Prompts, traffic: Prompts, window: Window
) -> tuple[Watched, Outcome, Evaluator]:
    """By a policy of a confidence low enough to plan by little evidence."""
    constraints = Constraints(floor=0.8, mean_floor=0.85, confidence=0.6, control_share=0.01)
    evaluator = Evaluator(evaluated, window.mix, np.random.default_rng(1))
    seen = Seen.of(context, evaluated, traffic, 0)
    scheme = Watched(traffic.directives, window, seen, constraints, evaluator)
    return scheme, simulate(traffic, window, scheme, np.random.default_rng(2)), evaluator


def halves(rng: np.random.Generator, evaluated: int, traffic: int) -> tuple[Prompts, Prompts]:
    return random_prompts(rng, evaluated), random_prompts(rng, traffic)


def later(values: Floats, hour: int, other: Floats) -> Floats:
    return np.concatenate([values[:hour], other[hour:]])


@pytest.mark.parametrize("context", ["task", "none"])
@given(seed=st.integers(0, 2**32 - 1), hour=st.integers(1, HOURS - 1))
@HINDSIGHT
def test_later_intensities_and_mixes_change_nothing_before(context: Context, seed: int, hour: int) -> None:
    rng = np.random.default_rng(seed)
    evaluated, traffic = halves(rng, 100, 50)
    first, other = random_window(rng, HOURS), random_window(rng, HOURS)
    changed = replace(
        first,
        intensity_g_per_kwh=later(first.intensity_g_per_kwh, hour, other.intensity_g_per_kwh),
        mix=later(first.mix, hour, other.mix),
    )
    one, as_it_was, _ = served(context, evaluated, traffic, first)
    two, as_it_became, _ = served(context, evaluated, traffic, changed)
    assert two.plans[:hour] == one.plans[:hour]
    assert as_it_became.carbon_g[:hour].tolist() == as_it_was.carbon_g[:hour].tolist()
    assert as_it_became.shares[:hour].tolist() == as_it_was.shares[:hour].tolist()


@pytest.mark.parametrize("context", ["task", "none"])
@given(seed=st.integers(0, 2**32 - 1), hour=st.integers(1, HOURS - 1))
@HINDSIGHT
def test_an_hour_is_planned_before_its_requests_come(context: Context, seed: int, hour: int) -> None:
    rng = np.random.default_rng(seed)
    evaluated, traffic = halves(rng, 100, 50)
    first, other = random_window(rng, HOURS), random_window(rng, HOURS)
    one, _, _ = served(context, evaluated, traffic, first)
    two, _, _ = served(context, evaluated, traffic, replace(first, mix=later(first.mix, hour, other.mix)))
    assert two.plans[: hour + 1] == one.plans[: hour + 1]


def test_an_evaluation_knows_no_more_of_the_hour_than_the_plan_does() -> None:
    """Hour 10, in which an evaluation is due, brings other work; what is judged is like what came before."""
    rng = np.random.default_rng(3)
    evaluated, traffic = halves(rng, 800, 50)
    falling = [200.0] * 8 + [150.0, 100.0, 110.0, 200.0]
    same = [[0.8, 0.2]] * 12
    one, outcome, _ = served("none", evaluated, traffic, window_of(falling, same))
    assert 10 in {judged.hour for judged in outcome.evaluations}
    two, _, _ = served("none", evaluated, traffic, window_of(falling, same[:10] + [[0.1, 0.9]] * 2))
    assert two.plans[:11] == one.plans[:11]


@pytest.mark.parametrize("context", ["task", "none"])
@given(seed=st.integers(0, 2**32 - 1))
@HINDSIGHT
def test_quality_of_what_is_served_is_not_known_to_it(context: Context, seed: int) -> None:
    rng = np.random.default_rng(seed)
    evaluated, traffic = halves(rng, 100, 50)
    window = random_window(rng, HOURS)
    one, _, _ = served(context, evaluated, traffic, window)
    two, _, _ = served(context, evaluated, replace(traffic, quality=1 - 0.5 * traffic.quality), window)
    assert two.plans == one.plans


@pytest.mark.parametrize("context", ["task", "none"])
def test_costs_of_answers_that_were_not_given_are_not_known_to_it(context: Context) -> None:
    rng = np.random.default_rng(5)
    evaluated, traffic = halves(rng, 100, 50)
    window = random_window(rng, HOURS, requests_per_hour=12)
    one, outcome, _ = served(context, evaluated, traffic, window)
    given = _given(context, evaluated, traffic, window)
    assert not given.all()
    others = replace(
        traffic,
        energy_j=np.where(given, traffic.energy_j, 7 * traffic.energy_j),
        time_s=np.where(given, traffic.time_s, 7 * traffic.time_s),
    )
    two, after, _ = served(context, evaluated, others, window)
    assert two.plans == one.plans
    assert after.energy_j.tolist() == outcome.energy_j.tolist()


def _given(context: Context, evaluated: Prompts, traffic: Prompts, window: Window) -> Indices:
    """Which prompt was answered with which directive."""
    answered = np.zeros(traffic.energy_j.shape, dtype=bool)

    class Told(Watched):
        def serve(self, prompt: Indices, uniform: Floats) -> Indices:
            directives = super().serve(prompt, uniform)
            if len(prompt) < len(self.strata):  # not what `Watched` asks
                answered[prompt, directives] = True
            return directives

    constraints = Constraints(floor=0.8, mean_floor=0.85, confidence=0.6, control_share=0.01)
    evaluator = Evaluator(evaluated, window.mix, np.random.default_rng(1))
    scheme = Told(traffic.directives, window, Seen.of(context, evaluated, traffic, 0), constraints, evaluator)
    simulate(traffic, window, scheme, np.random.default_rng(2))
    return answered


@pytest.mark.parametrize("context", ["task", "none"])
def test_verdicts_that_were_not_asked_for_are_not_known_to_it(context: Context) -> None:
    """Of prompts so much alike that judging a part of them tells enough."""
    rng = np.random.default_rng(6)
    evaluated, traffic = halves(rng, 1500, 50)
    evaluated = replace(evaluated, quality=0.5 + 0.01 * evaluated.quality)
    window = random_window(rng, 6)
    one, _, evaluator = served(context, evaluated, traffic, window)
    asked = np.isin(np.arange(len(evaluated)), evaluator.known)
    assert 0 < asked.sum() < len(evaluated)
    others = replace(evaluated, quality=np.where(asked[:, None], evaluated.quality, 1 - evaluated.quality))
    two, _, _ = served(context, others, traffic, window)
    assert two.plans == one.plans


def test_sprout_is_told_in_advance() -> None:
    """As its authors did: whether a low at hour 10 is low enough depends on hours that are yet to come."""
    prompts = random_prompts(np.random.default_rng(8), 100)
    falling = [300.0] * 9 + [250.0, 260.0]
    hours = [
        [judged.hour for judged in replay("sprout", experiment_of(prompts, window)).evaluations]
        for window in (window_of([*falling, *[later] * 9], [[0.5, 0.5]] * 20) for later in (390.0, 100.0))
    ]
    assert 10 in hours[0]
    assert 10 not in hours[1]
