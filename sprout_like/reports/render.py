"""A summary as a table for people, and as JSON and CSV for machines."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sprout_like.reports.figures import grams, number, percent
from sprout_like.reports.summary import Line, MeasuredSaving, Summary

__all__ = ["as_csv", "as_json", "as_table"]

# Below this many control rows an interval is too wide to lean on, and its normal approximation is poor.
_ENOUGH_CONTROL = 30


def as_table(summary: Summary) -> RenderableType:
    """For a terminal."""
    if summary.first_utc is None or summary.last_utc is None:
        return Text("The ledger holds no request in this span.")
    title = f"{summary.first_utc:%Y-%m-%d %H:%M} to {summary.last_utc:%Y-%m-%d %H:%M} UTC"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column(summary.by)
    table.add_column("purpose")
    for heading in ("requests", "tokens", "J", "± J", "g CO2e", "J/request", "g/request"):
        table.add_column(heading, justify="right")
    table.add_column("intensity")
    for line in summary.lines:
        table.add_row(*_cells(line))
    return Group(table, *(Text(note, style="dim") for note in _notes(summary)))


def as_json(summary: Summary) -> str:
    """The whole summary; stamps in ISO 8601, unknown as null."""
    return json.dumps(asdict(summary), indent=2, default=_iso)


def as_csv(summary: Summary) -> str:
    """The lines, one a row; unknown as an empty cell."""
    stream = io.StringIO()
    names = [f.name for f in fields(Line)]
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(line) for line in summary.lines)
    return stream.getvalue()


def _cells(line: Line) -> tuple[str, ...]:
    known = line.requests - line.energy_unknown
    known_g = line.requests - line.carbon_unknown
    return (
        line.group or "–",
        line.purpose,
        f"{line.requests:,}",
        number(line.new_tokens, 0),
        number(line.energy_j, 1),
        number(line.uncertainty_j, 1),
        grams(line.operational_g),
        number(None if line.energy_j is None else line.energy_j / known, 2),
        grams(None if line.operational_g is None else line.operational_g / known_g),
        "unknown" if line.intensity_kind is None else f"{line.intensity_kind}, {line.intensity_factors}",
    )


def _notes(summary: Summary) -> list[str]:
    lines = summary.lines
    notes = ["g CO2e is operational: energy × PUE × intensity, summed only within one kind and set of factors."]
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
        notes.append(f"Besides requests: {overhead} J loading, warming up and compiling, {idle} J idle (closed accounts).")
    return notes + ([_said(saving) for saving in summary.savings] or ["No saving measured: there is no control group yet."])


def _said(saving: MeasuredSaving) -> str:
    few = "" if saving.control_n >= _ENOUGH_CONTROL else f"; too few control requests to lean on ({_ENOUGH_CONTROL} wanted)"
    return (
        f"Measured saving of {saving.quantity} against the control group: {percent(saving.saving)} "
        f"(95 % interval {percent(saving.low)} to {percent(saving.high)}; {saving.policy_n:,} requests under "
        f"{saving.policy_version}, {saving.control_n:,} control{few})."
    )


def _iso(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
