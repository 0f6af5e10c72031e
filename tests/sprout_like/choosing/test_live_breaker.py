"""Live answers that are worse than planned stop the policy, until an evaluation says otherwise."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directives import Observation
from directives.constraints import Constraints
from directives.evidence import Evidence, Known, Quality
from directives.workload import Bin
from sprout_like import CarbonAware
from sprout_like.choosing.breaker import Judged, Kind, LiveQuality, Tripped, as_served, opened
from sprout_like.choosing.knowledge import Basis
from sprout_like.choosing.live import POLL_EVERY_S, LivePolicy, nothing_known
from sprout_like.choosing.testing import ScriptedKnowledge
from sprout_like.testing import ManualClock, MemoryLedger, NullEngine

ASKED = Constraints(floor=0.9, confidence=0.99)
USELESS = Quality.of([(0.0, 1.0)] * 400)
GOOD = Quality.of([(0.5, 0.5)] * 400)


CHAT = ("chat", "brief")
CODE = ("code", "brief")


def live(*evaluations: tuple[Quality | None, Quality | None], share: float = 1.0) -> LiveQuality:
    """All traffic is chat, of which a share is served `brief`."""
    judged = (Judged(served=served, again={} if again is None else {CHAT: again}) for served, again in evaluations)
    return LiveQuality(evaluations=tuple(judged), shares={CHAT: share})


def judged_again(again: Mapping[Kind, Quality], **shares: float) -> LiveQuality:
    """An evaluation that generated all its answers; traffic by task, all of it `brief`."""
    return LiveQuality(
        evaluations=(Judged(again=again),), shares={(task, "brief"): share for task, share in shares.items()}
    )


def test_it_is_closed_while_nothing_was_judged() -> None:
    assert opened(None, ASKED) is None
    assert opened(live(), ASKED) is None


def test_it_opens_on_answers_that_were_served_and_proved_useless() -> None:
    why = opened(live((USELESS, None)), ASKED)

    assert why == "breaker: 400 live verdicts do not show the floor 0.9 of full's quality, they put it at 0.000"


def test_it_stays_closed_on_good_answers_and_on_a_few_bad_ones() -> None:
    assert opened(live((GOOD, None)), ASKED) is None
    assert opened(live((Quality.of([(0.0, 1.0)] * 5), None)), ASKED) is None


def test_an_evaluation_opens_it_too() -> None:
    why = opened(live((None, USELESS)), ASKED)

    assert why is not None
    assert "400 of an evaluation's verdicts do not show" in why


def test_what_an_evaluation_found_weighs_as_much_as_it_is_served() -> None:
    found = {CHAT: GOOD, CODE: USELESS}

    assert opened(judged_again(found, chat=0.99, code=0.01), ASKED) is None
    assert opened(judged_again(found, chat=0.5, code=0.5), ASKED) is not None
    assert opened(judged_again({("chat", "frugal"): USELESS}, chat=1.0), ASKED) is None


def test_a_task_that_was_not_judged_is_taken_for_what_the_others_are() -> None:
    assert opened(judged_again({CODE: USELESS}, chat=1.0), ASKED) is not None


def test_an_evaluation_of_a_lesser_part_of_what_is_served_says_nothing_of_it() -> None:
    shares = {("chat", "brief"): 0.4, ("chat", "frugal"): 0.6}

    for directive, expected in (("brief", False), ("frugal", True)):
        judged = LiveQuality(evaluations=(Judged(again={("chat", directive): USELESS}),), shares=shares)
        assert (opened(judged, ASKED) is not None) is expected


def test_one_that_judged_something_else_does_not_close_it() -> None:
    bad = Quality.of([(0.0, 1.0)] * 60)
    evaluations = (Judged(served=bad), Judged(again={("chat", "frugal"): GOOD}))

    assert opened(LiveQuality(evaluations=evaluations, shares={CHAT: 1.0}), ASKED) is not None


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=4), st.integers(2, 500))
def test_a_weighted_evaluation_is_worth_no_more_verdicts_than_it_has(shares: list[float], n: int) -> None:
    """Alike everywhere and weighed as it was judged, it is worth all of them; otherwise fewer."""
    again = {(str(task), "brief"): Quality.of([(0.25, 0.5), (0.75, 0.5)] * n) for task in range(len(shares))}
    weighed = as_served(again, {(str(task), "brief"): share for task, share in enumerate(shares)})  # type: ignore[arg-type]

    assert weighed is not None
    assert 1 <= weighed.n <= 2 * n * len(shares)
    assert (weighed.mean, weighed.full_mean, weighed.variance) == pytest.approx((0.5, 0.5, 0.0625))
    if min(shares) == max(shares):
        assert weighed.n == 2 * n * len(shares)


def test_verdicts_add_up_over_evaluations() -> None:
    few = Quality.of([(0.0, 1.0)] * 15)

    assert opened(live((few, None)), ASKED) is None
    assert opened(live(*[(few, None)] * 4), ASKED) is not None


def test_a_floor_of_all_traffic_bears_more_where_less_of_it_is_lossy() -> None:
    """Half as good in a tenth of the traffic is 95 % of `full`'s quality over all."""
    poor = Quality.of([(0.25, 0.5)] * 4000)

    assert opened(live((poor, None), share=0.1), ASKED) is None
    assert opened(live((poor, None), share=0.9), ASKED) is not None
    assert opened(live((poor, None), share=0.0), ASKED) is None


