"""When to judge: what the rule is told, from the grid, the ledger and the machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from directives.evaluation import Due, Moment, Schedule
from grid import Grid, Series, SourceDown
from grid.testing import ScriptedSource, reading
from sprout_like.evaluating.evaluation import Evaluation
from sprout_like.evaluating.store import save_evaluation
from sprout_like.evaluating.when import Occasion, busy_share, wait_until_due
from sprout_like.ledger.request_rows import insert_requests
from sprout_like.ledger.schema import IntensityRow
from sprout_like.ledger.testing import sample_request
from sprout_like.record import IntensityRecord, RequestRecord
from sprout_like.testing import ManualClock

SLOT = timedelta(minutes=30)
HOUR = timedelta(hours=1)

Make = Callable[..., Occasion]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class Recording(Schedule):
    """The rule, with what it was told."""

    told: tuple[Any, ...] = ()

    def due(self, *known: Any, idle: bool) -> Due | None:  # type: ignore[override]
        type(self).told = (*known, idle)
        return None


@pytest.fixture
def make(engine: Engine, clock: ManualClock) -> Make:
    def occasion(
        now_g_per_kwh: float = 100.0,
        *,
        past: Sequence[float] | Exception = (),
        ahead: Sequence[float] = (),
        busy: float | None = 0.0,
        schedule: Schedule | None = None,
    ) -> Occasion:
        now = clock.now_utc()
        before = (
            [reading(g, start_utc=now - (len(past) - n) * SLOT) for n, g in enumerate(past)]
            if not isinstance(past, Exception)
            else []
        )
        after = [reading(g, start_utc=now + (n + 1) * SLOT, status="forecast") for n, g in enumerate(ahead)]
        source = ScriptedSource(
            now_g_per_kwh,
            histories=[past] if isinstance(past, Exception) else [Series(before)] if before else [],
            forecasts=[Series(after)] if after else [],
        )
        grid = Grid(source, "GB", now_utc=clock.now_utc)
        return Occasion(grid, engine, clock, catalogue_version="builtin:1", schedule=schedule, busy=lambda: busy)

    return occasion


@pytest.fixture
def judged(engine: Engine, clock: ManualClock, make_evaluation: Callable[..., Evaluation]) -> Callable[..., None]:
    """Puts an evaluation into the ledger that ended so long ago."""

    def save(ago: timedelta, **changes: Any) -> None:
        save_evaluation(engine, make_evaluation(ended_utc=clock.now_utc() - ago, **changes))

    return save


def log(engine: Engine, *rows: Any) -> None:
    with Session(engine) as session, session.begin():
        session.add_all(rows)


def serve(engine: Engine, record: RequestRecord) -> None:
    with engine.begin() as connection:
        insert_requests(connection, [record])


def test_the_first_is_due_at_once_where_there_is_capacity(make: Make) -> None:
    assert make().due() == "first"
    assert make(busy=None).due() == "first"  # nobody counts: that is no reason never to judge
    assert make(busy=0.9).due() is None


def test_a_model_that_serves_is_not_idle(make: Make, engine: Engine, clock: ManualClock) -> None:
    started_utc = clock.now_utc() - timedelta(minutes=2)
    busy = sample_request(1, started_utc=started_utc, engine_s=100.0)
    serve(engine, sample_request(2, started_utc=started_utc, engine_s=200.0, purpose="evaluation"))
    serve(engine, sample_request(3, started_utc=started_utc - HOUR, engine_s=200.0))
    assert make().due() == "first"
    serve(engine, busy)
    assert make().due() is None


def test_a_low_of_the_grid_is_due(make: Make, judged: Callable[..., None]) -> None:
    judged(12 * HOUR)
    assert make(100.0, past=[200.0, 150.0], ahead=[160.0, 200.0]).due() == "low"
    assert make(100.0, past=[200.0, 150.0], ahead=[50.0, 200.0]).due() is None  # it is to be lower yet
    assert make(300.0, past=[200.0, 350.0], ahead=[400.0]).due() is None  # dirtier than the past on the whole


@pytest.mark.parametrize(("ago", "due"), [(HOUR, None), (73 * HOUR, "forced")])
def test_neither_too_soon_nor_too_late(
    make: Make, judged: Callable[..., None], ago: timedelta, due: Due | None
) -> None:
    judged(ago)
    assert make(500.0, past=[100.0, 90.0], busy=0.9).due() == due


def test_an_evaluation_of_another_catalogue_is_none(make: Make, judged: Callable[..., None]) -> None:
    judged(HOUR, catalogue_version="own:2")
    assert make().due() == "first"


def test_nothing_of_now_or_later_counts_as_past(make: Make, judged: Callable[..., None], clock: ManualClock) -> None:
    judged(12 * HOUR)
    clock.advance(600)  # into the slot
    make(100.0, past=[200.0, 150.0, 120.0], ahead=[90.0], schedule=Recording()).due()

    now_s, last_s, now_g_per_kwh, trailing, forecast, idle = Recording.told
    assert (now_s - last_s, now_g_per_kwh, idle) == (12 * 3600 + 600, 100.0, True)
    slot_start_s = now_s - 600
    assert all(moment.at_s + 1800 <= slot_start_s for moment in trailing)
    assert [moment.g_per_kwh for moment in trailing] == [200.0, 150.0]
    assert [moment.g_per_kwh for moment in forecast] == [90.0]
    assert all(moment.at_s > now_s for moment in forecast)


def test_where_the_source_tells_no_past_the_ledger_does(
    make: Make, judged: Callable[..., None], engine: Engine, clock: ManualClock
) -> None:
    judged(12 * HOUR)
    start_utc = clock.now_utc() - 2 * SLOT
    for number, (g_per_kwh, changes) in enumerate(
        [
            (210.0, {"status": "estimated"}),
            (200.0, {"status": "actual"}),
            (1.0, {"status": "forecast"}),
            (2.0, {"kind": "marginal"}),
            (3.0, {"zone": "DE"}),
            (4.0, {"start_utc": start_utc - timedelta(days=8)}),
        ]
    ):
        row = reading(g_per_kwh, **{"start_utc": start_utc, "source": f"s{number}", **changes})
        log(engine, IntensityRow(**IntensityRecord.of(row).as_dict()))
    make(past=SourceDown("down"), schedule=Recording()).due()

    assert Recording.told[3] == [Moment(start_utc.timestamp(), 200.0)]


def test_waiting_asks_again_and_again(make: Make, judged: Callable[..., None], clock: ManualClock) -> None:
    judged(71 * HOUR)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    assert wait_until_due(make(500.0, past=[100.0]), sleep=sleep, every_s=600.0) == "forced"
    assert slept == [600.0] * 6


def test_how_busy_this_machine_is() -> None:
    busy = busy_share()
    assert busy is None or busy >= 0
