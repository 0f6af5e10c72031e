"""Ledgers for the tests of the dashboard."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sprout_like.carbon import operational_g
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.postgres_store import PostgresStore
from sprout_like.ledger.sqlite_store import SqliteStore
from sprout_like.ledger.testing import sample_request
from sprout_like.record import RequestRecord

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


def now_request(number: int, *, ago: timedelta = timedelta(seconds=1), **changes: Any) -> RequestRecord:
    """A request of just now."""
    started_utc = datetime.now(UTC) - ago
    known = {"request_id": f"{number:032x}", "started_utc": started_utc, "intensity_start_utc": started_utc}
    return replace(sample_request(), **{**known, **changes})


def write(spec: str | Path, records: Iterable[RequestRecord]) -> None:
    """Add rows to a ledger that is made where there is none."""
    url = parse_address(spec)
    engine = build_engine(url)
    store = SqliteStore(engine) if url.get_backend_name() == "sqlite" else PostgresStore(engine)
    with closing(store):
        store.prepare()
        store.insert(list(records))


def busy_month(rows: int, *, now_utc: datetime | None = None, seed: int = 7) -> Iterator[RequestRecord]:
    """A month in which the mix follows the grid's intensity and a control group is drawn."""
    rng, now_utc = Random(seed), now_utc or datetime.now(UTC)
    month = timedelta(days=30)
    for number in range(rows):
        started_utc = now_utc - (month * (number / rows) if number % 30 else timedelta(hours=1) * rng.random())
        hour = started_utc.hour + started_utc.minute / 60
        if number % 30 and rng.random() > 0.6 + 0.4 * math.sin((hour - 8) / 24 * 2 * math.pi):
            continue
        intensity = 170 + 90 * math.sin((hour - 9) / 24 * 2 * math.pi) + 10 * rng.random()
        control = rng.random() < 0.1
        dirty = intensity > 180
        directive = (
            "full"
            if control or rng.random() < 0.2
            else rng.choice(("brief", "very_brief", "early_exit") if dirty else ("brief", "draft", "full"))
        )
        energy_j = {"full": 22.0, "brief": 14.0, "very_brief": 9.0, "early_exit": 12.0, "draft": 17.0}[directive]
        energy_j *= 0.8 + 0.4 * rng.random()
        yield replace(
            sample_request(),
            request_id=f"{number:032x}",
            started_utc=started_utc,
            status="error" if rng.random() < 0.01 else "ok",
            directive=directive,
            decision_group="control" if control else "policy",
            intensity_g_per_kwh=intensity,
            intensity_start_utc=started_utc.replace(minute=0, second=0, microsecond=0),
            energy_j=energy_j,
            energy_method="apportioned" if rng.random() < 0.3 else "measured",
            operational_g=operational_g(energy_j, intensity, 1.2),
        )
