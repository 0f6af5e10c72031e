"""The outcome of a settlement, as a table and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sprout_like.reports.figures import UNKNOWN_MARK, grams, number, percent
from sprout_like.reports.machine import to_json
from sprout_like.reports.whole import Whole
from sprout_like.settlement.report import GroupOutcome, SettlementReport

__all__ = ["as_json", "as_table"]

_NOTHING_KNOWN: Final = "No request of known energy is in this scope: nothing needs settling."
_ALL_FINAL: Final = "Every request of known energy in this scope has a published actual: nothing needs settling."
_HEADINGS: Final = ("settled", "corrected", "before", "after", "moved", "by")


def as_table(report: SettlementReport) -> RenderableType:
    """How far each total moved, then what is still provisional and why."""
    if not report.groups:
        return Text(_NOTHING_KNOWN if report.nothing_known else _ALL_FINAL)
    return Group(Whole(_table(report)), *(Text(line) for line in _lines(report)))


def as_json(report: SettlementReport) -> str:
    """The whole outcome; unknown as null."""
    groups = [{**asdict(group), "moved_share": group.moved_share} for group in report.groups]
    return to_json({**asdict(report), "groups": groups, "changed": report.changed})


def _table(report: SettlementReport) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("zone")
    table.add_column("intensity", overflow="fold")
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    for group in report.groups:
        table.add_row(
            Text(group.zone),
            f"{group.kind}, {group.factors}",
            number(group.settled, 0),
            number(group.corrected, 0),
            grams(group.before_g),
            grams(group.after_g),
            _signed(grams(group.moved_g), group.moved_g),
            _signed(percent(group.moved_share), group.moved_share),
        )
    return table


def _lines(report: SettlementReport) -> list[str]:
    lines = []
    if not report.changed:
        lines.append("Nothing changed.")
    elif report.dry_run:
        lines.append("A dry run: nothing was written.")
    lines += [_newly_known(group) for group in report.groups if group.newly_known]
    unchanged = sum(group.unchanged for group in report.groups)
    if unchanged:
        were = (
            "request was settled before, and still is"
            if unchanged == 1
            else "requests were settled before, and still are"
        )
        lines.append(f"{unchanged:,} {were}.")
    lines += [
        f"Still provisional: {part.requests:,} in {part.zone} ({part.kind}, {part.factors}): {part.reason}."
        for part in report.still_open
    ]
    if report.problem is not None:
        lines.append("The source failed; run this again later for the rest.")
    return lines


def _newly_known(group: GroupOutcome) -> str:
    requests = "a request" if group.newly_known == 1 else f"{group.newly_known:,} requests"
    return (
        f"{group.zone}: {grams(group.newly_known_g)} of the move are of {requests} without an intensity before, "
        "which the percentage leaves out."
    )


def _signed(figure: str, value: float | None) -> str:
    return f"+{figure}" if value is not None and value > 0 and figure != UNKNOWN_MARK else figure
