"""Bring a history to the level that it has now.

A plant that trips, or a line that closes, moves a grid for weeks, and within a day or two no forecast can tell that
from the weather by its errors alone. What tells it is the size: a jump from one day to the next that is far outside
what the month's other days do. What lies before such a jump keeps its shape and gets the new level. An outage that has
ended makes two jumps, and is brought to the level on both sides of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from grid.forecasting.hours import Floats, History
from grid.forecasting.scale import OFFSET

__all__ = ["levelled"]

_DAY_H = 24

# A jump is this many times the change that nine days of ten stay below. Fewer than one history in 20 of each trace has
# one; most shifts of 40 % or more in a zone that moves by 10 % from day to day are.
_JUMP = 3.0

# In the logarithm: less is no jump, however steady the zone.
_LEAST_JUMP = 0.02

_LEAST_AFTER_H = 12
_LEAST_OTHERS_H = 72
_MOST_JUMPS = 3


def levelled(history: History) -> History:
    """The history with what lies before each jump moved to the level after it; as it was where there is none."""
    offset = OFFSET * float(history.g_per_kwh.mean())
    hours = np.arange(history.middle_h[0], 0.0)
    logs = np.interp(hours, history.middle_h, np.log(history.g_per_kwh + offset))
    moved = np.zeros(len(hours))
    for _ in range(_MOST_JUMPS):
        jump = _jump(logs + moved)
        if jump is None:
            break
        before, size = jump
        moved[:before] += size
    if not moved.any():
        return history

    def move(middle_h: Floats, g_per_kwh: Floats) -> Floats:
        factor = np.exp(moved[np.clip(np.floor(middle_h - hours[0] + 0.5).astype(np.int64), 0, len(hours) - 1)])
        levels: Floats = np.maximum((g_per_kwh + offset) * factor - offset, 0.0)
        return levels

    return replace(
        history,
        g_per_kwh=move(history.middle_h, history.g_per_kwh),
        short_g_per_kwh=move(history.short_middle_h, history.short_g_per_kwh),
    )


def _jump(logs: Floats) -> tuple[int, float] | None:
    """How many hours lie before the largest jump, and its size; None where it is not out of the ordinary."""
    over_a_day = logs[_DAY_H:] - logs[:-_DAY_H]
    if len(over_a_day) < _DAY_H + _LEAST_OTHERS_H:
        return None
    # The newest hours count twice where fewer than a day follow.
    following = np.append(over_a_day, over_a_day[-_LEAST_AFTER_H:])
    days = np.lib.stride_tricks.sliding_window_view(following, _DAY_H)
    change = days.mean(axis=1)
    found = int(np.abs(change).argmax())
    others = np.abs(change[np.abs(np.arange(len(change)) - found) > _DAY_H])
    size = float(change[found])
    if len(others) < _LEAST_OTHERS_H or abs(size) < max(_JUMP * float(np.quantile(others, 0.9)), _LEAST_JUMP):
        return None
    # An hour without data moves the day's mean, and not its median.
    if abs(float(np.median(days[found]))) < abs(size) / 2:
        return None
    # All windows after the jump show it, so it lies where the hours that are changed by it begin.
    changed = over_a_day / size > 0.5
    start = min(found, len(changed) - 1)
    while start > 0 and changed[start - 1]:
        start -= 1
    while start < len(changed) - 1 and not changed[start]:
        start += 1
    return start + _DAY_H, size
