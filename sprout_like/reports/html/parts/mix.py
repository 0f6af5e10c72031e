"""Which directives were served, by how dirty the grid was."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from directives import FULL
from sprout_like.reports.html.plots.mix import Layer, mix
from sprout_like.reports.html.svg import Styles
from sprout_like.reports.html.units import share
from sprout_like.reports.html.view import Column, Part, Picture, Section, Table, TableBuilder
from sprout_like.reports.html.words import basis, count, distinct, sign
from sprout_like.reports.report import IntensityClass, Report

__all__ = ["section"]

_DRAWN = 6
"""Directives with an area of their own; the rest is drawn together, as more cannot be told apart."""

_PLOTS = 2
_NAME, _TITLE = "mix", "Directives by intensity"


@dataclass(frozen=True, slots=True)
class _Served:
    """Requests at one kind and factors.

    Attributes:
        classes: bounds in g/kWh, rising. requests: in each class, by directive. directives: `full`, then the most used.
    """

    classes: Sequence[tuple[float, float]]
    requests: Sequence[Counter[str]]
    directives: Sequence[str]


def section(report: Report, styles: Styles) -> Section:
    """The section."""
    by_basis: defaultdict[tuple[str, str], list[IntensityClass]] = defaultdict(list)
    for each in report.classes:
        by_basis[each.intensity_kind, each.intensity_factors].append(each)
    if not by_basis:
        return Section(
            name=_NAME,
            title=_TITLE,
            notes=["No request of known intensity was served in this span: there is no mix to show."],
        )
    order = sorted(by_basis, key=lambda key: (-sum(each.requests for each in by_basis[key]), key))
    parts: list[Part] = []
    for place, key in enumerate(order):
        served = _served(by_basis[key])
        parts.append(_picture(place, key, served, styles) if place < _PLOTS else _table(key, served))
    lead = (
        "A directive is how an answer is produced; full is the caller's own call, unchanged. The intensity is the "
        "mean of the hour in which a request was served."
    )
    return Section(name=_NAME, title=_TITLE, lead=[lead], parts=parts)


def _served(found: Sequence[IntensityClass]) -> _Served:
    in_class: defaultdict[tuple[float, float], Counter[str]] = defaultdict(Counter)
    total: Counter[str] = Counter()
    for each in found:
        in_class[each.low_g_per_kwh, each.high_g_per_kwh][each.directive] += each.requests
        total[each.directive] += each.requests
    classes = sorted(in_class)
    directives = sorted(total, key=lambda name: (name != FULL.name, -total[name], name))
    return _Served(classes, [in_class[bounds] for bounds in classes], directives)


def _picture(place: int, key: tuple[str, str], served: _Served, styles: Styles) -> Picture:
    named = served.directives if len(served.directives) <= _DRAWN + 1 else served.directives[:_DRAWN]
    others = served.directives[len(named) :]
    layers, keys = [], []
    for at, name in enumerate(named):
        colour, hatch = distinct(at)
        layers.append(Layer([requests[name] for requests in served.requests], colour, hatch))
        keys.append(sign(name, colour, hatch=hatch))
    if others:
        colour, hatch = distinct(len(named))
        layers.append(Layer([sum(requests[name] for name in others) for requests in served.requests], colour, hatch))
        keys.append(sign(f"{len(others)} others", colour, hatch=hatch))
    said = (
        f"Stacked bars: the share of each directive in {len(served.classes)} classes of intensity. The table below "
        "holds the figures."
    )
    return Picture(
        svg=mix(f"plot-mix-{place}", served.classes, layers, ("Share of requests, %", "Requests"), said, styles),
        title=f"Directives served, by intensity ({basis(*key)})",
        reading="Each bar is one class of intensity, its directives stacked from the bottom in the legend's order; "
        "below it, how many requests it stands for.",
        keys=keys,
        tables=[_table(key, served)],
    )


def _table(key: tuple[str, str], served: _Served) -> Table:
    columns = [Column("directive", figures=False), Column("requests"), Column("share of all")]
    columns += [Column(f"{low:,.10g} to {high:,.10g} g/kWh") for low, high in served.classes]
    rows = TableBuilder(f"Share of requests in each class ({basis(*key)})", columns)
    totals = [sum(requests.values()) for requests in served.requests]
    for name in served.directives:
        counts = [requests[name] for requests in served.requests]
        of_classes = [share(n / total if total else None) for n, total in zip(counts, totals, strict=True)]
        rows.add(name, count(sum(counts)), share(sum(counts) / sum(totals)), *of_classes)
    rows.add("all", count(sum(totals)), share(1.0), *(f"n = {total:,}" for total in totals))
    return rows.table()
