"""Settling once more, dry, or after a death in the middle: the end is the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sprout_like.ledger.check import check
from sprout_like.ledger.settlements import DryRun, Settlements
from sprout_like.settlement.figures import Settled
from sprout_like.settlement.settle import settle
from tests.sprout_like.settlement.settling import run


def test_a_second_run_changes_nothing_and_asks_nothing(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    source = new_source(*(new_reading(150 + slot, slot) for slot in range(8)))
    ledger.write([new_request(slot) for slot in range(8)])
    run(ledger, source)
    once, questions = ledger.rows(), len(source.asked)
    ledger.clock.advance(3600)

    report = run(ledger, source)

    assert (ledger.rows(), len(source.asked)) == (once, questions)
    assert (report.changed, report.groups[0].unchanged, report.groups[0].moved_g) == (0, 8, 0.0)
    assert report.groups[0].after_g == report.groups[0].before_g


def test_a_corrected_actual_is_found_by_a_refresh(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    source = new_source(new_reading(150, 0), new_reading(150, 1))
    ledger.write([new_request(0), new_request(1)])
    run(ledger, source)
    source.readings[0] = new_reading(180, 0)

    assert run(ledger, source).changed == 0
    report = run(ledger, source, refresh=True)

    assert (report.groups[0].corrected, report.groups[0].unchanged) == (1, 1)
    assert ledger.settled() == [(180, "actual"), (150, "actual")]


def test_a_dry_run_says_the_same_and_writes_nothing(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    source = new_source(new_reading(150, 0), new_reading(90, 1))
    ledger.write([new_request(0), new_request(1), new_request(2), new_reading(99, 1)])
    before = ledger.rows()

    dry = settle(DryRun(ledger.engine, page=2), source, dry_run=True, refresh=True, now_utc=ledger.clock)

    assert (ledger.rows(), dry.dry_run) == (before, True)
    real = run(ledger, source, refresh=True)
    assert (real.groups, real.still_open) == (dry.groups, dry.still_open)
    assert ledger.settled()[:2] == [(150, "actual"), (90, "actual")]


class DyingSettlements(Settlements):
    """Dies before the page of that number is written."""

    def __init__(self, ledger: Any, at_page: int) -> None:
        super().__init__(ledger.engine, page=2)
        self._left = at_page

    def apply(self, settled: Sequence[Settled]) -> None:
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        super().apply(settled)


requests = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.floats(0, 5000),
        st.sampled_from(["forecast", "actual", "static", "estimated", None]),
        st.sampled_from(["GB", "FR"]),
    ),
    max_size=8,
)
readings = st.dictionaries(
    st.tuples(
        st.integers(0, 6),
        st.sampled_from(["published", "a", "b"]),
        st.sampled_from(["actual", "estimated", "forecast"]),
    ),
    st.floats(0, 1000),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests, readings, readings, st.booleans(), st.integers(0, 3))
def test_however_it_is_cut_short_the_end_is_the_same(
    memory_ledger: Callable[[], Any],
    new_request: Any,
    new_reading: Any,
    new_source: Any,
    served: list[tuple[int, float, str | None, str]],
    held: dict[tuple[int, str, str], float],
    at_source: dict[tuple[int, str, str], float],
    accept_estimated: bool,
    dies_at: int,
) -> None:
    """Settled at once, settled twice, and settled after a death in the middle: the same rows."""
    rows = [
        new_request(number, started_utc=new_reading(1, slot).start_utc, duration_s=duration_s, zone=zone,
                    intensity_status=status, intensity_g_per_kwh=None if status is None else 100.0,
                    intensity_stale=False)
        for number, (slot, duration_s, status, zone) in enumerate(served)
    ]  # fmt: skip
    told = {slot: new_reading(g, slot, status=status) for (slot, _, status), g in at_source.items()}
    source = new_source(*told.values())
    straight, broken = memory_ledger(), memory_ledger()
    for ledger in (straight, broken):
        ledger.write(rows)
        ledger.write(new_reading(g, slot, source=name, status=status) for (slot, name, status), g in held.items())
    options = {"accept_estimated": accept_estimated, "now_utc": straight.clock}

    first = settle(straight.store, source, **options)
    once = straight.rows()
    second = settle(straight.store, source, **options)
    try:
        settle(DyingSettlements(broken, dies_at), source, **options)
    except KeyboardInterrupt:
        settle(broken.store, source, **options)

    assert (second.changed, straight.rows()) == (0, once)
    assert broken.rows() == once
    assert [group.after_g for group in second.groups] == pytest.approx([group.after_g for group in first.groups])
    assert all("settled" not in finding.problem for finding in check(straight.engine).findings)
