"""What judges said of the answers, against the floor."""

from __future__ import annotations

from collections.abc import Sequence

from sprout_like.reports.figures import UNKNOWN_MARK
from sprout_like.reports.html.palette import FLOOR, SERIES
from sprout_like.reports.html.plots.rows import Estimate, estimates
from sprout_like.reports.html.svg import Styles
from sprout_like.reports.html.units import exact, share
from sprout_like.reports.html.view import Column, Picture, Section, Table, TableBuilder
from sprout_like.reports.html.words import count, sign
from sprout_like.reports.report import Quality, Report

__all__ = ["section"]

_DRAWN = 10
_NONE = "Nothing was judged in this span: no quality is known. `sprout-like judge` compares answers with full's."


def section(report: Report, styles: Styles) -> Section:
    """The section."""
    name, title = "quality", "Quality against the floor"
    if not report.quality:
        return Section(name=name, title=title, notes=[_NONE])
    lead = [
        "A judge compares a directive's answer with full's to the same prompt. The policy may plan for a directive "
        "only while the lower bound of its quality keeps the floor."
    ]
    breakers = sorted(
        {f"{each.model}: {each.breaker}: everything is served full." for each in report.quality if each.breaker}
    )
    if all(each.floor is None for each in report.quality):
        breakers.insert(0, "No floor is set.")
    return Section(name=name, title=title, lead=lead, parts=[_picture(report.quality, styles)], notes=breakers)


def _picture(found: Sequence[Quality], styles: Styles) -> Picture:
    models = {each.model for each in found}
    rows = [_row(each, several=len(models) > 1) for each in found[:_DRAWN]]
    more = "" if len(found) <= _DRAWN else f" The first {_DRAWN} are drawn; the table holds all {len(found)}."
    floor = [sign("floor", FLOOR, marker="┃")] if any(each.floor is not None for each in found) else []
    said = "; ".join(f"{row.name}: {row.written}" for row in rows)
    return Picture(
        svg=estimates("plot-quality", rows, "Quality, % of full's", (0.8, 1.0), said, styles),
        title="Judged quality of each directive",
        reading="Points are mean scores as a share of full's. Bars begin at the lower bound: there is no upper one. "
        f"The axis does not begin at zero.{more}",
        keys=[sign("judged quality", SERIES[0], marker="o"), *floor],
        tables=[_table(found)],
    )


def _row(each: Quality, *, several: bool) -> Estimate:
    return Estimate(
        name=f"{each.directive} ({each.model})" if several else each.directive,
        written=_written(each),
        value=each.quality.value,
        low=each.quality.low,
        high=each.quality.value if each.quality.high is None else each.quality.high,
        colour=SERIES[0],
        marker="o",
        floor=each.floor,
    )


def _written(each: Quality) -> str:
    bound = "no bound yet" if each.quality.low is None else f"at least {share(each.quality.low)}"
    return f"{share(each.quality.value)}, {bound}"


def _table(found: Sequence[Quality]) -> Table:
    names = [Column(heading, figures=False) for heading in ("directive", "model", "catalogue", "judge")]
    headings = (
        "quality, % of full's",
        "at least",
        "with confidence",
        "floor",
        "keeps it",
        "verdicts",
        "score",
        "full's score",
    )
    rows = TableBuilder("Judged quality", [*names, *map(Column, headings)])
    for each in found:
        low = each.quality.low
        kept = UNKNOWN_MARK if each.floor is None or low is None else "yes" if low >= each.floor else "no"
        rows.add(
            each.directive,
            each.model,
            each.catalogue_version,
            each.judge,
            (share(each.quality.value), "full itself scores nothing, so there is no share of it"),
            (share(low), "too few verdicts for a bound"),
            share(each.confidence),
            (share(each.floor), "no floor is set"),
            (kept, "without a floor and a bound there is nothing to keep"),
            count(each.verdicts_n),
            exact(each.score),
            exact(each.full_score),
        )
    return rows.table()
