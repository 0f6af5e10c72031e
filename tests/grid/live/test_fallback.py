from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import (
    BadData,
    Grid,
    Intensity,
    NoData,
    Series,
    SourceDown,
    SourceError,
    SourceRefused,
    SourceSpecError,
    StaticSource,
    UKSource,
    YearlySource,
    ZoneError,
)
from grid.live.fallback import FallbackSource
from grid.testing import NOON, ManualClock, ScriptedSource, reading

HOUR = timedelta(hours=1)
A_DOWN = SourceDown("a: 429 too many requests")


def _chain(*answers: Any, **options: Any) -> FallbackSource:
    members = [ScriptedSource(answer, name=name) for name, answer in zip("abcdef", answers, strict=False)]
    return FallbackSource(members, **options)


def _series(*starts_h: int, source: str, kind: Any = "average") -> Series:
    return Series(reading(200, start_utc=NOON + h * HOUR, slot_s=3600, source=source, kind=kind) for h in starts_h)


def test_the_first_that_answers_is_given_as_it_is() -> None:
    chain = _chain(210.0, 220.0)
    assert chain.latest("GB", NOON) == reading(210, source="a")
    assert chain.sources[1].asked == 0  # type: ignore[attr-defined]


def test_the_next_one_says_who_did_not_answer_and_why() -> None:
    latest = _chain(A_DOWN, BadData("b: null"), 230.0).latest("GB", NOON)
    assert (latest.source, latest.g_per_kwh) == ("c", 230)
    assert latest.passed_over == ("a: 429 too many requests", "b: null")


def test_a_message_without_a_name_gets_one() -> None:
    assert _chain(SourceDown("no answer"), 220.0).latest("GB", NOON).passed_over == ("a: no answer",)


def test_a_chain_in_a_chain_tells_all() -> None:
    inner = FallbackSource([ScriptedSource(NoData("b: none"), name="b"), ScriptedSource(230.0, name="c")])
    chain = FallbackSource([ScriptedSource(A_DOWN, name="a"), inner])
    assert chain.name == "a > b > c"
    assert chain.latest("GB", NOON).passed_over == ("a: 429 too many requests", "b: none")


def test_a_later_source_s_reading_goes_before_one_that_ended_long_ago() -> None:
    old = reading(210, start_utc=NOON - 5 * HOUR, source="a")
    latest = _chain(old, 220.0).latest("GB", NOON)
    assert latest.source == "b"
    assert latest.passed_over == ("a: its newest reading ended 2026-03-02 07:30:00+00:00",)
    held = reading(210, start_utc=NOON - 3 * HOUR, source="a")
    assert _chain(held, 220.0).latest("GB", NOON) == held
    assert _chain(held, 220.0, late_s=3600).latest("GB", NOON).source == "b"


def test_where_all_are_late_the_newest_is_given() -> None:
    ages_h = {"a": 9, "b": 5, "c": 7}
    answers = [reading(200, start_utc=NOON - age * HOUR, source=name) for name, age in ages_h.items()]
    latest = _chain(*answers, A_DOWN).latest("GB", NOON)
    assert latest.source == "b"
    assert [said[0] for said in latest.passed_over] == ["a", "c", "d"]


@pytest.mark.parametrize(
    ("errors", "kind", "retry_after_s"),
    [
        (
            [SourceRefused("a: key"), SourceDown("b: 429", retry_after_s=60), SourceDown("c", retry_after_s=30)],
            SourceDown,
            30,
        ),
        ([SourceDown("a: 503"), SourceDown("b: 429", retry_after_s=60)], SourceDown, None),
        ([SourceRefused("a: key"), BadData("b: null"), NoData("c: none")], BadData, None),
        ([SourceRefused("a: key"), NoData("b: none")], NoData, None),
        ([SourceRefused("a: key"), SourceRefused("b: plan")], SourceRefused, None),
        ([SourceRefused("a: key"), SourceError("b: it cannot")], SourceError, None),
    ],
)
def test_when_all_fail_the_error_is_the_one_most_worth_a_retry_and_tells_all(
    errors: list[SourceError], kind: type[SourceError], retry_after_s: float | None
) -> None:
    with pytest.raises(SourceError) as raised:
        _chain(*errors).latest("GB", NOON)
    assert type(raised.value) is kind
    assert str(raised.value) == "; ".join(map(str, errors))
    assert getattr(raised.value, "retry_after_s", None) == retry_after_s


def test_what_several_say_alike_is_told_once() -> None:
    with pytest.raises(SourceDown, match=r"^a: down; b: down$"):
        _chain(SourceDown("a: down"), SourceDown("b: down"), SourceDown("a: down")).latest("GB", NOON)


def test_sources_that_do_not_add_up_are_refused_with_a_way_out() -> None:
    direct, lifecycle = ScriptedSource(1.0, name="uk"), StaticSource(250)
    with pytest.raises(SourceSpecError, match=r"uk gives average .* direct .* static average .* \?factors=direct"):
        FallbackSource([direct, lifecycle])
    with pytest.raises(SourceSpecError, match="marginal"):
        FallbackSource([direct, ScriptedSource(1.0, kind="marginal")])
    with pytest.raises(SourceSpecError) as told:
        FallbackSource([direct, YearlySource()])
    assert "?factors" not in str(told.value)  # neither takes it
    assert str(told.value).endswith("set grid_mix = true, or SPROUT_GRID_MIX=true, or in code mix=True")
    FallbackSource([direct, StaticSource(250, factors="direct")])
    with pytest.raises(SourceSpecError, match="none"):
        FallbackSource([])


