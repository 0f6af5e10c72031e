"""What lies ahead of a history of figures, with an 80 % prediction interval: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grid.forecasting.hours import Floats, History
from grid.forecasting.levels import levelled
from grid.forecasting.mixture import mixed
from grid.forecasting.scale import Scale
from grid.intensity import MAX_G_PER_KWH

__all__ = ["Outlook", "outlook"]

# A history that stays below this is 0 throughout: there is no relative error to speak of.
_NOTHING_G_PER_KWH = 1e-6

# A relative error is least below the median: for a log-normal figure of log variance v, at exp(-v) times the median
# (the median under weights 1/y). We go three quarters of the way, and never by more than 0.15 in the logarithm, or a
# far hour would look cleaner than a near one only because less is known of it.
_LEAN, _MOST_LEAN = 0.75, 0.15

_Z80 = 1.2815515655446004  # half of the interval over one deviation, were the logarithm normal

# Slots shorter than an hour are forecast one by one for as long as the newest slot tells more than the newest hour.
_FINE_H = 2.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """Forecasts and their intervals in g/kWh, `low` ≤ `value` ≤ `high`."""

    value: Floats
    low: Floats
    high: Floats

    def rounded(self, decimals: int) -> Outlook:
        """As a source that rounds would tell it: a grid that hardly moves is then often met exactly."""
        return Outlook(self.value.round(decimals), self.low.round(decimals), self.high.round(decimals))


def outlook(history: History, middles_h: Floats, slot_h: float) -> Outlook:
    """Forecast slots.

    Forecasts are made for hours, and for the slots themselves at first where these are shorter; what lies between is on
    straight lines, in the logarithm. A slot that is known already is answered by its own figure.

    Args:
        history: at least one hour.
        middles_h: middles of the slots in h after the history's end, ascending.
        slot_h: their length.
    """
    if history.g_per_kwh.max() < _NOTHING_G_PER_KWH:
        nothing = np.zeros(len(middles_h))
        return Outlook(nothing, nothing, nothing)
    history = levelled(history)
    scale = Scale.of(history.middle_h, history.g_per_kwh)
    times, values = history.middle_h, scale.into(history.middle_h, history.g_per_kwh)
    noise = np.zeros(len(times))
    within_hour = _variance_within_hour(history, scale)
    nodes = np.arange(0.5, max(middles_h[-1], 0.0) + 1)
    if slot_h < 1:
        nodes = np.union1d(np.arange(slot_h / 2, _FINE_H, slot_h), nodes)
    if history.slot_h < 1:
        times = np.append(times, history.short_middle_h[-1])
        values = np.append(values, scale.into(times[-1:], history.short_g_per_kwh[-1:]))
        noise = np.append(noise, within_hour)
    tick_h = min(slot_h, history.slot_h, 1.0) / 2
    wanted = np.rint(nodes / tick_h).astype(np.int64)
    ticks = np.rint(times / tick_h).astype(np.int64)
    mean, deviation, width = mixed(ticks, values, noise, wanted=wanted, tick_h=tick_h)
    half = width * np.sqrt(deviation**2 + (within_hour if slot_h < 1 else 0.0))
    nodes, mean, half = (np.append(*pair) for pair in ((times[-1], nodes), (values[-1], mean), (0.0, half)))
    ahead = _in_g_per_kwh(scale, middles_h, np.interp(middles_h, nodes, mean), np.interp(middles_h, nodes, half))
    return ahead if history.decimals is None else ahead.rounded(history.decimals)


def _variance_within_hour(history: History, scale: Scale) -> float:
    """Of slots shorter than an hour, around the line through the hours; 0 where there are none."""
    if not len(history.short_middle_h):
        return 0.0
    line = np.interp(history.short_middle_h, history.middle_h, history.g_per_kwh)
    off = scale.into(history.short_middle_h, history.short_g_per_kwh) - scale.into(history.short_middle_h, line)
    return float((off**2).mean())


def _in_g_per_kwh(scale: Scale, middles_h: Floats, mean: Floats, half: Floats) -> Outlook:
    spread = scale.at(middles_h)
    lean = np.minimum(_LEAN * (spread * half / _Z80) ** 2, _MOST_LEAN) / spread
    low, value, high = (
        np.minimum(scale.back(middles_h, figure), MAX_G_PER_KWH) for figure in (mean - half, mean - lean, mean + half)
    )
    return Outlook(value, np.minimum(low, value), high)
