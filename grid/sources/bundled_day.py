"""A day for demonstrations without a network. It is MODELLED, not measured: never use it to account for emissions."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources

from grid.intensity import Intensity, Series

__all__ = ["bundled_day"]

_SLOT = timedelta(minutes=30)


def bundled_day(day: date, now_utc: datetime) -> Series:
    """A plausible day of Great Britain: 48 half hours of `day` in UTC, status `estimated`.

    The shape is drawn by hand, see the head of `gb_modelled_day.csv`: a trough at night, a morning peak, a dip while
    the sun is up, and the day's highest peak at 18:00. No measurement went into it.

    Args:
        day: the UTC day to put it on.
        now_utc: stamped as the time of fetching.
    """
    text = resources.files("grid").joinpath("data/gb_modelled_day.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return Series(
        Intensity(
            zone="GB",
            start_utc=(start := datetime.combine(day, time.fromisoformat(row["start_utc"]), tzinfo=UTC)),
            end_utc=start + _SLOT,
            g_per_kwh=float(row["g_per_kwh"]),
            kind="average",
            factors="direct",
            status="estimated",
            source="bundled-modelled-day",
            fetched_at_utc=now_utc,
        )
        for row in rows
    )
