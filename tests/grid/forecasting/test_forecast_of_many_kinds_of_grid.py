"""Seeded zones of many kinds: never much worse than the better of same hour yesterday and same hour last week."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from scipy.signal import lfilter

from grid import Series
from grid.forecasting import forecast_from
from grid.forecasting.hours import Floats, hourly
from grid.forecasting.levels import levelled
from grid.testing import NOON, reading

HOUR = timedelta(hours=1)
LEADS_H = (1, 6, 24, 48)
PAST_H, ZONES = 720, 24
T = np.arange(PAST_H + 48)
SUN = np.maximum(0.0, np.sin((T % 24 - 6) * np.pi / 12))
WAVE = np.sin(T * np.pi / 12)

Zone = Callable[[np.random.Generator], Floats]


def fading(random: np.random.Generator, keep: float, by: float) -> Floats:
    return np.asarray(lfilter([1], [1, -keep], random.normal(0, by, len(T) + 400))[400:])


def shifted(days: int, factor: float) -> Zone:
    lost = PAST_H - 24 * days
    return lambda r: np.where(lost > T, 1, factor) * (300 + 20 * WAVE + fading(r, 0.9, 5))


KINDS: dict[str, Zone] = {
    "nuclear": lambda r: 50 + 4 * WAVE + fading(r, 0.95, 2),
    "rounded hydro": lambda r: (25 + fading(r, 0.95, 0.15)).round(),
    "coal with weekends": lambda r: 650 + 80 * ((T + r.integers(168)) // 24 % 7 < 5) - 50 * SUN + fading(r, 0.97, 6),
    "coal with evenings": lambda r: 690 + 25 * np.exp(-((T % 24 - 19) ** 2) / 6) - 40 * SUN + fading(r, 0.95, 4),
    "solar 5 to 1": lambda r: 300 - 240 * SUN * np.clip(0.8 + fading(r, 0.95, 0.04), 0, 1) + fading(r, 0.97, 3),
    "noise": lambda r: r.normal(200, 20, len(T)),
    "hours at half": lambda r: np.where(r.random(len(T)) < 0.01, 120, 250 + 40 * WAVE + fading(r, 0.97, 5)),
    "plant lost yesterday": shifted(1, 1.5),
    "plant lost 3 days ago": shifted(3, 0.6),
    "plant lost 5 days ago": shifted(5, 2.5),
}


def series(figures: Floats) -> Series:
    first = NOON - len(figures) * HOUR
    return Series(reading(float(g), start_utc=first + n * HOUR, slot_s=3600) for n, g in enumerate(figures))


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_no_worse_than_the_simple_ones(kind: str) -> None:
    zones = [KINDS[kind](np.random.default_rng(seed)) for seed in range(ZONES)]
    at = np.array([PAST_H + lead - 1 for lead in LEADS_H])
    missed: dict[str, list[Floats]] = {"ours": [], "day": [], "week": []}
    for zone in zones:
        ahead = forecast_from(series(zone[:PAST_H]), start_utc=NOON, end_utc=NOON + 48 * HOUR, issued_utc=NOON)
        made = np.array([ahead[lead - 1].g_per_kwh for lead in LEADS_H])
        days = np.array([24 * -(-lead // 24) for lead in LEADS_H])
        for name, figures in (("ours", made), ("day", zone[at - days]), ("week", zone[at - 168])):
            missed[name].append(np.abs(figures - zone[at]) / zone[at])
    mape = {name: np.mean(errors, axis=0) for name, errors in missed.items()}
    ratios = mape["ours"] / np.minimum(mape["day"], mape["week"])
    # A day after a jump, the same hour of yesterday is the best there is.
    assert (ratios < (1.2 if kind == "plant lost yesterday" else 1.15)).all(), ratios
    assert np.exp(np.log(ratios).mean()) < 0.9, ratios


def test_a_lasting_jump_moves_what_lies_before_it_and_an_hour_does_not() -> None:
    steady = 300 + 20 * WAVE[:PAST_H] + fading(np.random.default_rng(1), 0.9, 5)[:PAST_H]
    jumped, dipped = steady.copy(), steady.copy()
    jumped[:-30] *= 0.5
    dipped[-100] = 1.0
    known = hourly(list(series(jumped)), PAST_H)
    assert levelled(known).g_per_kwh == pytest.approx(steady, rel=0.15)
    dip = hourly(list(series(dipped)), PAST_H)
    assert levelled(dip) is dip


def test_a_source_that_rounds_is_forecast_in_its_own_steps() -> None:
    past = KINDS["rounded hydro"](np.random.default_rng(3))[:PAST_H]
    ahead = forecast_from(series(past), start_utc=NOON, end_utc=NOON + 24 * HOUR, issued_utc=NOON)
    assert all(r.g_per_kwh == round(r.g_per_kwh) for r in ahead)
