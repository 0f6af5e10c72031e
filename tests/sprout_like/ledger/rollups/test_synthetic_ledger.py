"""The made-up ledger that figures are measured on: it adds up, and is the same each time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks.synthetic_ledger import fill
from sprout_like.ledger import open_engine
from sprout_like.ledger.check import check
from sprout_like.ledger.rollups.roller import roll_up
from sprout_like.ledger.schema import EvaluationRow, JobRow, RequestRow

ROWS = 4000


def test_it_adds_up_and_holds_what_it_says(tmp_path: Path, sheet_of: Any) -> None:
    *_, written = fill(str(tmp_path / "ledger.sqlite"), rows=ROWS, days=4)
    engine = open_engine(tmp_path / "ledger.sqlite")

    report = check(engine)

    assert report.findings == ()
    assert (written, report.requests) == (ROWS, ROWS)
    assert report.unmetered > 0
    sheet = sheet_of(engine)
    roll_up(engine, now_utc=datetime(2027, 1, 1, tzinfo=UTC))
    assert sheet.requests_n() == ROWS
    assert {line.status for line in sheet.facts()} == {"ok", "error"}
    with engine.connect() as connection:
        for table in (JobRow, EvaluationRow):
            assert connection.scalar(select(func.count()).select_from(table))
        groups = select(RequestRow.decision_group, func.count()).group_by(RequestRow.decision_group)
        shares = dict(connection.execute(groups).all())
    assert 0.02 * ROWS < shares["control"] < 0.08 * ROWS
    engine.dispose()


def test_the_same_seed_gives_the_same_rows(tmp_path: Path) -> None:
    found = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        for _ in fill(str(tmp_path / name), rows=50, days=1, seed=seed):
            pass
        engine = open_engine(tmp_path / name)
        with engine.connect() as connection:
            found.append(connection.execute(select(RequestRow.__table__).order_by(RequestRow.request_id)).all())
        engine.dispose()

    assert found[0] == found[1]
    assert found[0] != found[2]
