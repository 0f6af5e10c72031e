"""The outcome of a ledger check, as a table and as JSON."""

from __future__ import annotations

from dataclasses import asdict

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sprout_like.ledger.audit import CheckReport
from sprout_like.reports.figures import number, percent
from sprout_like.reports.machine import to_json

__all__ = ["as_json", "as_table"]


def as_table(report: CheckReport, tolerance: float) -> RenderableType:
    """For a terminal: the sums per device and hour, then what is wrong."""
    table = Table(title="J per device and hour", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("hour (UTC)")
    table.add_column("device")
    for heading in ("counter", "requests", "elsewhere", "overhead", "idle"):
        table.add_column(heading, justify="right")
    for hour in report.hours:
        parts = (hour.counter_j, hour.requests_j, hour.elsewhere_j, hour.overhead_j, hour.idle_j)
        table.add_row(f"{hour.hour_utc:%Y-%m-%d %H}", hour.device_id, *(number(part, 1) for part in parts))
    lines = [Text(line) for line in _lines(report, tolerance)]
    return Group(table, *lines) if report.hours else Group(*lines)


def as_json(report: CheckReport) -> str:
    """The whole outcome; stamps in ISO 8601, unknown as null."""
    return to_json({"ok": report.ok, **asdict(report)})


def _lines(report: CheckReport, tolerance: float) -> list[str]:
    lines = [f"{report.requests:,} requests and {report.accounts:,} energy accounts read."]
    for count, what in (
        (report.unmetered, "requests have unknown energy"),
        (report.open_requests, "requests are booked in accounts not closed yet (their process runs, or was killed)"),
        (report.pending, "rows still wait in the spool: `sprout-like ledger flush` sends them"),
    ):
        if count:
            lines.append(f"{count:,} {what}.")
    if report.ok:
        return [*lines, f"All sums hold: parts add up to the counters within {percent(tolerance)}, every row is right."]
    for finding in report.findings:
        gap = "" if finding.worst_gap is None else f", off by {percent(finding.worst_gap)}"
        lines.append(f"WRONG: {finding.problem}: {finding.count:,} (worst: {finding.worst}{gap}).")
    return lines
