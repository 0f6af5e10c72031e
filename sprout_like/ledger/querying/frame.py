"""Rows as a pandas frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Boolean, Float, Integer
from sqlalchemy.types import TypeDecorator, TypeEngine

from sprout_like.ledger.columns import UtcStamp

__all__ = ["frame_of"]


def frame_of(columns: Mapping[str, TypeEngine[Any]], rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """A frame of columns of these types. What is unknown is missing (`NaN`, `NaT`, `<NA>`), never 0."""
    values: list[list[Any]] = [[] for _ in columns]
    for row in rows:
        for place, value in enumerate(row):
            values[place].append(value)
    series = {name: pd.Series(of, dtype=_dtype(kind)) for (name, kind), of in zip(columns.items(), values, strict=True)}
    return pd.DataFrame(series)


def _dtype(kind: TypeEngine[Any]) -> Any:
    if isinstance(kind, UtcStamp):
        return pd.DatetimeTZDtype(unit="us", tz="UTC")
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    if isinstance(kind, Boolean):
        return "boolean"
    if isinstance(kind, Integer):
        return "Int64"
    return "float64" if isinstance(kind, Float) else "object"
