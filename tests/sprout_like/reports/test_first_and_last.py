"""When the first and the last request of a span began, whatever order they were written in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sprout_like.ledger.begun import first_and_last_utc
from sprout_like.ledger.testing import sample_request

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("since", "until", "first", "last"),
    [(None, None, 0, 9), (3, None, 4, 9), (None, 9, 0, 7), (4, 7, 4, 4), (5, 7, None, None), (20, None, None, None)],
)
def test_its_end_is_exclusive(
    filled: Callable[..., Any], since: int | None, until: int | None, first: int | None, last: int | None
) -> None:
    engine = filled([sample_request(number, started_utc=at(minute)) for number, minute in enumerate((7, 0, 9, 4))])
    span = {"since_utc": None if since is None else at(since), "until_utc": None if until is None else at(until)}
    with engine.connect() as connection:
        found = first_and_last_utc(connection, **span)
    assert found == (None if first is None else at(first), None if last is None else at(last))
