"""Plans against a search second by second, in which every moment is a whole number: there an optimum is one too."""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid.errors import WindowError
from grid.testing import NOON
from grid.windows import WindowPlan, Work, plan, plan_many
from tests.grid.slots import series_of

POWER_W = 3.6e6  # so that a second at 1 g/kWh emits 1 g


@st.composite
def slots(draw: st.DrawFn) -> list[tuple[int, int | None]]:
    """Ragged slots of some seconds with their intensity, None for a gap; the ends are known."""
    value = st.one_of(st.none(), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
    inner = draw(st.lists(st.tuples(st.sampled_from((1, 2, 3, 6)), value), max_size=6))
    return [
        (draw(st.integers(1, 4)), draw(st.integers(0, 20))),
        *inner,
        (draw(st.integers(1, 4)), draw(st.integers(0, 20))),
    ]


def least_g(cut: list[tuple[int, int | None]], work: Work, first: int, last: int) -> float:
    """Least emissions, second by second: the state is the work done, and how far a start-up has come or idle.

    Work without a break is that which never goes back from running to idle before it is done.
    """
    seconds = [value for length, value in cut for _ in range(length)]
    start_up, wanted = int(work.start_up_s), int(work.duration_s)
    share = work.start_up_j / work.start_up_s / POWER_W if start_up else 0.0
    states = {("idle", 0): 0.0}
    for second in range(max(first, 0), min(last, len(seconds))):
        reached: dict[tuple[str | int, int], float] = {}

        def reach(state: tuple[str | int, int], grams: float, into: dict = reached) -> None:
            into[state] = min(grams, into.get(state, math.inf))

        for (mode, done), grams in list(states.items()):
            if mode == start_up and (work.interruptible or done == wanted):
                states["idle", done] = min(grams, states.get(("idle", done), math.inf))
        for (mode, done), grams in states.items():
            if mode == "idle":
                reach(("idle", done), grams)
            value = seconds[second]
            if value is None or done == wanted:
                continue
            progress = 0 if mode == "idle" else int(mode)
            if progress < start_up:
                reach((progress + 1, done), grams + share * value)
            else:
                reach((start_up, done + 1), grams + value)
        states = reached
    return min((grams for (_, done), grams in states.items() if done == wanted), default=math.inf)


def check(cut: list[tuple[int, int | None]], work: Work, first: int, last: int) -> None:
    expected = least_g(cut, work, first, last)
    if math.isinf(expected):
        with pytest.raises(WindowError):
            plan(work, series_of(cut))
        return
    found = plan(work, series_of(cut))
    assert found.emitted_g == pytest.approx(expected, abs=1e-5)
    assert emitted_g(found, work, cut) == pytest.approx(expected, abs=1e-4)
    assert work.interruptible or len(found.windows) == 1
    assert found.windows[0].start_utc >= NOON + timedelta(seconds=first)
    assert found.windows[-1].end_utc <= work.deadline_utc
    assert all(before.end_utc <= after.start_utc for before, after in pairwise(found.windows))


def emitted_g(found: WindowPlan, work: Work, cut: list[tuple[int, int | None]]) -> float:
    """The plan's emissions, added up from its windows alone."""

    def under(start_s: float, end_s: float) -> float:
        total, at = 0.0, 0
        for length, value in cut:
            overlap = max(0.0, min(end_s, at + length) - max(start_s, at))
            assert value is not None or overlap < 1e-5
            total += overlap * (value or 0)
            at += length
        return total

    total = done_s = 0.0
    for window in found.windows:
        start, end = ((moment - NOON).total_seconds() for moment in (window.start_utc, window.end_utc))
        ready = start + work.start_up_s
        share = work.start_up_j / work.start_up_s / POWER_W if work.start_up_s else 0.0
        total += share * under(start, ready) + under(ready, end)
        done_s += end - ready
    assert done_s == pytest.approx(work.duration_s, abs=1e-4)
    return total


@settings(max_examples=250, deadline=None)
@given(
    cut=slots(),
    duration=st.integers(1, 9),
    first=st.integers(0, 4),
    last=st.integers(3, 30),
    interruptible=st.booleans(),
    start_up=st.sampled_from((0, 0, 1, 2, 3)),
    share=st.sampled_from((0.0, 0.3, 1.0, 2.5)),
)
def test_no_plan_second_by_second_emits_less(
    cut: list[tuple[int, int | None]],
    duration: int,
    first: int,
    last: int,
    interruptible: bool,
    start_up: int,
    share: float,
) -> None:
    work = Work(
        duration_s=duration,
        power_w=POWER_W,
        deadline_utc=NOON + timedelta(seconds=last),
        earliest_utc=NOON + timedelta(seconds=first),
        interruptible=interruptible,
        start_up_s=start_up,
        start_up_j=share * POWER_W * start_up,
    )
    check(cut, work, first, last)


@st.composite
def restarts(draw: st.DrawFn) -> Work:
    start_up = draw(st.integers(1, 4))
    return Work(
        duration_s=draw(st.integers(1, 14)),
        power_w=POWER_W,
        earliest_utc=NOON + timedelta(seconds=draw(st.integers(0, 6))),
        deadline_utc=NOON + timedelta(seconds=draw(st.integers(8, 50))),
        interruptible=True,
        start_up_s=start_up,
        start_up_j=draw(st.sampled_from((0.0, 0.1, 0.5, 1.0, 3.0))) * POWER_W * start_up,
    )


@settings(max_examples=40, deadline=None)
@given(cut=slots(), more=slots(), works=st.lists(restarts(), min_size=1, max_size=12))
def test_many_at_once_emit_as_little_as_second_by_second_and_as_one_by_one(
    cut: list[tuple[int, int | None]], more: list[tuple[int, int | None]], works: list[Work]
) -> None:
    cut = cut + more
    for work, found in zip(works, plan_many(works, series_of(cut)), strict=True):
        first, last = ((t - NOON).total_seconds() for t in (work.earliest_utc or NOON, work.deadline_utc))
        expected = least_g(cut, work, int(first), int(last))
        if isinstance(found, WindowError):
            assert math.isinf(expected)
            continue
        assert found.emitted_g == pytest.approx(expected, abs=1e-5)
        assert emitted_g(found, work, cut) == pytest.approx(expected, abs=1e-4)
        assert found == plan(work, series_of(cut))


@pytest.mark.parametrize(
    ("cut", "duration", "start_up", "share"),
    [
        # A start-up at low power is best spent in the dirty slot before a clean one.
        ([(6, 13), (3, 5)], 2, 3, 0.3),
        # Stopping and starting again at once is cheaper than working through.
        ([(3, 1), (3, 20), (3, 1)], 6, 3, 0.0),
        # Two runs with an open end in the second.
        ([(3, 2), (6, 20), (2, 4), (6, 20), (3, 2)], 5, 1, 1.0),
        # The open moment is the start of the first run.
        ([(3, 4), (6, 18), (3, 13), (1, 11), (1, 0), (1, 12)], 6, 1, 1.0),
        ([(5, 13), (2, 0), (3, 15), (2, 2), (6, 13), (6, 3)], 5, 2, 1.0),
        # A run is left between the end of its start-up and the next edge.
        ([(6, 15), (1, 7), (4, 8), (6, 0), (1, None), (6, 0)], 6, 1, 2.5),
        # Carbon-free slots tie with each other.
        ([(3, 0), (2, 9), (6, 0), (1, 9), (3, 0)], 7, 1, 2.5),
    ],
)
def test_start_ups_are_placed_exactly(
    cut: list[tuple[int, int | None]], duration: int, start_up: int, share: float
) -> None:
    last = sum(length for length, _ in cut)
    work = Work(
        duration_s=duration,
        power_w=POWER_W,
        deadline_utc=NOON + timedelta(seconds=last),
        interruptible=True,
        start_up_s=start_up,
        start_up_j=share * POWER_W * start_up,
    )
    check(cut, work, 0, last)


def test_one_run_begins_work_on_an_edge_where_that_is_best() -> None:
    cut: list[tuple[int, int | None]] = [(2, 11), (2, 6), (3, 10)]
    work = Work(
        duration_s=4,
        power_w=POWER_W,
        deadline_utc=NOON + timedelta(seconds=7),
        start_up_s=1,
        start_up_j=0.3 * POWER_W,
    )
    check(cut, work, 0, 7)
