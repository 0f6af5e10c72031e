"""What the tests of settling share."""

from __future__ import annotations

from typing import Any

from sprout_like.settlement.report import SettlementReport
from sprout_like.settlement.settle import settle

UNKNOWN = dict.fromkeys(
    ("intensity_g_per_kwh", "intensity_kind", "intensity_factors", "intensity_status", "intensity_source")
)


def run(ledger: Any, source: Any, **options: Any) -> SettlementReport:
    return settle(ledger.store, source, now_utc=ledger.clock, **options)
