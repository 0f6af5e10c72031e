"""The whole document."""

from __future__ import annotations

from collections.abc import Iterator

from sprout_like.reports.document.blocks import Block, Words
from sprout_like.reports.document.overview import overview
from sprout_like.reports.document.savings import quality, savings
from sprout_like.reports.document.statements import costs, devices, jobs, method, standards
from sprout_like.reports.report import Report

__all__ = ["document"]


def document(report: Report) -> Iterator[Block]:
    """A report in words and tables; of an empty span it says so, and what there is all the same."""
    if report.empty:
        yield Words("The ledger holds no request in this span.")
        yield from jobs(report)
        yield from devices(report)
        return
    for section in (overview, savings, quality, costs, standards, jobs, devices, method):
        yield from section(report)
