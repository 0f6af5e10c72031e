"""The lines of a report as a flat table, for CSV and Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sprout_like.reports.report import Line, Report

__all__ = ["FIGURES", "Value", "columns", "rows"]

Value = str | int | float | None

_WORDS: Final = ("purpose", "intensity_kind", "intensity_factors")

FIGURES: Final[Mapping[str, type[int] | type[float]]] = {
    "requests": int,
    "rows": int,
    "errors": int,
    "prompt_tokens": int,
    "new_tokens": int,
    "duration_s": float,
    "energy_j": float,
    "energy_low_j": float,
    "energy_high_j": float,
    "energy_unknown": int,
    "operational_g": float,
    "operational_low_g": float,
    "operational_high_g": float,
    "carbon_unknown": int,
    "intensity_g_per_kwh": float,
    "embodied_g": float,
    "embodied_unknown": int,
    "logged_operational_g": float,
    "stale": int,
    "settled": int,
    "provisional": int,
    "idle_j": float,
}
"""The columns that are numbers."""


def columns(report: Report) -> tuple[str, ...]:
    """Their names: the dimensions, whose the line is, the figures."""
    return (*report.by, *_WORDS, *FIGURES)


def rows(report: Report) -> Iterator[tuple[Value, ...]]:
    """A row for each line; unknown is None."""
    for line in report.lines:
        figures = _figures(line)
        words = (line.purpose, line.emission.intensity_kind, line.emission.intensity_factors)
        yield (*line.group, *words, *(figures[name] for name in FIGURES))


def _figures(line: Line) -> dict[str, Value]:
    used, emitted = line.usage, line.emission
    return {
        **{name: getattr(used, name) for name in FIGURES if hasattr(used, name)},
        **{name: getattr(emitted, name) for name in FIGURES if hasattr(emitted, name) and not hasattr(used, name)},
        "energy_j": used.energy_j.value,
        "energy_low_j": used.energy_j.low,
        "energy_high_j": used.energy_j.high,
        "operational_g": emitted.operational_g.value,
        "operational_low_g": emitted.operational_g.low,
        "operational_high_g": emitted.operational_g.high,
        "embodied_g": used.embodied_g.value,
    }
