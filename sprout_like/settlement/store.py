"""What settlement needs of a ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from grid import Intensity
from sprout_like.settlement.figures import Group, Provisional, Scope, Settled

__all__ = ["SettlementStore"]


class SettlementStore(Protocol):
    """The rows that settlement reads and writes."""

    def totals_g(self, scope: Scope) -> Mapping[Group, float]:
        """Operational g CO2e of all requests in the scope, each by its best figure; what is unknown is left out."""
        ...

    def provisional(self, scope: Scope) -> Iterator[Sequence[Provisional]]:
        """The requests that were logged without a published actual, settled since or not, in pages, oldest first."""
        ...

    def published(self, zones: Iterable[str], start_utc: datetime, end_utc: datetime) -> Sequence[Intensity]:
        """Actual and estimated readings of those zones that touch the span, its end included."""
        ...

    def keep(self, readings: Sequence[Intensity]) -> None:
        """Keep the readings; a figure that differs from the one kept before replaces it."""
        ...

    def apply(self, settled: Sequence[Settled]) -> None:
        """Write the figures beside their requests, each whole; who dies half way leaves the rest to the next run."""
        ...
