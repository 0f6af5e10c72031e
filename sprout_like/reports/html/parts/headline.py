"""The figures that come first, each with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sprout_like.reports.figures import UNKNOWN_MARK
from sprout_like.reports.html.units import (
    electricity,
    emissions,
    exact,
    finely,
    interval_of,
    points,
    share,
    with_interval,
)
from sprout_like.reports.html.view import Card, Column, Section, Table, TableBuilder
from sprout_like.reports.html.words import NO_CARBON, NO_ENERGY, basis, count, purpose, short
from sprout_like.reports.interval import Figure
from sprout_like.reports.report import Cost, Device, Emission, Headline, Report
from sprout_like.reports.saving import MeasuredSaving

__all__ = ["section"]

_CARDS_OF_CARBON = 2


def section(report: Report) -> Section:
    """The section."""
    name, title = "headline", "In short"
    if report.empty:
        return Section(
            name=name, title=title, notes=["The ledger holds no request in this span, so there is nothing to add up."]
        )
    first = report.headlines[0]
    of = purpose(first.purpose)
    return Section(
        name=name,
        title=title,
        lead=[]
        if first.purpose == "request"
        else [f"The ledger holds no requests in this span; the figures are of {of}."],
        cards=list(_cards(report, first)),
        parts=[_table(report)],
        notes=[
            "After ± stands how far off a figure may be, by the tick of the counters and the model of power behind it. "
            "Grams have no interval where a part of them rests on a provisional intensity, of which no source says how "
            "far off it is. Operational emissions are those of the electricity; embodied ones, of making the hardware, "
            "are apart."
        ],
    )


def _cards(report: Report, first: Headline) -> Iterator[Card]:
    for emission in _emissions(first)[:_CARDS_OF_CARBON]:
        yield _carbon(first, emission)
    usage = first.usage
    energy = electricity((usage.energy_j.value,))
    unknown = "" if not usage.energy_unknown else f"; {usage.energy_unknown:,} of unknown energy are not in it"
    yield Card(
        title="Energy",
        figure=_figure(usage.energy_j, energy.factor),
        unit=energy.unit,
        interval=interval_of(usage.energy_j, energy),
        note=NO_ENERGY if usage.energy_j.value is None else f"at the computers, of {purpose(first.purpose)}{unknown}",
    )
    tokens = "tokens unknown" if usage.new_tokens is None else f"{usage.new_tokens:,} new tokens"
    errors = "" if not usage.errors else f"; {usage.errors:,} ended in an error"
    yield Card(title=purpose(first.purpose).capitalize(), figure=count(usage.requests), note=f"{tokens}{errors}")
    measured = report.savings.all_measured
    yield _saving([each for each in measured if each.quantity == "carbon"] or measured)
    for cost in report.costs:
        if cost.purpose == first.purpose and cost.per.startswith("1,000"):
            yield _cost(cost)
            break
    yield _counters(report.devices)


def _emissions(first: Headline) -> list[Emission]:
    """Those of a known intensity, if any is, the largest first."""
    known = [each for each in first.emissions if each.intensity_kind is not None]
    known.sort(key=lambda each: -(each.operational_g.value or 0.0))
    return known or list(first.emissions)


def _carbon(first: Headline, emission: Emission) -> Card:
    scale = emissions((emission.operational_g.value,))
    note = f"operational; {basis(emission.intensity_kind, emission.intensity_factors)}"
    if emission.intensity_g_per_kwh is not None:
        note += f", {exact(emission.intensity_g_per_kwh)} g/kWh on average"
    if emission.carbon_unknown:
        note += f"; {emission.carbon_unknown:,} of {emission.requests:,} have unknown emissions and are not in it"
    return Card(
        title=f"Emissions of {purpose(first.purpose)}",
        figure=_figure(emission.operational_g, scale.factor),
        unit=scale.unit,
        interval=interval_of(emission.operational_g, scale),
        note=NO_CARBON if emission.operational_g.value is None else note,
    )


def _saving(found: Sequence[MeasuredSaving]) -> Card:
    title = "Measured saving"
    if not found:
        return Card(
            title=title,
            figure=UNKNOWN_MARK,
            note="no control group of two or more: set a share of requests aside for one",
        )
    most = max(found, key=lambda each: (each.policy_version is None, each.policy_n, each.policy_version or ""))
    few = "; not to be leant on as it stands, see below" if most.doubts else ""
    under = most.policy_version or "all policies"
    of = "" if most.intensity_kind is None else f" ({basis(most.intensity_kind, most.intensity_factors)})"
    return Card(
        title=f"{title} of {most.quantity}",
        figure=points(most.saving),
        unit="%",
        interval=f"{share(most.low)} to {share(most.high)}, with 95 % confidence",
        note=f"per request under {under}{of}, against {most.control_n:,} in the control group{few}",
    )


def _cost(cost: Cost) -> Card:
    scale = emissions((cost.operational_g.value,))
    return Card(
        title=f"Emissions per {cost.per}",
        figure=_figure(cost.operational_g, scale.factor),
        unit=scale.unit,
        interval=interval_of(cost.operational_g, scale),
        note=NO_CARBON
        if cost.operational_g.value is None
        else f"operational; {basis(cost.intensity_kind, cost.intensity_factors)}",
    )


def _counters(devices: Sequence[Device]) -> Card:
    title = "Off the device counters"
    known = [each for each in devices if each.gap_share is not None]
    if not known:
        return Card(
            title=title, figure=UNKNOWN_MARK, note="no account of a device with a counter was closed in this span"
        )
    worst = max(known, key=lambda each: abs(each.gap_share or 0.0))
    return Card(
        title=title,
        figure=finely(abs(worst.gap_share or 0.0)),
        unit="%",
        note=f"requests, overhead and idle against the counter of {worst.device_name}, the worst of {len(known)}",
    )


def _figure(figure: Figure, factor: float) -> str:
    return exact(None if figure.value is None else figure.value / factor, 3)


def _table(report: Report) -> Table:
    each = report.headlines
    energy = electricity(headline.usage.energy_j.value for headline in each)
    grams = emissions(emission.operational_g.value for headline in each for emission in headline.emissions)
    made = emissions(headline.usage.embodied_g.value for headline in each)
    names = [Column("purpose", figures=False)]
    headings = ("number", "errors", "new tokens", f"energy, {energy.unit}")
    carbon = [Column("intensity and factors", figures=False), Column(f"operational, {grams.unit}")]
    rows = TableBuilder(
        "Sums of each purpose",
        [*names, *map(Column, headings), *carbon, Column(f"embodied, {made.unit}")],
    )
    for headline in each:
        usage = headline.usage
        for place, emission in enumerate(headline.emissions):
            first = [
                purpose(headline.purpose),
                count(usage.requests),
                count(usage.errors),
                (count(usage.new_tokens), "no request here knows its tokens"),
                (with_interval(usage.energy_j, energy), NO_ENERGY),
            ]
            last = (with_interval(usage.embodied_g, made), "the settings name no embodied emissions of the hardware")
            by = short(emission.intensity_kind, emission.intensity_factors)
            if len(headline.emissions) > 1:
                by += f" (n\u00a0=\u00a0{emission.requests:,})"
            rows.add(
                *(first if place == 0 else [""] * len(first)),
                by,
                (with_interval(emission.operational_g, grams), NO_CARBON),
                last if place == 0 else "",
            )
    return rows.table()
