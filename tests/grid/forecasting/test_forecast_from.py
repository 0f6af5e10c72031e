from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid import Intensity, NoData, Series
from grid.forecasting import forecast_from
from grid.intensity import MAX_G_PER_KWH
from grid.testing import NOON, reading

HOUR = timedelta(hours=1)
DAY = 24 * HOUR


def history(figures: Sequence[float | None], *, slot_h: float = 1.0, end_utc: datetime = NOON) -> Series:
    """Slots up to `end_utc`; None is a gap."""
    first = end_utc - len(figures) * slot_h * HOUR
    return Series(
        reading(figure, start_utc=first + n * slot_h * HOUR, slot_s=slot_h * 3600)
        for n, figure in enumerate(figures)
        if figure is not None
    )


def ahead(past: Series, hours: float = 96, issued_utc: datetime = NOON) -> Series:
    return forecast_from(past, start_utc=issued_utc, end_utc=issued_utc + hours * HOUR, issued_utc=issued_utc)


def values(series: Series) -> list[float]:
    return [r.g_per_kwh for r in series]


def solar(hours: int, slot_h: float = 1.0, low: float = 20.0) -> list[float]:
    """A day that falls from 300 g/kWh at night to `low` at noon, with a slow tide of 9 days."""
    times = [n * slot_h for n in range(round(hours / slot_h))]
    sun = [max(0.0, math.sin(2 * math.pi * (t - 6) / 24)) for t in times]
    return [low + (300 - low) * (1 - s) * (1 + 0.1 * math.sin(t / 34)) for t, s in zip(times, sun, strict=True)]


def sound(forecast: Series) -> bool:
    return all(
        r.low_g_per_kwh is not None
        and r.high_g_per_kwh is not None
        and 0 <= r.low_g_per_kwh <= r.g_per_kwh <= r.high_g_per_kwh <= MAX_G_PER_KWH
        for r in forecast
    )


figures = st.one_of(st.just(0.0), st.floats(0, MAX_G_PER_KWH), st.floats(20, 25), st.none())
pasts = st.lists(figures, min_size=100, max_size=200).filter(lambda past: sum(f is not None for f in past[-100:]) > 60)


@settings(max_examples=25, deadline=None)
@given(pasts, st.sampled_from([1.0, 0.5]), st.floats(0, 40))
def test_whatever_the_history_the_forecast_is_whole_and_sound(
    past: list[float | None], slot_h: float, late_h: float
) -> None:
    known = history(past * (1 if slot_h == 1 else 2), slot_h=slot_h)
    issued = NOON + late_h * HOUR
    forecast = ahead(known, issued_utc=issued)
    assert sound(forecast)
    assert forecast[0].start_utc <= issued < forecast[0].end_utc
    assert forecast[-1].start_utc < issued + 96 * HOUR <= forecast[-1].end_utc
    assert all(a.end_utc == b.start_utc for a, b in zip(forecast, list(forecast)[1:], strict=False))


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(0, MAX_G_PER_KWH), min_size=1, max_size=200), st.sampled_from(["actual", "estimated"]))
def test_nothing_from_the_moment_of_issue_on_is_looked_at(later: list[float], status: str) -> None:
    past = list(history(solar(240)))
    future = [
        reading(figure, start_utc=NOON + n * HOUR, slot_s=3600, status=status)  # type: ignore[arg-type]
        for n, figure in enumerate(later)
    ]
    assert ahead(Series(past + future)) == ahead(Series(past))


def test_a_running_slot_counts_once_it_has_been_told() -> None:
    past = list(history(solar(240)))
    told = reading(900, start_utc=NOON, slot_s=3600)  # fetched as it began
    untold = replace(told, fetched_at_utc=NOON + HOUR)
    at = NOON + HOUR / 2
    assert ahead(Series([*past, untold]), issued_utc=at) == ahead(Series(past), issued_utc=at)
    assert ahead(Series([*past, told]), issued_utc=at)[0].g_per_kwh == pytest.approx(900)


