"""The team's database goes away while requests are served, and comes back."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from sprout_like import CarbonAware, Settings
from sprout_like.ledger import open_engine
from sprout_like.ledger.schema import RequestRow
from sprout_like.testing import NullEngine


@pytest.mark.postgres
def test_no_row_is_lost_or_doubled_and_their_order_is_kept(
    postgres_server: Any, postgres_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings.load(spool=tmp_path / "spool.sqlite")
    with CarbonAware(None, engine=NullEngine(), grid=100, ledger=postgres_url, settings=settings) as aware:
        served = [aware.chat("x").record.request_id for _ in range(20)]
        ledger = aware._parts.ledger
        assert ledger.flush() == 0
        postgres_server.stop()
        try:
            with caplog.at_level(logging.WARNING):
                served += [aware.chat("x").record.request_id for _ in range(20)]
                assert ledger.flush() == 20
                served += [aware.chat("x").record.request_id for _ in range(20)]
                assert ledger.flush() == 40
        finally:
            postgres_server.start()
        assert ledger.flush() == 0
        served += [aware.chat("x").record.request_id for _ in range(20)]
    warnings = [r for r in caplog.records if r.levelno >= logging.WARNING and "ledger" in r.name]
    assert len(warnings) == 1
    assert postgres_server.password not in caplog.text
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        stored = list(connection.scalars(select(RequestRow.request_id).order_by(RequestRow.started_utc)))
    engine.dispose()
    assert stored == served
