from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import BadData, Grid, Intensity, Series, SourceDown, SourceRefused, TraceSource, UKSource, ZoneError
from grid.testing import NOON, Answer, LoopbackUK, ManualClock, ScriptedSource, reading

DOWN = SourceDown("scripted: no answer")


def _grid(*answers: Any, clock: ManualClock | None = None, draw: float = 1.0, **options: Any) -> Grid:
    source = ScriptedSource(*answers)
    return Grid(source, "GB", now_utc=clock or ManualClock(), forecast_s=0, uniform=lambda: draw, **options)


def test_a_zone_that_is_not_covered_is_told_at_construction() -> None:
    with pytest.raises(ZoneError, match="Did you mean 'GB'"):
        Grid(ScriptedSource(1.0), "GBB", now_utc=ManualClock())


def test_before_anyone_asked_nothing_is_known() -> None:
    look = _grid(250.0).look()
    assert (look.intensity, look.stale, look.reason) == (None, False, "no reading yet: the source has not been asked")


def test_looking_never_asks() -> None:
    grid = _grid(250.0)
    grid.look()
    assert grid.source.asked == 0  # type: ignore[attr-defined]


def test_a_reading_is_fresh_then_stale_then_gone() -> None:
    clock = ManualClock()
    grid = _grid(reading(250), DOWN, clock=clock)
    grid.refresh()
    clock.advance(1799)
    assert grid.look().intensity == reading(250)
    assert (grid.look().stale, grid.look().reason) == (False, None)

    clock.advance(1)
    grid.refresh()
    assert grid.look().intensity == reading(250)
    assert (grid.look().stale, grid.look().reason) == (True, "the reading ended 0 s ago: scripted: no answer")

    clock.advance(3 * 3600)
    assert grid.look().intensity == reading(250)
    assert grid.look().reason == "the reading ended 3 h 0 min ago: scripted: no answer"

    clock.advance(5 * 60)
    look = grid.look()
    assert (look.intensity, look.stale) == (None, False)
    assert look.reason == "no reading for 3 h 5 min: scripted: no answer"


def test_a_reading_that_nobody_refreshed_says_so() -> None:
    clock = ManualClock()
    grid = _grid(reading(250), clock=clock)
    grid.refresh()
    clock.advance(1800 + 720)
    assert grid.look().reason == "the reading ended 12 min ago: not refreshed since"


def test_of_a_source_that_has_nothing_newer_that_is_what_is_said() -> None:
    clock = ManualClock(NOON + timedelta(hours=2))
    grid = _grid(reading(250), clock=clock)
    grid.refresh()
    assert grid.look().reason == "the reading ended 1 h 30 min ago: the newest that scripted has"
    clock.advance(3 * 3600)
    assert grid.look().reason == "no reading for 4 h 30 min: the newest that scripted has"


def test_with_no_hold_a_reading_ends_with_its_span() -> None:
    clock = ManualClock()
    grid = _grid(reading(250), clock=clock, hold_s=0)
    grid.refresh()
    clock.advance(1801)
    assert grid.look().intensity is None


def test_a_clock_set_back_makes_the_reading_one_from_the_future() -> None:
    clock = ManualClock()
    grid = _grid(reading(250), clock=clock)
    grid.refresh()
    clock.advance(-60)
    assert grid.look().intensity is None
    assert "check this machine's clock" in str(grid.look().reason)
    assert grid.next_due_s() == 0


@pytest.mark.parametrize(
    "answer",
    [reading(90, zone="FR"), reading(90, start_utc=NOON + timedelta(hours=1)), BadData("scripted: null"), DOWN],
    ids=["another zone", "from the future", "bad data", "down"],
)
def test_what_is_kept_survives_an_answer_that_cannot_be_used(answer: Any) -> None:
    grid = _grid(reading(250), answer)
    grid.refresh()
    grid.refresh()
    assert grid.look().intensity == reading(250)
    assert str(grid.latest_problem).startswith("scripted: ")


def test_with_nothing_kept_the_reason_is_the_problem() -> None:
    grid = _grid(DOWN)
    grid.refresh()
    assert grid.look().reason == "no reading yet: scripted: no answer"