def test_forecasts_and_static_figures_are_no_history() -> None:
    past = list(history(solar(240)))
    mixed = [
        *past[:100],
        *(replace(r, g_per_kwh=4000, status="forecast") for r in past[100:110]),
        *(replace(r, g_per_kwh=4000, status="static") for r in past[110:120]),
        *past[120:],
    ]
    assert ahead(Series(mixed)) == ahead(Series([*past[:100], *past[120:]]))


@pytest.mark.parametrize("factor", [0.001, 0.3, 3.0])
def test_it_scales_with_its_history(factor: float) -> None:
    past = solar(300)
    once, scaled = ahead(history(past)), ahead(history([factor * figure for figure in past]))
    assert values(scaled) == pytest.approx([factor * value for value in values(once)], rel=1e-6)
    assert [r.high_g_per_kwh for r in scaled] == pytest.approx([factor * (r.high_g_per_kwh or 0) for r in once])


@pytest.mark.parametrize("shift", [7 * DAY, 26 * 7 * DAY, 35 * HOUR])
def test_it_moves_with_its_history(shift: timedelta) -> None:
    past = solar(300)
    moved = ahead(history(past, end_utc=NOON + shift), issued_utc=NOON + shift)
    assert values(moved) == pytest.approx(values(ahead(history(past))))
    assert [r.start_utc - shift for r in moved] == [r.start_utc for r in ahead(history(past))]


def test_what_it_says_of_itself() -> None:
    past = Series(
        replace(r, zone="DE", kind="marginal", factors="lifecycle", source="here") for r in history(solar(72))
    )
    for r in ahead(past):
        assert (r.zone, r.kind, r.factors, r.status) == ("DE", "marginal", "lifecycle", "forecast")
        assert r.source == "here (forecast by sprout-like)"
        assert r.fetched_at_utc == NOON


def test_the_slots_that_touch_the_span_and_end_after_the_issue() -> None:
    past = history(solar(240), end_utc=NOON)

    def spans(start: timedelta, end: timedelta, issued: timedelta = timedelta()) -> list[timedelta]:
        forecast = forecast_from(past, start_utc=NOON + start, end_utc=NOON + end, issued_utc=NOON + issued)
        return [r.start_utc - NOON for r in forecast]

    assert spans(HOUR, 3 * HOUR) == [HOUR, 2 * HOUR]
    assert spans(1.5 * HOUR, 2.5 * HOUR) == [HOUR, 2 * HOUR]
    assert spans(-DAY, HOUR) == [timedelta()]
    assert spans(timedelta(), 2 * HOUR, issued=HOUR / 2) == [timedelta(), HOUR]
    assert len(spans(timedelta(), 20 * DAY)) == 7 * 24


@pytest.mark.parametrize(
    ("past", "start", "wanted"),
    [
        (Series([]), timedelta(), "no reading"),
        (history([100.0] * 47), timedelta(), "needs 48 known hours .* there are 47"),
        (history([100.0] * 200, end_utc=NOON - 73 * HOUR), timedelta(), "newest reading .* more than 72 h"),
        (history([100.0] * 200, end_utc=NOON - 40 * DAY), timedelta(), "30 days"),
        (history([100.0] * 200), -4 * DAY, "lies between"),
        (history([100.0] * 200), 8 * DAY, "lies between"),
    ],
)
def test_without_enough_to_go_by_there_is_none(past: Series, start: timedelta, wanted: str) -> None:
    with pytest.raises(NoData, match=wanted):
        forecast_from(past, start_utc=NOON + start, end_utc=NOON + start + DAY, issued_utc=NOON)


def test_two_days_are_enough() -> None:
    assert len(ahead(history([100.0] * 48))) == 96


@pytest.mark.parametrize("figure", [0.0, 1e-9, 24.0, MAX_G_PER_KWH])
def test_a_constant_stays(figure: float) -> None:
    forecast = ahead(history([figure] * 720))
    assert values(forecast) == pytest.approx([figure] * 96, abs=1e-6)
    assert max((r.high_g_per_kwh or 0) - (r.low_g_per_kwh or 0) for r in forecast) <= 0.001 * figure + 1e-9


