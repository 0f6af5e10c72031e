"""Off-policy estimates against simulated logs whose truth is known."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directives.estimate import Estimate
from directives.off_policy import (
    Chances,
    Context,
    Logged,
    Value,
    as_logged,
    difference,
    doubly_robust,
    self_normalised,
)
from directives.workload import Bin

SHORT, LONG = (Context(bin=Bin(task=task), intensity_g_per_kwh=100.0, candidates=("full", "brief")) for task in "sl")
TRUTH = {(SHORT, "full"): 10.0, (SHORT, "brief"): 4.0, (LONG, "full"): 50.0, (LONG, "brief"): 12.0}
LOGGING = {SHORT: {"full": 0.3, "brief": 0.7}, LONG: {"full": 0.8, "brief": 0.2}}
CANDIDATE = {SHORT: {"full": 0.5, "brief": 0.5}, LONG: {"full": 0.1, "brief": 0.9}}
SHARE_LONG = 0.3

Call = tuple[Context, str, float, float, float]
"""Context, directive, propensity, requests, cost of the call."""


def chances(table: Mapping[Context, Mapping[str, float]]) -> Chances:
    return table.__getitem__


def value_of(table: Mapping[Context, Mapping[str, float]]) -> float:
    def mean(context: Context) -> float:
        return sum(share * TRUTH[context, name] for name, share in table[context].items())

    return (1 - SHARE_LONG) * mean(SHORT) + SHARE_LONG * mean(LONG)


def right(context: Context, directive: str) -> Estimate:
    return Estimate(TRUTH[context, directive], 1.0, 1000)


def wrong(context: Context, directive: str) -> Estimate:
    return Estimate(5.0, 1.0, 1000)


def served(rng: Random, n: int, batches: Sequence[int] = (1,)) -> list[Call]:
    calls = []
    for _ in range(n):
        context = LONG if rng.random() < SHARE_LONG else SHORT
        directive = "full" if rng.random() < LOGGING[context]["full"] else "brief"
        rows = rng.choice(batches)
        cost = sum(rng.gammavariate(4, TRUTH[context, directive] / 4) for _ in range(rows))
        calls.append((context, directive, LOGGING[context][directive], float(rows), cost))
    return calls


def summed(calls: Sequence[Call]) -> list[Logged]:
    groups: defaultdict[tuple[Context, str, float], list[tuple[float, float]]] = defaultdict(list)
    for context, directive, propensity, rows, cost in calls:
        groups[context, directive, rows].append((propensity, cost))
    return [
        Logged(
            context=context,
            directive=directive,
            size=rows,
            n=len(group),
            inverse=sum(1 / p for p, _ in group),
            inverse_squares=sum(1 / p**2 for p, _ in group),
            cost=sum(y / p for p, y in group),
            cost_twice=sum(y / p**2 for p, y in group),
            cost_squares=sum(y * y / p**2 for p, y in group),
        )
        for (context, directive, rows), group in groups.items()
    ]


def known(value: Value | None) -> Value:
    assert value is not None
    return value


def test_means_and_intervals_are_right_over_a_thousand_logs() -> None:
    """Unbiased within four standard errors of the mean of all; 93 to 97 % of the intervals hold the truth."""
    truth, rng, runs = value_of(CANDIDATE), Random(5), 1000
    estimates: dict[str, list[Value]] = {"self_normalised": [], "right model": [], "wrong model": []}
    for _ in range(runs):
        log = summed(served(rng, 600))
        estimates["self_normalised"].append(known(self_normalised(log, chances(CANDIDATE))))
        estimates["right model"].append(known(doubly_robust(log, chances(CANDIDATE), right)))
        estimates["wrong model"].append(known(doubly_robust(log, chances(CANDIDATE), wrong)))
    spread = {}
    for name, values in estimates.items():
        mean = sum(value.mean for value in values) / runs
        spread[name] = math.sqrt(sum((value.mean - mean) ** 2 for value in values) / runs)
        assert abs(mean - truth) < 4 * spread[name] / math.sqrt(runs), name
        assert 0.93 <= sum(value.low <= truth <= value.high for value in values) / runs <= 0.97, name
    assert spread["right model"] <= spread["self_normalised"]


def test_a_policy_like_the_logging_one_has_the_mean_of_the_log() -> None:
    calls = served(Random(1), 300, batches=(1, 2, 4))
    mean = sum(call[4] for call in calls) / sum(call[3] for call in calls)
    log = summed(calls)

    same = known(self_normalised(log, chances(LOGGING)))
    as_it_was = known(doubly_robust(log, as_logged(log), right))

    assert same.mean == pytest.approx(mean)
    assert same.effective_n == pytest.approx(300)
    assert as_it_was.mean == pytest.approx(mean, rel=0.05)


@given(st.integers(0, 2**32), st.integers(2, 60))
def test_sums_say_the_same_as_the_calls_one_by_one(seed: int, n: int) -> None:
    calls = served(Random(seed), n, batches=(1, 3))
    together, apart = summed(calls), [summed([call])[0] for call in calls]
    for policy in (chances(CANDIDATE), as_logged(together)):
        for one, other in (
            (self_normalised(together, policy), self_normalised(apart, policy)),
            (doubly_robust(together, policy, wrong), doubly_robust(apart, policy, wrong)),
        ):
            assert known(one).mean == pytest.approx(known(other).mean)
            assert known(one).standard_error == pytest.approx(known(other).standard_error, rel=1e-6, abs=1e-6)
            assert known(one).effective_n == pytest.approx(known(other).effective_n)


def test_batches_are_as_many_requests() -> None:
    rng = Random(3)
    value = known(doubly_robust(summed(served(rng, 20_000, batches=(1, 8))), chances(CANDIDATE), right))
    assert value.low <= value_of(CANDIDATE) <= value.high


def test_a_difference_is_that_of_the_values_and_tighter_than_both_apart() -> None:
    log = summed(served(Random(4), 5000))
    ours, theirs = chances(CANDIDATE), chances(LOGGING)
    apart = [known(doubly_robust(log, policy, right)) for policy in (ours, theirs)]

    paired = known(doubly_robust(log, difference(ours, theirs), right))

    assert paired.mean == pytest.approx(apart[0].mean - apart[1].mean)
    assert paired.standard_error < math.hypot(*(value.standard_error for value in apart))
    assert paired.low <= value_of(CANDIDATE) - value_of(LOGGING) <= paired.high


def test_what_the_log_never_served_is_named_and_takes_the_models_word_with_its_error() -> None:
    log = summed([call for call in served(Random(6), 4000) if call[0] is SHORT or call[1] == "full"])
    truth_of_log = {context: {"full": 0.0, "brief": 1.0} for context in (SHORT, LONG)}

    blind = known(self_normalised(log, chances(truth_of_log)))
    value = known(doubly_robust(log, chances(truth_of_log), right))
    unsure = known(
        doubly_robust(log, chances(truth_of_log), lambda context, name: replace(right(context, name), sd=100.0, n=25))
    )

    long_share = sum(g.n for g in log if g.context is LONG) / sum(g.n for g in log)
    assert value.unseen == blind.unseen == {"brief": pytest.approx(long_share)}
    assert blind.mean == pytest.approx(TRUTH[SHORT, "brief"], rel=0.1), "it leaves the unseen out"
    expected = (1 - long_share) * TRUTH[SHORT, "brief"] + long_share * TRUTH[LONG, "brief"]
    assert value.mean == pytest.approx(expected, rel=0.1)
    assert unsure.standard_error == pytest.approx(value.standard_error + 20 * long_share, rel=0.01)


def test_where_half_of_the_log_could_not_explore_the_model_is_not_trusted_blindly() -> None:
    """Its policy served `full` whatever came; the model is fitted to the other half, and errs as that does."""
    truth, rng, runs = value_of(CANDIDATE), Random(8), 500
    values = []
    for _ in range(runs):
        calls = served(rng, 300)
        cautious = [
            (context, "full", 1.0, 1.0, rng.gammavariate(4, TRUTH[context, "full"] / 4))
            for context, *_ in served(rng, 300)
        ]
        costs = defaultdict(list)
        for context, directive, _, _, cost in (*calls, *cautious):
            costs[context, directive].append(cost)
        fitted = {key: Estimate.of(of) for key, of in costs.items()}
        values.append(known(doubly_robust(summed([*calls, *cautious]), chances(CANDIDATE), fitted_to(fitted))))
    assert sum(sum(value.unseen.values()) for value in values) / runs == pytest.approx(0.25, abs=0.1)
    covered = sum(value.low <= truth <= value.high for value in values) / runs
    assert covered >= 0.93, covered
    mean = sum(value.mean for value in values) / runs
    assert abs(mean - truth) < 4 * values[0].standard_error / math.sqrt(runs)


def fitted_to(costs: Mapping[tuple[Context, str], Estimate | None]) -> Callable[[Context, str], Estimate]:
    def model(context: Context, directive: str) -> Estimate:
        found = costs[context, directive]
        assert found is not None
        return found

    return model


def test_chance_is_not_taken_for_a_lack_of_overlap() -> None:
    value = known(self_normalised(summed(served(Random(2), 2000)), chances(CANDIDATE)))
    assert value.unseen == {}


def test_too_little_gives_no_value() -> None:
    one = summed(served(Random(0), 1))
    only_full = [replace(group, directive="full") for group in summed(served(Random(0), 9))]
    assert self_normalised([], chances(CANDIDATE)) is None
    assert doubly_robust(one, chances(CANDIDATE), right) is None
    assert self_normalised(only_full, lambda context: {"brief": 1.0}) is None
