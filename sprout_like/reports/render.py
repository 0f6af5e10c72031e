"""A summary as a table for people, and as JSON and CSV for machines."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import asdict, fields

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sprout_like.reports.figures import UNKNOWN_MARK, grams, grams_scale, number, percent
from sprout_like.reports.machine import to_json
from sprout_like.reports.summary import Line, MeasuredSaving, Summary

__all__ = ["as_csv", "as_json", "as_table"]

# Below this many control rows an interval is too wide to lean on, and its normal approximation is poor.
_ENOUGH_CONTROL = 30


def as_table(summary: Summary) -> RenderableType:
    """For a terminal."""
    if summary.first_utc is None or summary.last_utc is None:
        return Text("The ledger holds no request in this span.")
    span = f"{summary.first_utc:%Y-%m-%d %H:%M} to {summary.last_utc:%Y-%m-%d %H:%M} UTC"
    provenances = dict.fromkeys((line.intensity_kind, line.intensity_factors) for line in summary.lines)
    tables = [_table(summary, provenance) for provenance in provenances]
    return Group(Text(span, style="bold"), *tables, *(Text(note, style="dim") for note in _notes(summary)))


def _table(summary: Summary, provenance: tuple[str | None, str | None]) -> Table:
    """The lines of one kind and one set of factors, whose grams may be added up; fits 80 columns."""
    lines = [line for line in summary.lines if (line.intensity_kind, line.intensity_factors) == provenance]
    kind, factors = provenance
    title = "intensity unknown" if kind is None else f"{kind} intensity, {factors} factors"
    scale = grams_scale([line.operational_g for line in lines])
    each = grams_scale([_per(line.operational_g, line.requests - line.carbon_unknown) for line in lines])
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(summary.by)
    table.add_column("purpose")
    for heading in ("n", "tokens", "J", "± J", f"{scale.unit} CO2e", "J each", f"{each.unit} each"):
        table.add_column(heading, justify="right")
    for line in lines:
        table.add_row(
            line.group or UNKNOWN_MARK,
            line.purpose,
            f"{line.requests:,}",
            number(line.new_tokens, 0),
            number(line.energy_j, 1),
            number(line.uncertainty_j, 1),
            scale(line.operational_g),
            number(_per(line.energy_j, line.requests - line.energy_unknown), 2),
            each(_per(line.operational_g, line.requests - line.carbon_unknown)),
        )
    table.add_section()
    table.add_row(
        "total",
        "",
        f"{sum(line.requests for line in lines):,}",
        number(_sum(line.new_tokens for line in lines), 0),
        number(_sum(line.energy_j for line in lines), 1),
        number(_sum(line.uncertainty_j for line in lines), 1),
        scale(_sum(line.operational_g for line in lines)),
        style="bold",
    )
    return table


def _per(total: float | None, count: int) -> float | None:
    return None if total is None else total / count


def _sum(figures: Iterable[float | None]) -> float | None:
    """Sum of those that are known; None where none is. What is left out is counted in the notes."""
    known = [figure for figure in figures if figure is not None]
    return math.fsum(known) if known else None


def as_json(summary: Summary) -> str:
    """The whole summary; stamps in ISO 8601, unknown as null."""
    return to_json(asdict(summary))


def as_csv(summary: Summary) -> str:
    """The lines, one a row; unknown as an empty cell."""
    stream = io.StringIO()
    names = [f.name for f in fields(Line)]
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(line) for line in summary.lines)
    return stream.getvalue()


def _notes(summary: Summary) -> list[str]:
    lines = summary.lines
    notes = ["CO2e is operational: energy × PUE × intensity, added up only within one kind and set of factors."]
    embodied = [line.embodied_g for line in lines if line.embodied_g is not None]
    if embodied:
        notes.append(f"Making the hardware adds {grams(sum(embodied))} (embodied share), not included above.")
    for count, what in (
        (sum(line.energy_unknown for line in lines), "have unknown energy and are in no sum of J or g"),
        (sum(line.carbon_unknown for line in lines), "have unknown emissions and are in no sum of g"),
        (sum(line.stale for line in lines), "used an intensity held beyond its span"),
        (sum(line.errors for line in lines), "ended in an error; their energy is counted"),
    ):
        if count:
            notes.append(f"{count:,} of {sum(line.requests for line in lines):,} requests {what}.")
    if summary.overheads.idle_j is not None:
        overhead, idle = number(summary.overheads.overhead_j, 1), number(summary.overheads.idle_j, 1)
        notes.append(f"Besides requests: {overhead} J loading, warming up, compiling; {idle} J idle (closed accounts).")
    said = [_said(saving) for saving in summary.savings]
    return notes + (said or ["No saving measured: there is no control group of two or more yet."])


def _said(saving: MeasuredSaving) -> str:
    few = "" if saving.control_n >= _ENOUGH_CONTROL else f", too few to lean on: {_ENOUGH_CONTROL} wanted"
    return (
        f"Measured saving of {saving.quantity} against the control group: {percent(saving.saving)} "
        f"(95 % interval {percent(saving.low)} to {percent(saving.high)}; {saving.policy_n:,} requests under "
        f"{saving.policy_version}, {saving.control_n:,} control{few})."
    )
