"""Slots laid end to end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from grid import Series
from grid.testing import NOON, reading

__all__ = ["series_of"]


def series_of(cut: Sequence[tuple[float, float | None]]) -> Series:
    """From noon on: the length of each slot in s, and its intensity; None leaves a gap."""
    readings, at = [], NOON
    for length, value in cut:
        if value is not None:
            readings.append(reading(value, start_utc=at, slot_s=length, status="forecast"))
        at += timedelta(seconds=length)
    return Series(readings)
