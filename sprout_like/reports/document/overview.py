"""The first pages: headlines, the lines asked for, directives by intensity."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from sprout_like.reports.document.blocks import Block, Grid, Heading, Note, grid
from sprout_like.reports.document.phrases import PURPOSES, intensity, joules, moment, named, short, spread
from sprout_like.reports.figures import UNKNOWN_MARK, grams, grams_scale, joules_scale, number, percent
from sprout_like.reports.report import IntensityClass, Line, Report

__all__ = ["overview"]

_Part = tuple[str, str | None, str | None]


def overview(report: Report) -> Iterator[Block]:
    """Headlines, lines, directives by intensity."""
    span = report.span
    if span.first_utc is not None and span.last_utc is not None:
        period = "" if span.period is None else f"{span.period}: "
        yield Heading(f"{period}{moment(span.first_utc)} to {moment(span.last_utc)} UTC", level=1)
    yield from _headlines(report)
    parts: dict[_Part, list[Line]] = {}
    for line in report.lines:
        emission = line.emission
        parts.setdefault((line.purpose, emission.intensity_kind, emission.intensity_factors), []).append(line)
    if parts:
        yield Heading(f"By {', '.join(report.by)}")
    for part, lines in parts.items():
        yield _lines(part, report.by, lines)
    if report.classes:
        yield Heading("Directives by intensity")
        yield from _by_intensity(report.classes)


def _headlines(report: Report) -> Iterator[Grid]:
    yield grid(
        "",
        ("in all",),
        ("n", "tokens", "energy", "±", "embodied CO2e"),
        (
            (
                PURPOSES.get(headline.purpose, headline.purpose),
                number(headline.usage.requests, 0),
                number(headline.usage.new_tokens, 0),
                joules(headline.usage.energy_j.value),
                spread(headline.usage.energy_j),
                grams(headline.usage.embodied_g.value),
            )
            for headline in report.headlines
        ),
    )
    yield grid(
        "",
        ("operational CO2e", "intensity"),
        ("n", "CO2e", "±", "g/kWh"),
        (
            (
                PURPOSES.get(headline.purpose, headline.purpose),
                short(emission.intensity_kind, emission.intensity_factors),
                number(emission.requests, 0),
                grams(emission.operational_g.value),
                spread(emission.operational_g),
                number(emission.intensity_g_per_kwh, 0),
            )
            for headline in report.headlines
            for emission in headline.emissions
        ),
    )


def _lines(part: _Part, by: Sequence[str], lines: Sequence[Line]) -> Grid:
    total_j = _sum(line.usage.energy_j.value for line in lines)
    joules_off = _sum(line.usage.energy_j.half_width for line in lines)
    co2 = _sum(line.emission.operational_g.value for line in lines)
    energy, energy_each = joules_scale((total_j, joules_off)), joules_scale(map(_energy_each, lines))
    carbon, carbon_each = grams_scale((co2,)), grams_scale(map(_carbon_each, lines))
    idle = joules_scale(line.usage.idle_j for line in lines)
    with_idle = any(line.usage.idle_j is not None for line in lines)
    headings = ["n", "tokens", energy.unit, f"± {energy.unit}", f"{carbon.unit} CO2e"]
    headings += [f"{energy_each.unit} each", f"{carbon_each.unit} each"]
    rows = [
        [
            *map(named, line.group),
            number(line.usage.requests, 0),
            number(line.usage.new_tokens, 0),
            energy(line.usage.energy_j.value),
            energy(line.usage.energy_j.half_width),
            carbon(line.emission.operational_g.value),
            energy_each(_energy_each(line)),
            carbon_each(_carbon_each(line)),
            *([idle(line.usage.idle_j)] if with_idle else []),
        ]
        for line in lines
    ]
    total = [
        "total",
        *([""] * (len(by) - 1)),
        number(sum(line.usage.requests for line in lines), 0),
        number(_sum(line.usage.new_tokens for line in lines), 0),
        energy(total_j),
        energy(joules_off),
        carbon(co2),
        "",
        "",
        *([idle(_sum(line.usage.idle_j for line in lines))] if with_idle else []),
    ]
    purpose, kind, factors = part
    title = f"{PURPOSES.get(purpose, purpose)}, {intensity(kind, factors)}"
    return grid(title, by, [*headings, *([f"idle {idle.unit}"] if with_idle else [])], rows, total if by else ())


def _by_intensity(classes: Sequence[IntensityClass]) -> Iterator[Block]:
    sources = dict.fromkeys((of.intensity_kind, of.intensity_factors) for of in classes)
    for kind, factors in sources:
        mine = [of for of in classes if (of.intensity_kind, of.intensity_factors) == (kind, factors)]
        names = sorted({of.directive for of in mine})
        rows = []
        for low, high in dict.fromkeys((of.low_g_per_kwh, of.high_g_per_kwh) for of in mine):
            counts = {of.directive: of.requests for of in mine if of.low_g_per_kwh == low}
            total = sum(counts.values())
            shares = (percent(counts[name] / total) if name in counts else UNKNOWN_MARK for name in names)
            rows.append((f"{low:,.0f} to {high:,.0f} g/kWh", number(total, 0), *shares))
        yield grid(f"requests, {intensity(kind, factors)}", ("intensity",), ("n", *names), rows)
    yield Note("Requests by the mean intensity of their hour, the upper bound of a class exclusive.")


def _energy_each(line: Line) -> float | None:
    known = line.usage.requests - line.usage.energy_unknown
    return None if line.usage.energy_j.value is None or not known else line.usage.energy_j.value / known


def _carbon_each(line: Line) -> float | None:
    known = line.emission.requests - line.emission.carbon_unknown
    return None if line.emission.operational_g.value is None or not known else line.emission.operational_g.value / known


def _sum(figures: Iterable[float | None]) -> float | None:
    """Sum of those that are known; None where none is. What is left out is counted among the gaps."""
    known = [figure for figure in figures if figure is not None]
    return math.fsum(known) if known else None