def test_where_told_to_it_mixes_and_every_reading_says_what_it_is() -> None:
    chain = FallbackSource([ScriptedSource(A_DOWN, name="a"), StaticSource(250)], mix=True)
    latest = chain.latest("GB", NOON)
    assert (chain.factors, latest.factors) == ("direct", "lifecycle")


def test_a_member_that_gives_another_kind_than_it_says_is_passed_over() -> None:
    liar = reading(210, kind="marginal", source="a")
    latest = _chain(liar, 220.0).latest("GB", NOON)
    assert (latest.source, latest.kind) == ("b", "average")
    members = [
        ScriptedSource(1.0, name="a", forecasts=[_series(1, source="a", kind="marginal")]),
        ScriptedSource(1.0, name="b", forecasts=[_series(1, source="b")]),
    ]
    assert FallbackSource(members).forecast("GB", NOON, NOON + 4 * HOUR)[0].kind == "average"


def test_a_zone_must_be_covered_by_every_member() -> None:
    chain = FallbackSource([ScriptedSource(1.0), UKSource()])
    chain.check_zone("GB")
    with pytest.raises(ZoneError, match="zone: 'FR' is not covered by uk, one of 'scripted > uk'"):
        chain.check_zone("FR")
    with pytest.raises(ZoneError):
        chain.latest("FR", NOON)
    chain.close()


def test_it_can_what_a_member_can_and_asks_those_only() -> None:
    plain = ScriptedSource(1.0, name="a", slot_s=300)
    able = ScriptedSource(1.0, name="b", forecasts=[_series(0, 1, 2, source="b")], histories=[_series(-2, source="b")])
    chain = FallbackSource([plain, able])
    assert chain.can == {"latest", "forecast", "history"}
    assert chain.slot_s == 300
    forecast = chain.forecast("GB", NOON, NOON + 4 * HOUR)
    assert len(forecast) == 3
    assert {r.passed_over for r in forecast} == {("a: it has no forecast",)}
    assert chain.history("GB", NOON - 4 * HOUR, NOON)[0].source == "b"
    with pytest.raises(SourceError, match="a: it has no forecast"):
        FallbackSource([plain]).forecast("GB", NOON, NOON + HOUR)


def test_a_series_is_one_member_s() -> None:
    short = ScriptedSource(1.0, name="a", forecasts=[_series(0, 1, source="a")])
    long = ScriptedSource(1.0, name="b", forecasts=[_series(0, 1, 2, 3, source="b")])
    assert {r.source for r in FallbackSource([short, long]).forecast("GB", NOON, NOON + 4 * HOUR)} == {"a"}


class _Broken(ScriptedSource):
    """Somebody's own source, with bugs."""

    def __init__(self) -> None:
        super().__init__(1.0, name="mine")

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        raise KeyError("https://api/?token=abc")

    def close(self) -> None:
        raise RuntimeError("already gone")


@pytest.mark.parametrize("bug", [KeyError("token=abc"), ZoneError("no such district"), None])
def test_a_member_s_bug_is_no_answer_and_quotes_nothing(bug: Exception | None) -> None:
    class Mine(ScriptedSource):
        def latest(self, zone: str, now_utc: datetime) -> Intensity:
            if bug is None:
                return 250  # type: ignore[return-value]
            raise bug

    latest = FallbackSource([Mine(1.0, name="mine"), ScriptedSource(220.0, name="b")]).latest("GB", NOON)
    assert latest.source == "b"
    assert latest.passed_over[0].startswith("mine: ")
    assert "abc" not in latest.passed_over[0]


def test_closing_closes_all_even_where_one_fails() -> None:
    others = [ScriptedSource(1.0), ScriptedSource(2.0)]
    chain = FallbackSource([others[0], _Broken(), others[1]])
    with pytest.raises(RuntimeError, match="already gone"):
        chain.close()
    assert [other.closed for other in others] == [True, True]


def test_a_grid_asks_again_soon_while_a_source_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    first = ScriptedSource(A_DOWN, A_DOWN, 210.0, name="a", slot_s=3600)
    chain = FallbackSource([first, ScriptedSource(220.0, name="b", slot_s=3600)])
    grid = Grid(chain, "GB", now_utc=clock, forecast_s=0, uniform=lambda: 1.0)
    grid.refresh_if_due()
    assert grid.look().stale is False
    assert grid.look().reason == "b answered, not a: 429 too many requests"
    assert grid.next_due_s() == 180
    clock.advance(180)
    grid.refresh_if_due()
    assert grid.next_due_s() == 360
    clock.advance(360)
    grid.refresh_if_due()
    look = grid.look()
    assert (look.reason, look.intensity and look.intensity.source) == (None, "a")
    assert [record.getMessage() for record in caplog.records] == ["b answers for GB, not a: 429 too many requests"]


members = st.one_of(
    st.sampled_from([A_DOWN, NoData("none"), BadData("null"), SourceRefused("key"), KeyError("bug")]),
    st.builds(lambda g, hours: reading(g, start_utc=NOON - hours * HOUR), st.floats(0, 5000), st.integers(-2, 9)),
)


@given(st.lists(members, min_size=1, max_size=6))
def test_any_chain_gives_a_member_s_reading_or_a_source_error(answers: list[Any]) -> None:
    usable = [a for a in answers if isinstance(a, Intensity) and a.start_utc <= NOON]
    try:
        latest = _chain(*answers).latest("GB", NOON)
    except SourceError:
        assert not usable
    else:
        assert latest.g_per_kwh in {a.g_per_kwh for a in usable}
        on_time = [a for a in usable if NOON - a.end_utc <= 3 * HOUR]
        assert latest.g_per_kwh == (on_time or [max(usable, key=lambda a: a.end_utc)])[0].g_per_kwh
