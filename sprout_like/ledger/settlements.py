"""The rows that settlement reads and writes, page by page; see `sprout_like.settlement.store`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, Select, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from grid import Intensity
from sprout_like.ledger.best_known import FACTORS, KIND, LOGGED_PROVISIONAL, OPERATIONAL_G
from sprout_like.ledger.request_rows import RequestWriter
from sprout_like.ledger.schema import IntensityRow, RequestRow
from sprout_like.record import IntensityRecord
from sprout_like.settlement.figures import Group, Provisional, Scope, Settled

__all__ = ["DryRun", "Settlements"]

_PAGE: Final = 2000

_PASSES: Final = 32
"""PostgreSQL writes a row that changes anew: in its own page where there is room, else elsewhere, with new entries in
the indexes. A page holds about as many requests, so that a pass takes one of each, in whose room the next one fits."""

_COLUMNS: Final = tuple(getattr(RequestRow, field.name) for field in fields(Provisional))
_READING: Final = tuple(getattr(IntensityRow, name) for name in IntensityRecord.__slots__)
_KEY: Final = ("zone", "source", "kind", "factors", "status", "start_utc")


class Settlements:
    """A ledger as a `SettlementStore`.

    Args:
        engine: a database with the ledger's schema, from `open_engine`.
        page: requests per page.
    """

    def __init__(self, engine: Engine, *, page: int = _PAGE) -> None:
        self._engine = engine
        self._page = page
        self._passes = _PASSES if engine.dialect.name == "postgresql" else 1

    def totals_g(self, scope: Scope) -> Mapping[Group, float]:
        """Operational g CO2e per group; what is unknown is left out."""
        query = select(RequestRow.zone, KIND, FACTORS, func.sum(OPERATIONAL_G)).where(OPERATIONAL_G.is_not(None))
        with self._engine.connect() as connection:
            rows = connection.execute(_within(scope, query.group_by(RequestRow.zone, KIND, FACTORS))).all()
        return {Group(zone, kind, factors): total_g for zone, kind, factors, total_g in rows}

    def provisional(self, scope: Scope) -> Iterator[Sequence[Provisional]]:
        """Pages in the order of the ids, which rise with time; nothing is open between two pages."""
        query = select(*_COLUMNS).where(LOGGED_PROVISIONAL, RequestRow.energy_j.is_not(None))
        query = _within(scope, query).order_by(RequestRow.request_id).limit(self._page)
        last = ""
        while True:
            with self._engine.connect() as connection:
                rows = connection.execute(query.where(RequestRow.request_id > last)).all()
            if not rows:
                return
            page = [Provisional(**row._mapping) for row in rows]  # noqa: SLF001 - its public name, says SQLAlchemy
            yield page
            last = page[-1].request_id

    def published(self, zones: Iterable[str], start_utc: datetime, end_utc: datetime) -> Sequence[Intensity]:
        """Actual and estimated readings of those zones that touch the span, its end included."""
        query = select(*_READING).where(
            IntensityRow.zone.in_(list(zones)),
            IntensityRow.status.in_(("actual", "estimated")),
            IntensityRow.start_utc <= end_utc,
            IntensityRow.end_utc > start_utc,
        )
        with self._engine.connect() as connection:
            return [Intensity(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - as above

    def keep(self, readings: Sequence[Intensity]) -> None:
        """Keep the readings; a figure that differs from the one kept before replaces it."""
        if not readings:
            return
        make = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        insert = make(IntensityRow)
        new = insert.excluded
        statement = insert.on_conflict_do_update(
            index_elements=_KEY,
            set_={name: new[name] for name in ("end_utc", "g_per_kwh", "fetched_at_utc")},
            where=or_(IntensityRow.g_per_kwh != new.g_per_kwh, IntensityRow.end_utc != new.end_utc),
        )
        with self._engine.begin() as connection:
            connection.execute(statement, [IntensityRecord.of(reading).as_dict() for reading in readings])

    def apply(self, settled: Sequence[Settled]) -> None:
        """Write the figures beside their requests, each whole; on PostgreSQL, some are there before the others."""
        rows, writer = [_columns(figures) for figures in settled], RequestWriter()
        for first in range(min(self._passes, len(rows))):
            with self._engine.begin() as connection:
                writer.settle(connection, rows[first :: self._passes])


class DryRun(Settlements):
    """The same ledger, to see what a settlement would do: what is read is real, what is written is remembered only."""

    def __init__(self, engine: Engine, *, page: int = _PAGE) -> None:
        super().__init__(engine, page=page)
        self._kept: dict[tuple[Any, ...], Intensity] = {}

    def published(self, zones: Iterable[str], start_utc: datetime, end_utc: datetime) -> Sequence[Intensity]:
        """Those of the ledger, as they would be with what was to be kept."""
        wanted = set(zones)
        found = {_key(reading): reading for reading in super().published(wanted, start_utc, end_utc)}
        found |= {
            key: reading
            for key, reading in self._kept.items()
            if reading.zone in wanted and reading.start_utc <= end_utc and reading.end_utc > start_utc
        }
        return list(found.values())

    def keep(self, readings: Sequence[Intensity]) -> None:
        """Remember them."""
        self._kept |= {_key(reading): reading for reading in readings}

    def apply(self, settled: Sequence[Settled]) -> None:
        """Nothing."""


def _within(scope: Scope, query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    if scope.zone is not None:
        query = query.where(RequestRow.zone == scope.zone)
    return query if scope.since_utc is None else query.where(RequestRow.started_utc >= scope.since_utc)


def _columns(figures: Settled) -> dict[str, Any]:
    return {name: getattr(figures, name) for name in Settled.__slots__}


def _key(reading: Intensity) -> tuple[Any, ...]:
    return tuple(getattr(reading, name) for name in _KEY)