def test_one_warning_per_outage_and_a_word_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "grid")
    grid = _grid(250.0, DOWN, DOWN, DOWN, 250.0, 250.0, DOWN, DOWN)
    for _ in range(8):
        grid.refresh()
    told = [(record.name, record.levelname) for record in caplog.records]
    assert told == [("grid", "WARNING"), ("grid", "INFO"), ("grid", "WARNING")]
    assert "scripted: no answer" in caplog.messages[0]
    assert "after 3 failures" in caplog.messages[1]


def test_a_problem_is_forgotten_when_the_source_answers_again() -> None:
    grid = _grid(DOWN, 250.0)
    grid.refresh()
    assert grid.latest_problem == "scripted: no answer"
    grid.refresh()
    assert grid.latest_problem is None


def test_priming_raises_a_refusal_only(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SourceRefused, match="bad key"):
        _grid(SourceRefused("scripted: bad key")).prime()
    assert not caplog.records

    grid = _grid(DOWN)
    grid.prime()
    assert grid.look().intensity is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]

    grid = _grid(250.0)
    grid.prime()
    assert grid.look().intensity is not None


class _Buggy(ScriptedSource):
    """Somebody's own source, with a bug."""

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        self.asked += 1
        if self.asked < 3:
            raise KeyError("https://api/?token=abc")
        return super().latest(zone, now_utc)


def test_a_bug_in_a_source_is_a_failure_that_quotes_nothing_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    grid = Grid(_Buggy(250.0), "GB", now_utc=ManualClock(), forecast_s=0)
    grid.prime()
    grid.refresh_if_due()
    grid.refresh()
    assert str(grid.latest_problem).startswith("scripted: KeyError in test_grid_latest.py, line ")
    assert len(caplog.records) == 1
    assert "abc" not in caplog.text + str(grid.look().reason)
    grid.refresh()
    assert grid.look().intensity is not None


@pytest.mark.parametrize("answer", [None, "250"])
def test_an_answer_that_is_no_reading_is_a_failure(answer: Any) -> None:
    class Odd(ScriptedSource):
        def latest(self, zone: str, now_utc: datetime) -> Intensity:
            return answer  # type: ignore[no-any-return]

    grid = Grid(Odd(1.0), "GB", now_utc=ManualClock(), forecast_s=0)
    grid.refresh()
    assert "not an Intensity" in str(grid.latest_problem)


def test_a_zone_that_only_the_provider_can_refuse_is_told_like_a_wrong_key() -> None:
    with pytest.raises(SourceRefused, match="no such district"):
        _grid(ZoneError("zone: no such district")).prime()


def test_a_refusal_later_on_is_a_failure_like_others_and_waits_longest() -> None:
    grid = _grid(250.0, SourceRefused("scripted: key revoked"))
    grid.prime()
    grid.refresh()
    assert grid.look().intensity is not None
    assert grid.next_due_s() == 900


def test_a_question_that_closing_cut_short_is_no_outage(caplog: pytest.LogCaptureFixture) -> None:
    class Cut(ScriptedSource):
        def latest(self, zone: str, now_utc: datetime) -> Intensity:
            grid.close()
            raise DOWN

    grid = Grid(Cut(1.0), "GB", now_utc=ManualClock(), forecast_s=0)
    grid.refresh()
    assert grid.latest_problem is None
    assert caplog.records == []


def test_closing_closes_the_source_and_stops_the_asking_but_not_the_looking() -> None:
    grid = _grid(250.0)
    grid.refresh()
    grid.close()
    grid.close()
    grid.refresh()
    assert (grid.source.closed, grid.source.asked) == (True, 1)  # type: ignore[attr-defined]
    assert grid.look().intensity is not None


class _Gate(ScriptedSource):
    """Stops in `latest` until it is opened."""

    def __init__(self, *answers: float) -> None:
        super().__init__(*answers)
        self.entered, self.open = threading.Event(), threading.Event()

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        self.entered.set()
        self.open.wait(10)  # rather than for ever, where a test fails
        return super().latest(zone, now_utc)


