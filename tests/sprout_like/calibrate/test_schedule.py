"""Whose turn it is, and when it is enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.calibrate.schedule import Pace, Schedule, Slot, Turn, workloads_that_fit
from sprout_like.testing import ManualClock

SLOTS = [Slot(workload, name) for workload in (0, 1) for name in ("full", "brief", "lookup")]


def make_schedule(
    *,
    clock: ManualClock | None = None,
    deadline_s: float = 1e9,
    expected_s: Callable[[Slot], float | None] = lambda _: 1.0,
    is_tight: Callable[[Slot], bool] = lambda _: False,
    seed: int = 1,
) -> Schedule:
    return Schedule(
        SLOTS,
        rng=Random(seed),
        now_s=(clock or ManualClock()).monotonic_s,
        deadline_s=deadline_s,
        expected_s=expected_s,
        is_tight=is_tight,
        least_rounds=3,
    )


def rounds_of(turns: list[Turn]) -> list[list[Slot]]:
    return [[turn.slot for turn in turns if turn.round_number == n] for n in range(turns[-1].round_number + 1)]


def test_every_round_goes_through_all_slots_in_an_order_of_its_own() -> None:
    turns = list(islice(make_schedule().turns(), 10 * len(SLOTS)))

    assert all(sorted(each) == sorted(SLOTS) for each in rounds_of(turns))
    assert len({tuple(each) for each in rounds_of(turns)}) > 5


def test_the_same_seed_gives_the_same_order() -> None:
    one, other, third = (list(islice(make_schedule(seed=seed).turns(), 30)) for seed in (1, 1, 2))

    assert one == other
    assert one != third


def test_nothing_is_known_well_enough_before_the_least_rounds() -> None:
    schedule = make_schedule(is_tight=lambda _: True)

    assert len(list(schedule.turns())) == 3 * len(SLOTS)
    assert (schedule.ended, schedule.rounds) == ("tight", 3)


def test_later_rounds_hold_what_is_loose_and_full_to_compare_with() -> None:
    schedule = make_schedule(is_tight=lambda slot: slot != Slot(1, "brief"))
    turns = list(islice(schedule.turns(), 3 * len(SLOTS) + 4))

    assert Counter(turn.slot for turn in turns[3 * len(SLOTS) :]) == {Slot(1, "brief"): 2, Slot(1, "full"): 2}


def test_no_call_is_begun_that_cannot_end_in_time() -> None:
    clock = ManualClock()
    took_s = {slot: 40.0 if slot == Slot(1, "lookup") else 2.0 for slot in SLOTS}
    schedule = make_schedule(clock=clock, deadline_s=100.0, expected_s=took_s.__getitem__)

    served = Counter[Slot]()
    for turn in schedule.turns():
        clock.advance(took_s[turn.slot])
        served[turn.slot] += 1

    assert clock.monotonic_s() <= 100.0
    assert schedule.ended == "budget"
    assert served[Slot(1, "lookup")] in (1, 2)
    assert served[Slot(0, "full")] >= 2  # shorter calls filled the time that was left


def test_in_a_round_that_cannot_be_finished_full_goes_first() -> None:
    clock = ManualClock()
    schedule = make_schedule(clock=clock, deadline_s=9.5)
    turns = []
    for turn in schedule.turns():
        clock.advance(1.0)
        turns.append(turn)

    first, last = rounds_of(turns)
    assert sorted(first) == sorted(SLOTS)
    assert {slot.directive for slot in last[:2]} == {"full"}
    assert len(last) == 3


def test_what_cannot_be_measured_gets_no_more_turns() -> None:
    schedule = make_schedule(is_tight=lambda _: True)
    served = []
    for turn in schedule.turns():
        served.append(turn.slot.directive)
        if turn.slot.directive == "lookup":
            schedule.drop("lookup")

    assert Counter(served) == {"full": 6, "brief": 6, "lookup": 1}


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=6), st.floats(0, 1000), st.integers(1, 5))
def test_as_many_workloads_as_fit(round_s: list[float], left_s: float, least_rounds: int) -> None:
    kept = workloads_that_fit(round_s, left_s, least_rounds)

    assert 1 <= kept <= len(round_s)
    assert kept == 1 or sum(round_s[:kept]) * least_rounds <= left_s
    assert kept == len(round_s) or sum(round_s[: kept + 1]) * least_rounds > left_s


def test_the_pace_is_on_the_safe_side() -> None:
    pace = Pace()
    assert pace.expected_s(Slot(0, "brief")) is None

    pace.note(Slot(0, "full"), 2.0)
    pace.factors["draft"] = 3.0
    pace.factors["brief"] = 0.5
    assert pace.expected_s(Slot(0, "draft")) == pytest.approx(1.2 * 6.0)
    assert pace.expected_s(Slot(0, "brief")) == pytest.approx(1.2 * 2.0)

    for seconds in (1.0, 5.0, 1.0):
        pace.note(Slot(0, "brief"), seconds)
    assert pace.expected_s(Slot(0, "brief")) == pytest.approx(1.2 * 5.0)
