"""Carbon and energy over time, against intensity."""

from __future__ import annotations

from sprout_like.reports.figures import UNKNOWN_MARK, Scale
from sprout_like.reports.html.palette import SERIES
from sprout_like.reports.html.parts.steps import Basis, Steps, steps
from sprout_like.reports.html.plots.over_time import Bars, Curve, Panel, over_time
from sprout_like.reports.html.svg import Styles
from sprout_like.reports.html.units import electricity, emissions, in_column, moment
from sprout_like.reports.html.view import Column, Picture, Section, Table, TableBuilder
from sprout_like.reports.html.words import DASHES, MARKERS, NO_CARBON, NO_ENERGY, basis, count, short, sign
from sprout_like.reports.report import Point, Report

__all__ = ["section"]

_DRAWN = 3
"""Kinds and factors drawn at most; the table holds all."""

_CARBON = SERIES[5]
_ENERGY = SERIES[0]
_PLAIN = Scale(1, "g/kWh")


def section(report: Report, styles: Styles) -> Section:
    """The section."""
    name, title = "time", "Carbon and energy over time"
    if not report.points:
        return Section(name=name, title=title, notes=["No request or item of a job began in this span."])
    summed = steps(report.points, report.step)
    lead = (
        f"Requests and items of jobs, by {summed.name} (UTC). The intensity is that of the electricity they used: its "
        "mean over their energy. Emissions are operational: energy × PUE × intensity."
    )
    return Section(name=name, title=title, lead=[lead], parts=[_picture(summed, styles)])


def _picture(summed: Steps, styles: Styles) -> Picture:
    known = [each for each in summed.bases if each[0] is not None][:_DRAWN]
    panels, keys = [], []
    if known:
        curves = [
            Curve(
                values=[None if point is None else point.intensity_g_per_kwh for point in summed.of(each)],
                colour=SERIES[place],
                dash=DASHES[place],
                marker=MARKERS[place],
            )
            for place, each in enumerate(known)
        ]
        panels.append(Panel("Intensity, g CO₂e/kWh", curves))
        keys = [sign(basis(*each), SERIES[place], dash=place) for place, each in enumerate(known)]
    energy = electricity(summed.energy_j())
    used = [None if value is None else value / energy.factor for value in summed.energy_j()]
    panels.append(Panel(f"Energy per {summed.name}, {energy.unit}", [Bars(values=used, colour=_ENERGY)]))
    for each in known:
        grams = [None if point is None else point.operational_g for point in summed.of(each)]
        scale = emissions(grams)
        of = "" if len(known) == 1 else f" ({each[0]}, {each[1]})"
        values = [None if value is None else value / scale.factor for value in grams]
        heading = f"Emissions per {summed.name}, {scale.unit}{of}"
        panels.append(Panel(heading, [Bars(values=values, colour=_CARBON)]))
    said = (
        f"{len(panels)} panels over the same time axis, from {moment(summed.starts_utc[0])} UTC in steps of one "
        f"{summed.name}: {'; '.join(panel.heading for panel in panels)}. The table below holds the figures."
    )
    return Picture(
        svg=over_time("plot-time", summed.starts_utc, summed.length, panels, said, styles),
        title=f"Intensity, energy and emissions by {summed.name}",
        reading="All axes begin at zero. A gap is a time without requests, or without a known figure.",
        keys=keys if len(known) > 1 else (),
        tables=[_table(summed)],
    )


def _table(summed: Steps) -> Table:
    known = [each for each in summed.bases if each[0] is not None]
    energy = electricity(summed.energy_j())
    columns = [Column(f"{summed.name} (UTC)", figures=False), Column("requests"), Column(f"energy, {energy.unit}")]
    scales = {}
    for each in known:
        of = "" if len(known) == 1 else f" ({short(*each)})"
        scales[each] = emissions(None if p is None else p.operational_g for p in summed.of(each))
        columns += [Column(f"intensity, g CO₂e/kWh{of}"), Column(f"emissions, {scales[each].unit}{of}")]
    rows = TableBuilder(f"Sums by {summed.name}", columns)
    for start, requests, used_j, step in zip(
        summed.starts_utc, summed.requests(), summed.energy_j(), summed.sums, strict=True
    ):
        cells: list[str | tuple[str, str]] = [
            moment(start) if summed.length.days == 0 else f"{start:%Y-%m-%d}",
            count(requests),
            (in_column(used_j, energy), NO_ENERGY),
        ]
        for each, scale in scales.items():
            cells += _of_basis(step.get(each), scale, each)
        rows.add(*cells)
    return rows.table()


def _of_basis(point: Point | None, scale: Scale, each: Basis) -> list[tuple[str, str]]:
    if point is None:
        missing = f"no request here was served at {basis(*each)}"
        return [(UNKNOWN_MARK, missing), (UNKNOWN_MARK, missing)]
    return [
        (in_column(point.intensity_g_per_kwh, _PLAIN), "no energy is known to weigh the intensity by"),
        (in_column(point.operational_g, scale), NO_CARBON),
    ]
