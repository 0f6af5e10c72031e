"""Conversions of units."""

from __future__ import annotations

__all__ = ["JOULES_PER_KWH"]

JOULES_PER_KWH = 3.6e6
