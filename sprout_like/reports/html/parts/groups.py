"""The groups that the user asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sprout_like.printable import label
from sprout_like.reports.html.palette import SERIES
from sprout_like.reports.html.plots.rows import Bar, bars
from sprout_like.reports.html.svg import Styles
from sprout_like.reports.html.units import electricity, emissions, exact, in_column, with_interval
from sprout_like.reports.html.view import Column, Part, Picture, Section, Table, TableBuilder
from sprout_like.reports.html.words import NO_CARBON, NO_ENERGY, count, named, purpose, short
from sprout_like.reports.report import Line, Report

__all__ = ["section"]

_BARS = 10
_TIMES = frozenset({"hour", "day", "week", "month", "year"})


def section(report: Report, styles: Styles) -> Section | None:
    """The section; None where no groups were asked for."""
    if not report.by or not report.lines:
        return None
    parts: list[Part] = []
    for of in dict.fromkeys(line.purpose for line in report.lines):
        lines = [line for line in report.lines if line.purpose == of]
        table = _table(report.by, of, lines)
        drawn = not parts and _drawable(report.by, lines)
        parts.append(_picture(report.by, of, lines, table, styles) if drawn else replace(table, folded=bool(parts)))
    return Section(name="groups", title=f"By {', '.join(map(label, report.by))}", parts=parts)


def _drawable(by: Sequence[str], lines: Sequence[Line]) -> bool:
    """Bars by size would tear time apart, for which there is a plot of its own."""
    return not _TIMES & set(by) and any(line.usage.energy_j.value for line in lines)


def _picture(by: Sequence[str], of: str, lines: Sequence[Line], table: Table, styles: Styles) -> Picture:
    used: defaultdict[tuple[str | None, ...], float] = defaultdict(float)
    for line in lines:
        used[line.group] += line.usage.energy_j.value or 0.0
    most = sorted(used, key=lambda group: (-used[group], str(group)))
    scale = electricity(used.values())
    rows = [
        Bar(
            " · ".join("(none)" if value is None else value for value in group),
            f"{exact(used[group] / scale.factor)} {scale.unit}",
            [(used[group] / scale.factor, SERIES[0], None)],
        )
        for group in most[:_BARS]
    ]
    more = "" if len(most) <= _BARS else f" The {_BARS} largest of {len(most):,} are drawn."
    said = "; ".join(f"{row.name}: {row.written}" for row in rows)
    return Picture(
        svg=bars("plot-groups", rows, f"Energy, {scale.unit}", None, said, styles),
        title=f"Energy of {purpose(of)} by {', '.join(map(label, by))}",
        reading=f"Bars begin at zero; the largest is first.{more}",
        tables=[table],
    )


def _table(by: Sequence[str], of: str, lines: Sequence[Line]) -> Table:
    energy = electricity(line.usage.energy_j.value for line in lines)
    grams = emissions(line.emission.operational_g.value for line in lines)
    idle = electricity(line.usage.idle_j for line in lines)
    shared = any(line.usage.idle_j is not None for line in lines)
    headings = [
        "number",
        "errors",
        "new tokens",
        f"energy, {energy.unit}",
        f"operational, {grams.unit}",
        "mean g CO₂e/kWh",
    ]
    headings += [f"share of idle, {idle.unit}"] * shared
    names = [Column(dimension, figures=False) for dimension in by]
    rows = TableBuilder(
        f"Sums of {purpose(of)} by {', '.join(map(label, by))}",
        [*names, Column("intensity and factors", figures=False), *map(Column, headings)],
    )
    for line in lines:
        usage = line.usage
        cells: list[str | tuple[str, str]] = [(named(value), "these requests have none") for value in line.group]
        cells += [
            short(line.emission.intensity_kind, line.emission.intensity_factors),
            count(usage.requests),
            count(usage.errors),
            (count(usage.new_tokens), "no request here knows its tokens"),
            (with_interval(usage.energy_j, energy), NO_ENERGY),
            (with_interval(line.emission.operational_g, grams), NO_CARBON),
            (exact(line.emission.intensity_g_per_kwh), NO_CARBON),
        ]
        if shared:
            cells.append((in_column(usage.idle_j, idle), NO_ENERGY))
        rows.add(*cells)
    return rows.table()
