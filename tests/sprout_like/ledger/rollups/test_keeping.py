"""Groups whose references would be the same are kept apart all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from sprout_like.ledger.rollups.keeping import Keeper
from sprout_like.ledger.rollups.live import live
from sprout_like.ledger.schema import GroupRow, RequestRow, StaleHourRow
from sprout_like.ledger.testing import sample_request

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def keep(sheet: Any, hour: datetime, make_ref: Callable[[str], int]) -> None:
    """As another process that adds up this hour alone."""
    query = live(sheet.engine.dialect.name).where(RequestRow.started_utc >= hour)
    with sheet.engine.connect() as connection:
        lines = [line for line in connection.execute(query) if line.hour_utc == hour]
    keeper = Keeper(sheet.engine.dialect.name, make_ref=make_ref)
    with sheet.engine.begin() as connection:
        connection.execute(delete(StaleHourRow).where(StaleHourRow.hour_utc == hour))
        keeper.keep_hours(connection, {hour: lines})
    keeper.remember()


@pytest.mark.parametrize("first", [0, 7])
def test_groups_of_one_hash_are_never_one_group(sheet: Any, first: int) -> None:
    names = ("full", "brief", "frugal")
    sheet.store(*(sample_request(n, directive=names[n % 3]) for n in range(6)))
    sheet.store(*(sample_request(3600 + n, directive=f"other {names[n % 3]}") for n in range(6)))
    wanted = sheet.rows()

    for hour in (NOON, NOON + timedelta(hours=1), NOON):
        keep(sheet, hour, lambda _: first)

    assert sheet.facts() == wanted
    with sheet.engine.connect() as connection:
        assert connection.scalar(select(func.count(GroupRow.group_ref))) == 6
