"""The outcome of a ledger check, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sprout_like.ledger.audit import CheckReport
from sprout_like.ledger.device_hours import DeviceHour
from sprout_like.printable import printable
from sprout_like.reports.figures import number, percent
from sprout_like.reports.machine import to_json
from sprout_like.reports.whole import Whole

__all__ = ["as_json", "as_table"]

_HOURS_SHOWN: Final = 24
_ROUNDING: Final = 1e-6


def as_table(report: CheckReport, tolerance: float) -> RenderableType:
    """For a terminal of 80 columns: each device's sums in its last hours, then what is wrong anywhere."""
    hours: dict[tuple[str, str], list[DeviceHour]] = {}
    for hour in report.hours:
        hours.setdefault((hour.host or "", hour.device_id), []).append(hour)
    parts: list[RenderableType] = []
    for (host, device_id), all_hours in sorted(hours.items()):
        heading = printable(f"{device_id} of {host}" if host else device_id)
        parts += [Text(f"{heading}, J per hour", style="italic"), Whole(_table(all_hours[-_HOURS_SHOWN:]))]
        parts += [Text(f"{line}\n") for line in _shared_lines(all_hours)]
        if len(all_hours) > _HOURS_SHOWN:
            parts.append(Text(f"{len(all_hours) - _HOURS_SHOWN:,} earlier hours are checked too; --json lists them.\n"))
    return Group(*parts, *(Text(line) for line in _lines(report, tolerance)))


def as_json(report: CheckReport) -> str:
    """The whole outcome; stamps in ISO 8601, unknown as null."""
    return to_json({"ok": report.ok, **asdict(report)})


def _table(hours: Iterable[DeviceHour]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("hour (UTC)")
    for heading in ("counter", "requests", "elsewhere", "overhead", "idle"):
        table.add_column(heading, justify="right", no_wrap=True)
    for hour in hours:
        parts = (hour.counter_j, hour.requests_j, hour.elsewhere_j, hour.overhead_j, hour.idle_j)
        table.add_row(f"{hour.hour_utc:%Y-%m-%d %H}", *(number(part, 1) for part in parts))
    return table


def _shared_lines(hours: Sequence[DeviceHour]) -> list[str]:
    """Of a counter that several processes read: how much of it is in these accounts."""
    counted = [hour for hour in hours if hour.host_counter_j is not None]
    host_j = sum(hour.host_counter_j or 0.0 for hour in counted)
    here_j = sum(hour.counter_j for hour in counted)
    most = max((hour.sessions_n for hour in counted), default=0)
    rest = host_j - here_j > _ROUNDING * host_j
    if most < 2 and not rest:
        return []
    said = (
        f"All processes read one counter: {number(host_j, 1)} J. The accounts here hold "
        f"{percent(here_j / host_j if host_j else 1.0)} of it (processes in an hour: at most {most})."
    )
    why = " The rest is in other ledgers, in accounts not closed yet, or lost with a process."
    return [said + why if rest else said]


def _lines(report: CheckReport, tolerance: float) -> list[str]:
    lines = [f"{report.requests:,} requests and {report.accounts:,} energy accounts read."]
    for count, what in (
        (report.unmetered, "requests have unknown energy"),
        (report.open_requests, "requests are booked in accounts not closed yet (their process runs, or was killed)"),
        (report.pending, "rows still wait in the spool: `sprout-like ledger flush` sends them"),
    ):
        if count:
            lines.append(f"{count:,} {what}.")
    if report.pending is None:
        lines.append("Rows that may wait in the spool are not counted.")
    if report.ok:
        return [*lines, f"All sums hold: parts add up to the counters within {percent(tolerance)}, every row is right."]
    for finding in report.findings:
        gap = "" if finding.worst_gap is None else f", off by {percent(finding.worst_gap)}"
        lines.append(f"WRONG: {finding.problem}: {finding.count:,} (worst: {finding.worst}{gap}).")
    return lines
