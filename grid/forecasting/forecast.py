"""A forecast for a source that has none of its own, from its history: no clock, no randomness, no look-ahead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from grid.errors import NoData
from grid.forecasting.hours import hourly
from grid.forecasting.outlook import outlook
from grid.intensity import Intensity, Series

__all__ = ["forecast_from"]

_HOUR = timedelta(hours=1)
_HISTORY_H = 30 * 24
_LEAST_KNOWN_H = 48
_OLDEST_H = 72
_HORIZON = timedelta(days=7)


def forecast_from(history: Series, *, start_utc: datetime, end_utc: datetime, issued_utc: datetime) -> Series:
    """Forecast what follows a history.

    Used are the actual and estimated readings of the 30 days before `issued_utc` that were known by then: whose span
    had ended, or that had been fetched (a source may tell the running slot). With few days there is no weekly shape,
    and a wider interval.

    Args:
        history: of one source, in any mixture of slot lengths, with or without gaps.
        start_utc: start of the span asked for.
        end_utc: its end, exclusive.
        issued_utc: when the forecast is made; it is stamped as the time of fetching.

    Returns:
        Readings that touch the span and end after `issued_utc`, on the grid of the history's most common slot length,
        up to 7 days after `issued_utc`. Status `forecast`, with an 80 % prediction interval.

    Raises:
        NoData: less than 48 known hours, the newest known reading ended more than 72 h before `issued_utc`, or nothing
            of the span lies ahead.
    """
    known = _known(history, issued_utc)
    if not known:
        raise NoData(f"forecast: no reading, actual or estimated, of the 30 days before {issued_utc}; pass a history")
    known_hours = hourly(known, _HISTORY_H)
    newest = known[-1]
    if newest.end_utc < issued_utc - timedelta(hours=_OLDEST_H):
        raise NoData(
            f"{newest.source}: the newest reading for {newest.zone} ended {newest.end_utc}, more than {_OLDEST_H} h "
            f"before {issued_utc}; a forecast from it would be a guess, fetch a newer history"
        )
    if len(known_hours.middle_h) < _LEAST_KNOWN_H:
        raise NoData(
            f"{newest.source}: a forecast for {newest.zone} needs {_LEAST_KNOWN_H} known hours in the 30 days before "
            f"{issued_utc}, and there are {len(known_hours.middle_h)}; fetch a longer history"
        )
    like = _typical(known)
    starts = _slots(like, max(start_utc, issued_utc), min(end_utc, issued_utc + _HORIZON))
    if not starts:
        raise NoData(
            f"{newest.source}: nothing of {start_utc} to {end_utc} lies between {issued_utc}, when the forecast is "
            f"made, and 7 days later; ask for a span that does"
        )
    slot = like.end_utc - like.start_utc
    middles = np.array([(start + slot / 2 - newest.end_utc) / _HOUR for start in starts])
    ahead = outlook(known_hours, middles, slot / _HOUR)
    return Series(
        Intensity(
            zone=newest.zone,
            start_utc=start,
            end_utc=start + slot,
            g_per_kwh=value,
            kind=newest.kind,
            factors=newest.factors,
            status="forecast",
            source=f"{newest.source} (forecast by sprout-like)",
            fetched_at_utc=issued_utc,
            low_g_per_kwh=low,
            high_g_per_kwh=high,
        )
        for start, value, low, high in zip(
            starts, ahead.value.tolist(), ahead.low.tolist(), ahead.high.tolist(), strict=True
        )
    )


def _known(history: Series, issued_utc: datetime) -> list[Intensity]:
    oldest = issued_utc - timedelta(hours=_HISTORY_H)
    return [
        reading
        for reading in history
        if reading.start_utc < issued_utc
        and reading.end_utc > oldest
        and (reading.end_utc <= issued_utc or reading.fetched_at_utc <= issued_utc)
        and reading.status in ("actual", "estimated")
    ]


def _typical(known: Sequence[Intensity]) -> Intensity:
    """The newest reading of the most common length."""
    lengths = Counter(reading.end_utc - reading.start_utc for reading in known)
    slot = max(lengths, key=lambda length: (lengths[length], -length))
    return next(reading for reading in reversed(known) if reading.end_utc - reading.start_utc == slot)


def _slots(like: Intensity, start_utc: datetime, end_utc: datetime) -> list[datetime]:
    """Starts of the slots that touch the span, on the grid that `like` is on."""
    slot = like.end_utc - like.start_utc
    first = like.start_utc + (start_utc - like.start_utc) // slot * slot
    return [first + n * slot for n in range(-((first - end_utc) // slot))]
