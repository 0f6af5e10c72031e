"""`sprout-like ledger roll-up` on a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.migrate import ensure_schema
from sprout_like.ledger.request_rows import insert_requests
from sprout_like.ledger.testing import sample_request


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    return str(tmp_path / "ledger.sqlite")


def fill(ledger: str, *rows: Any) -> None:
    engine = build_engine(parse_address(ledger))
    ensure_schema(engine)
    with engine.begin() as connection:
        insert_requests(connection, rows)
    engine.dispose()


def test_it_says_what_became_of_how_many_requests(sprout_like: Any, ledger: str) -> None:
    fill(ledger, *(sample_request(60 * number) for number in range(90)))

    first = sprout_like("ledger", "roll-up", "--ledger", ledger)
    again = sprout_like("ledger", "roll-up", "--ledger", ledger)

    assert first.code == again.code == 0
    assert first.out == "hours added up: 2 (90 requests in 2 lines); still to be read row by row: 0\n"
    assert again.out == "hours added up: 0 (0 requests in 0 lines); still to be read row by row: 0\n"


def test_it_says_when_sums_save_nothing(sprout_like: Any, ledger: str) -> None:
    fill(
        ledger,
        *(
            sample_request(number // 10, tags={"user": str(number)}, request_id=f"{number:032x}")
            for number in range(10_000)
        ),
    )

    outcome = sprout_like("ledger", "roll-up", "--ledger", ledger)

    assert "10,000 requests in 10,000 lines" in outcome.out
    assert "save no time" in outcome.out


def test_a_ledger_that_somebody_else_holds_is_left_for_later(sprout_like: Any, ledger: str) -> None:
    fill(ledger, sample_request(0))
    writer = build_engine(parse_address(ledger))
    with writer.begin() as connection:
        insert_requests(connection, [sample_request(1)])
        outcome = sprout_like("ledger", "roll-up", "--ledger", ledger)
    writer.dispose()

    assert outcome.code == 1
    assert "run this again" in outcome.err
