"""Whether the parts add up to what the devices' counters say."""

from __future__ import annotations

from collections.abc import Sequence

from sprout_like.reports.html.palette import REST, SERIES
from sprout_like.reports.html.plots.rows import Bar, bars
from sprout_like.reports.html.svg import Styles
from sprout_like.reports.html.units import electricity, finely, in_column, moment, share
from sprout_like.reports.html.view import Column, Picture, Section, Table, TableBuilder
from sprout_like.reports.html.words import count, sign
from sprout_like.reports.report import Device, Report

__all__ = ["section"]

_DRAWN = 10
_TOLERATED = 0.01
"""Of the counter, per device and hour: what `sprout-like ledger check` allows."""

_PARTS = (
    ("requests of this ledger", SERIES[0], None),
    ("other users of the device", SERIES[3], "///"),
    ("loading, warming up, compiling", SERIES[1], "\\\\\\"),
    ("idle", REST, "..."),
)


def section(report: Report, styles: Styles) -> Section:
    """The section."""
    name, title = "counters", "Reconciliation with the device counters"
    if not report.devices:
        why = "No account of a device was closed in this span, so there is no counter to compare with."
        return Section(name=name, title=title, notes=[why])
    lead = (
        "Each device's own counter of energy over the span, and where that energy went. The parts must add up to the "
        f"counter: {share(_TOLERATED)} off in any hour counts as wrong."
    )
    wrong = [each for each in report.devices if abs(each.worst_hour_share or 0.0) > _TOLERATED]
    notes = [
        f"{each.device_name} ({each.component}): in the hour from {moment(each.worst_hour_utc)} UTC the parts are "
        f"{share(each.worst_hour_share)} off. `sprout-like ledger check` lists the hours."
        for each in wrong
    ]
    return Section(
        name=name,
        title=title,
        lead=[lead],
        parts=[_picture(report.devices, styles)],
        notes=notes or ["In every hour of every device the parts add up to the counter."],
    )


def _picture(devices: Sequence[Device], styles: Styles) -> Picture:
    rows = []
    for each in devices[:_DRAWN]:
        parts = (each.requests_j, each.elsewhere_j, each.overhead_j, each.idle_j)
        of = each.counter_j if each.counter_j > 0 else 1.0
        shares = [(100 * part / of, colour, hatch) for part, (_, colour, hatch) in zip(parts, _PARTS, strict=True)]
        scale = electricity((each.counter_j,))
        counter = f"{in_column(each.counter_j, scale)} {scale.unit}"
        rows.append(Bar(_name(each, devices), counter, shares))
    said = "; ".join(
        f"{_name(each, devices)}: off by {finely(each.gap_share)} % of the counter" for each in devices[:_DRAWN]
    )
    more = "" if len(devices) <= _DRAWN else f" The first {_DRAWN} of {len(devices)} devices are drawn."
    return Picture(
        svg=bars("plot-counters", rows, "Parts of the energy, % of the counter", 100.0, said, styles),
        title="Where each device's energy went",
        reading="The line at 100 % is the counter, whose figure stands at the right. Parts short of it or beyond "
        f"it are a gap.{more}",
        keys=[sign(text, colour, hatch=hatch) for text, colour, hatch in _PARTS],
        tables=[_table(devices)],
    )


def _name(device: Device, devices: Sequence[Device]) -> str:
    """With its identifier where another is called the same."""
    name = f"{device.device_name}, {device.component}"
    alike = sum((each.device_name, each.component) == (device.device_name, device.component) for each in devices)
    return name if alike == 1 else f"{name}, {device.device_id}"


def _table(devices: Sequence[Device]) -> Table:
    scale = electricity(each.counter_j for each in devices)
    headings = (
        *("accounts", f"counter, {scale.unit}", f"requests, {scale.unit}", f"others, {scale.unit}"),
        *(f"overhead, {scale.unit}", f"idle, {scale.unit}", "gap, % of the counter", "worst hour, %"),
    )
    names = [Column(name, figures=False) for name in ("device", "part", "meter", "method")]
    columns = [*names, *map(Column, headings), Column("which (UTC)", figures=False)]
    rows = TableBuilder("Energy by the counters and by its parts", columns)
    for each in devices:
        none = "no hour has a counter above 0"
        rows.add(
            f"{each.device_name} ({each.device_id})" if each.device_name != each.device_id else each.device_id,
            each.component,
            each.meter,
            each.method,
            count(each.accounts),
            *(
                in_column(part, scale)
                for part in (each.counter_j, each.requests_j, each.elsewhere_j, each.overhead_j, each.idle_j)
            ),
            (finely(each.gap_share), "the counter stood still"),
            (finely(each.worst_hour_share), none),
            (moment(each.worst_hour_utc), none),
        )
    return rows.table()
