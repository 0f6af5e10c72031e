"""What a report answers for; of each file here, the one of the same name in `sections` reads it from the ledger."""

from __future__ import annotations

from sprout_like.reports.statements.costs import Cost, Sci
from sprout_like.reports.statements.devices import Device
from sprout_like.reports.statements.jobs import JobLine, Window, ZoneIntensity
from sprout_like.reports.statements.method import Gap, Method
from sprout_like.reports.statements.quality import Quality
from sprout_like.reports.statements.site import Equivalence, LocationBased, MarketBased, Scope2, Site

__all__ = [
    "Cost",
    "Device",
    "Equivalence",
    "Gap",
    "JobLine",
    "LocationBased",
    "MarketBased",
    "Method",
    "Quality",
    "Sci",
    "Scope2",
    "Site",
    "Window",
    "ZoneIntensity",
]