def test_a_hydro_zone_that_hardly_moves_is_kept_within_its_narrow_band() -> None:
    past = [24 + 0.5 * math.sin(n / 5) + 0.2 * math.sin(n * n) for n in range(720)]
    assert all(23 < value < 25 for value in values(ahead(history(past))))


def test_a_level_shift_is_followed() -> None:
    forecast = ahead(history([400.0] * 600 + [100.0] * 120), 24)
    assert max(values(forecast)) < 150


def test_one_spike_two_weeks_ago_does_not_come_back() -> None:
    past = [100 + 10 * math.sin(n * math.pi / 12) for n in range(720)]
    past[720 - 14 * 24] = 3000.0
    truth = [100 + 10 * math.sin(n * math.pi / 12) for n in range(720, 816)]
    assert values(ahead(history(past))) == pytest.approx(truth, rel=0.2)


@pytest.mark.parametrize("low", [0.0, 20.0])
@pytest.mark.parametrize("days", [3, 30])
def test_the_shape_of_the_day_is_learnt(days: int, low: float) -> None:
    whole = solar((days + 2) * 24, low=low)
    past, truth = whole[: days * 24], whole[days * 24 :]
    forecast = values(ahead(history(past), 48))
    error = sum(abs(f - t) for f, t in zip(forecast, truth, strict=True)) / sum(truth)
    assert error < 0.15


def test_the_interval_widens_with_the_lead() -> None:
    # Two tides whose periods do not meet within the history, so that a far day is less certain.
    past = [200 + 80 * math.sin(n / 7.3) + 60 * math.sin(n / 31.7) for n in range(720)]
    widths = [(r.high_g_per_kwh or 0) - (r.low_g_per_kwh or 0) for r in ahead(history(past))]
    assert widths[0] < widths[5] < widths[23]


def drop(past: list[float], gap: Callable[[int], bool]) -> list[float | None]:
    return [None if gap(n) else figure for n, figure in enumerate(past)]


@pytest.mark.parametrize(
    "gap",
    [lambda n: n % 7 == 0, lambda n: 300 <= n < 420, lambda n: n % 24 in (2, 3, 4), lambda n: n >= 700],
    ids=["scattered", "five days", "same hours", "newest"],
)
def test_gaps_change_little(gap: Callable[[int], bool]) -> None:
    past = solar(720)
    whole, gapped = ahead(history(past), 24), ahead(history(drop(past, gap)), 24)
    assert [r.start_utc for r in gapped] == [r.start_utc for r in whole]
    assert values(gapped) == pytest.approx(values(whole), rel=0.35)


@pytest.mark.parametrize("slot_h", [1 / 12, 0.25, 0.5, 2.0])
def test_other_slots_are_forecast_in_their_own_length_to_the_same_effect(slot_h: float) -> None:
    forecast = ahead(history(solar(480, slot_h), slot_h=slot_h), 48)
    assert {r.end_utc - r.start_utc for r in forecast} == {slot_h * HOUR}
    assert len(forecast) == round(48 / slot_h)
    truth = solar(528, slot_h)[-len(forecast) :]
    error = sum(abs(f - t) for f, t in zip(values(forecast), truth, strict=True)) / sum(truth)
    assert error < 0.15


def test_the_newest_of_short_slots_counts() -> None:
    past = [200.0 + 20 * math.sin(n / 40) for n in range(480 * 12)]
    rising = [*past[:-3], 240.0, 270.0, 300.0]
    first = ahead(history(rising, slot_h=1 / 12), 1)[0].g_per_kwh
    assert first > 255


def test_mixed_slots_are_read_as_what_they_are() -> None:
    hours = solar(480)
    half = [hours[n // 2] for n in range(960)]
    by_half_hour = list(history(half, slot_h=0.5))
    mixed: list[Intensity] = [*list(history(hours))[:200], *by_half_hour[400:]]
    forecast = ahead(Series(mixed), 24)
    assert {r.end_utc - r.start_utc for r in forecast} == {HOUR / 2}
    assert values(forecast) == pytest.approx(values(ahead(Series(by_half_hour), 24)), rel=0.02)
