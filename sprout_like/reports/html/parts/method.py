"""How the figures are known, and what is not."""

from __future__ import annotations

from sprout_like.reports.html.view import Column, Section, TableBuilder
from sprout_like.reports.html.words import basis, count
from sprout_like.reports.report import Report

__all__ = ["section"]

_LEAD = (
    "What is unknown is a dash here and in no sum, never a zero. Average intensity is that of all electricity; "
    "marginal, of what one kWh more would be made from. Direct factors count what power stations emit; lifecycle "
    "factors, building and fuelling them too. Grams of different kinds or factors are never in one sum.",
)


def section(report: Report) -> Section:
    """The section."""
    method = report.method
    gaps = TableBuilder(
        "What is unknown",
        [
            Column("requests that", figures=False),
            Column("number"),
            Column("of"),
            Column("why", figures=False, sentences=True),
        ],
    )
    for gap in method.gaps:
        gaps.add(gap.what, count(gap.requests), count(gap.of), gap.why)
    meters = TableBuilder(
        "Meters", [Column("meter", figures=False), Column("method", figures=False), Column("requests")]
    )
    for meter, how, requests in method.meters:
        meters.add(meter, how, count(requests))
    zones = TableBuilder(
        "Intensities", [Column("zone", figures=False), Column("of", figures=False), Column("requests")]
    )
    for zone, kind, factors, requests in method.intensities:
        zones.add(zone, basis(kind, factors), count(requests))
    names = [Column(heading, figures=False) for heading in ("source", "zone", "status")]
    sources = TableBuilder("Sources of intensities, as the ledger keeps them", [*names, Column("slots")])
    for zone, source, status, slots in method.sources:
        sources.add(source, zone, status, count(slots))
    parts = [table for table in (gaps.table(), meters.table(), zones.table(), sources.table()) if table.rows]
    none = [] if method.gaps or report.empty else ["Nothing that this report needs is unknown."]
    return Section(
        name="method", title="Method, sources and gaps", lead=_LEAD, parts=parts, notes=[*none, *method.notes]
    )