def test_an_evaluation_afterwards_closes_it_and_one_that_agrees_does_not() -> None:
    bad = Quality.of([(0.0, 1.0)] * 60)

    assert opened(live((bad, None), (None, GOOD)), ASKED) is None
    assert opened(live((bad, None), (None, bad)), ASKED) is not None
    assert opened(live((bad, GOOD)), ASKED) is not None


def test_closed_again_it_can_open_again() -> None:
    bad = Quality.of([(0.0, 1.0)] * 60)

    assert opened(live((bad, None), (None, GOOD), (bad, None)), ASKED) is not None


def test_without_a_floor_there_is_nothing_to_break() -> None:
    priced = Constraints(floor=None, mean_floor=None, price_per_kg=1.0, answer_value=1.0)

    assert opened(live((USELESS, None)), priced) is None


def test_open_it_serves_full_and_goes_on_drawing_the_control_group() -> None:
    policy, rng = Tripped("contextual:1", 0.2, "why"), Random(1)
    drawn = [policy.choose(Observation(), ["full", "brief"], rng) for _ in range(2000)]

    assert {(d.directive, d.propensity, d.reason) for d in drawn} == {("full", 1.0, "why")}
    assert Counter(d.group for d in drawn)["control"] / 2000 == pytest.approx(0.2, abs=0.05)


def test_rows_and_log_say_that_it_is_open(caplog: pytest.LogCaptureFixture) -> None:
    evidence = Evidence(cells=(Known(directive="full", bin=Bin(), lossless=True),))
    knowledge = ScriptedKnowledge(Basis(key="1", evidence=evidence))
    knowledge.live = live((USELESS, None))
    clock = ManualClock()
    policy = LivePolicy(
        knowledge,
        ASKED,
        solve=lambda *_: nothing_known(0.0),
        intensity=lambda: None,
        monotonic_s=clock.monotonic_s,
    )
    ledger = MemoryLedger()
    with CarbonAware(None, engine=NullEngine(), grid=200, ledger=ledger, meter="none", policy=policy) as aware:
        for _ in range(3):
            policy.tick()
            aware.generate()
            clock.advance(POLL_EVERY_S)
        knowledge.live = live((USELESS, None), (None, GOOD))
        policy.tick()
        aware.generate()

    versions = [row.policy_version for row in ledger.requests]
    assert versions == ["contextual:full;breaker"] * 3 + ["contextual:full"]
    assert all("breaker: 400 live verdicts" in str(row.decision_reason) for row in ledger.requests[:3])
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len([text for text in said if "breaker" in text]) == 1
