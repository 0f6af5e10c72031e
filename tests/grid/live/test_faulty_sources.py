"""Anybody's own source: what it misstates is told at once, and what it does later costs its own answers alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from grid import Grid, Intensity, SourceDown, SourceSpecError
from grid.live.fallback import FallbackSource
from grid.testing import NOON, ManualClock, ScriptedSource, reading


class _Source(ScriptedSource):
    """As scripted, with what is given in place of its own."""

    def __init__(self, **instead: Any) -> None:
        self.instead = instead
        super().__init__(250.0, histories=[SourceDown("down")])

    @property
    def can(self) -> Any:
        return self.instead.get("can", super().can)

    def check_zone(self, zone: str) -> None:
        self.instead.get("check_zone", super().check_zone)(zone)

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        self.asked += 1
        self.instead.get("latest", lambda: None)()
        return reading(250, start_utc=now_utc)

    def close(self) -> None:
        self.instead.get("close", lambda: None)()


def _raising(exc: BaseException) -> Callable[..., Any]:
    def call(*_: Any) -> Any:
        raise exc

    return call


MISSTATED = [
    ("slot_s", math.nan),
    ("slot_s", math.inf),
    ("slot_s", 0),
    ("slot_s", "1800"),
    ("slot_s", None),
    ("kind", "averaged"),
    ("factors", None),
    ("name", ""),
    ("name", None),
    ("can", None),
    ("can", frozenset({"latest", "everything"})),
]


@pytest.mark.parametrize(("attribute", "said"), MISSTATED)
@pytest.mark.parametrize("in_a_chain", [False, True])
def test_what_it_misstates_is_told_at_once(attribute: str, said: Any, in_a_chain: bool) -> None:
    source = _Source(can=said) if attribute == "can" else _Source()
    if attribute != "can":
        setattr(source, attribute, said)
    with pytest.raises(SourceSpecError, match=attribute):
        _in_chain(source) if in_a_chain else _alone(source)


@pytest.mark.parametrize("exc", [KeyError("key=SECRET"), SystemExit(3)])
def test_a_fault_in_its_zones_is_told_with_its_place_and_no_words_of_it(exc: BaseException) -> None:
    for make in (_alone, _in_chain):
        with pytest.raises(SourceSpecError, match=f"scripted: {type(exc).__name__} in test_faulty_sources.py") as told:
            make(_Source(check_zone=_raising(exc)))
        assert "SECRET" not in str(told.value)


def _alone(source: ScriptedSource) -> Grid:
    return Grid(source, "GB", now_utc=ManualClock())


def _in_chain(source: ScriptedSource) -> Grid:
    return Grid(FallbackSource([ScriptedSource(1.0), source]), "GB", now_utc=ManualClock())


class _Unsaid(SourceDown):
    """Does not call what it inherits."""

    def __init__(self) -> None:
        Exception.__init__(self, "scripted: down")


@pytest.mark.parametrize(
    "exc",
    [
        SystemExit(1),
        RecursionError(),
        _Unsaid(),
        *(SourceDown("down", retry_after_s=said) for said in ("5", math.nan, math.inf, -3, [])),  # type: ignore[arg-type]
    ],
    ids=repr,
)
def test_whatever_it_raises_it_is_left_alone_for_longer_and_longer(exc: BaseException) -> None:
    clock = ManualClock()
    source = _Source(latest=_raising(exc))
    grid = Grid(source, "GB", now_utc=clock, forecast_s=0, uniform=lambda: 1.0)
    for _ in range(60):
        grid.refresh_if_due()
        clock.advance(1)
    assert source.asked == 3  # after 0, 10 and 30 s
    assert grid.look().intensity is None


def test_what_it_says_of_itself_later_costs_its_own_answers_alone() -> None:
    clock = ManualClock()
    source = _Source()
    grid = Grid(source, "GB", now_utc=clock, uniform=lambda: 1.0)
    source.slot_s = "1800"  # type: ignore[assignment]
    source.instead["can"] = None
    for _ in range(60):
        grid.refresh_if_due()
        clock.advance(1)
    assert source.asked == 3
    assert grid.outlook().series is None


def test_a_wait_that_is_one_is_kept() -> None:
    assert SourceDown("down", retry_after_s=5).retry_after_s == 5
    assert SourceDown("down").retry_after_s is None


@pytest.mark.parametrize("exc", [RuntimeError("key=SECRET"), SystemExit(1)])
def test_a_fault_in_closing_it_is_told_in_the_log(exc: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    Grid(_Source(close=_raising(exc)), "GB", now_utc=ManualClock(NOON)).close()
    assert f"scripted: {type(exc).__name__} in test_faulty_sources.py" in caplog.text
    assert "SECRET" not in caplog.text