def test_a_slow_source_holds_up_neither_looks_nor_other_refreshers() -> None:
    source = _Gate(250.0)
    grid = Grid(source, "GB", now_utc=ManualClock())
    refresher = threading.Thread(target=grid.refresh)
    refresher.start()
    source.entered.wait()
    assert grid.look().intensity is None
    grid.refresh_if_due()
    assert refresher.is_alive()
    source.open.set()
    refresher.join()
    assert grid.look().intensity is not None
    assert source.asked == 1


def test_sixteen_look_while_one_refreshes() -> None:
    grid = _grid(*[answer for n in range(50) for answer in (float(n), DOWN)])
    grid.refresh()

    def look_on() -> list[float]:
        seen = [0.0]
        while seen[-1] < 49:
            look = grid.look()
            assert look.intensity is not None
            assert (look.stale, look.reason) == (False, None)
            seen.append(look.intensity.g_per_kwh)
        return seen

    with ThreadPoolExecutor(16) as pool:
        lookers = [pool.submit(look_on) for _ in range(16)]
        for _ in range(99):
            grid.refresh()
        for looker in lookers:
            assert looker.result() == sorted(looker.result())


def test_many_who_find_it_due_ask_once() -> None:
    source = _Gate(250.0)
    grid = Grid(source, "GB", now_utc=ManualClock())
    with ThreadPoolExecutor(16) as pool:
        asking = [pool.submit(grid.refresh_if_due) for _ in range(16)]
        source.open.set()
    assert [done.result() for done in asking] == [None] * 16
    assert source.asked == 1


answers = st.lists(
    st.one_of(
        st.just(DOWN),
        st.just(SourceRefused("scripted: refused")),
        st.builds(
            lambda g, slot: reading(g, start_utc=NOON + slot * timedelta(minutes=30)),
            st.floats(0, 5000),
            st.integers(-20, 20),
        ),
    ),
    min_size=1,
    max_size=12,
)


@given(answers, st.lists(st.integers(-7200, 7200), min_size=1, max_size=30), st.sampled_from([0, 1800, 3 * 3600]))
def test_no_look_gives_what_is_too_old_or_to_come_or_was_never_said(
    answers: list[Any], moves_s: list[int], hold_s: float
) -> None:
    clock = ManualClock()
    grid = _grid(*answers, clock=clock, hold_s=hold_s)
    for move_s in moves_s:
        grid.refresh_if_due()
        clock.advance(move_s)
        look, now_utc = grid.look(), clock()
        if look.intensity is None:
            assert look.reason
            assert not look.stale
            continue
        assert look.intensity in answers
        assert look.intensity.start_utc <= now_utc <= look.intensity.end_utc + timedelta(seconds=hold_s)
        assert look.stale == (now_utc >= look.intensity.end_utc) == (look.reason is not None)
        assert 0 <= grid.next_due_s() < float("inf")


@pytest.mark.parametrize(
    "fault",
    [
        Answer(status=500),
        Answer("<html>"),
        Answer('{"data": null}'),
        Answer(status=401),
        Answer(status=429, headers={"Retry-After": "60"}),
        Answer(delivery="truncated"),
        Answer(delivery="silent"),
    ],
    ids=["500", "html", "null", "401", "429", "truncated", "silent"],
)
def test_the_uk_source_may_fail_in_any_way_and_come_back(fault: Answer) -> None:
    clock = ManualClock()
    with LoopbackUK(now_utc=clock) as server:
        source = UKSource(base_url=server.url, now_utc=clock, timeout_s=0.2)
        grid = Grid(source, "GB", now_utc=clock, forecast_s=0)
        server.answer = fault
        grid.refresh()
        assert grid.look().intensity is None
        assert str(grid.latest_problem) in str(grid.look().reason)
        server.answer = None
        clock.advance(grid.next_due_s())
        grid.refresh_if_due()
        assert grid.look().intensity is not None
        grid.close()


def test_a_trace_may_be_played_by_a_simulated_clock() -> None:
    clock = ManualClock()
    slots = [reading(100 + n, start_utc=NOON + n * timedelta(minutes=30)) for n in range(10)]
    grid = Grid(TraceSource(Series(slots)), "GB", now_utc=clock, uniform=lambda: 0)
    for slot in slots:
        grid.refresh_if_due()
        assert grid.look().intensity == slot
        assert not grid.look().stale
        clock.advance(1800)
