"""A ledger of requests of half a minute on the half hours of one day, and a source that publishes what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, insert, select
from sqlalchemy.pool import StaticPool

from grid import Capability, Factors, Intensity, Kind, Series, SourceError, ZoneError
from grid.testing import NOON, ManualClock, reading
from sprout_like.carbon import operational_g
from sprout_like.ledger import open_engine, open_ledger
from sprout_like.ledger.request_rows import insert_requests
from sprout_like.ledger.schema import Base, IntensityRow, RequestRow
from sprout_like.ledger.settlements import Settlements
from sprout_like.ledger.testing import sample_request
from sprout_like.record import IntensityRecord, RequestRecord

SLOT = timedelta(minutes=30)
LOGGED_G_PER_KWH = 100.0


def request_row(number: int = 0, **changes: Any) -> RequestRecord:
    """A request served in the slot of that number by a forecast of 100 g/kWh."""
    logged = {
        "started_utc": NOON + number * SLOT + timedelta(minutes=1),
        "duration_s": 30.0,
        "intensity_g_per_kwh": LOGGED_G_PER_KWH,
        "intensity_status": "forecast",
        "intensity_source": "published",
    }
    row = replace(sample_request(number), **{**logged, **changes})
    return replace(row, operational_g=operational_g(row.energy_j, row.intensity_g_per_kwh, row.pue))


def published(g_per_kwh: float, slot: int = 0, **changes: Any) -> Intensity:
    """What the source says about the slot of that number."""
    return reading(g_per_kwh, **{"start_utc": NOON + slot * SLOT, "source": "published", **changes})


class PublishingSource:
    """Has a history only: the readings it was given, for the zones it covers.

    Attributes:
        readings: what it has published. failure: raised in place of an answer. asked: the spans asked for, by zone.
    """

    name = "published"
    can: frozenset[Capability] = frozenset({"history"})
    kind: Kind = "average"
    factors: Factors = "direct"
    slot_s = SLOT.total_seconds()

    def __init__(self, *readings: Intensity, zones: tuple[str, ...] = ("GB",)) -> None:
        self.readings = list(readings)
        self.failure: Exception | None = None
        self.asked: list[tuple[str, datetime, datetime]] = []
        self._zones = zones

    def check_zone(self, zone: str) -> None:
        if zone not in self._zones:
            raise ZoneError(f"zone: {zone} is not covered")

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        self.asked.append((zone, start_utc, end_utc))
        if self.failure is not None:
            raise self.failure
        return Series([r for r in self.readings if r.zone == zone]).between(start_utc, end_utc)

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        raise SourceError(f"{self.name} has no latest")

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        raise SourceError(f"{self.name} has no forecast")

    def close(self) -> None:
        pass


class Ledger:
    """A ledger to be settled, and what it holds."""

    def __init__(self, engine: Engine, write: Callable[[Iterable[object]], None]) -> None:
        self.engine = engine
        self.write = write
        self.store = Settlements(engine, page=3)
        self.clock = ManualClock(NOON + timedelta(days=2))

    def rows(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(RequestRow.__table__).order_by(RequestRow.request_id)))

    def settled(self) -> list[tuple[float | None, str | None]]:
        return [(row.settled_g_per_kwh, row.settled_status) for row in self.rows()]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """On every database, written as requests are."""
    spec = str(tmp_path / "ledger.sqlite") if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = open_ledger(spec, spool_path=tmp_path / "spool.sqlite")

    def write(rows: Iterable[Any]) -> None:
        for row in rows:
            opened.append(row if isinstance(row, RequestRecord) else IntensityRecord.of(row))
        assert opened.flush() == 0

    engine = open_engine(spec)
    yield Ledger(engine, write)
    engine.dispose()
    opened.close()


@pytest.fixture
def memory_ledger() -> Iterator[Callable[[], Ledger]]:
    """Makes ledgers in memory: quick, for many examples."""
    engines: list[Engine] = []

    def make() -> Ledger:
        engine = create_engine("sqlite://", poolclass=StaticPool)
        Base.metadata.create_all(engine)
        engines.append(engine)

        def write(rows: Iterable[Any]) -> None:
            with engine.begin() as connection:
                for row in rows:
                    if isinstance(row, RequestRecord):
                        insert_requests(connection, [row])
                    else:
                        connection.execute(insert(IntensityRow), IntensityRecord.of(row).as_dict())

        return Ledger(engine, write)

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture(scope="session")
def new_source() -> type[PublishingSource]:
    """Makes a source."""
    return PublishingSource


@pytest.fixture(scope="session")
def new_request() -> Callable[..., RequestRecord]:
    """Makes a request."""
    return request_row


@pytest.fixture(scope="session")
def new_reading() -> Callable[..., Intensity]:
    """Makes a reading."""
    return published
