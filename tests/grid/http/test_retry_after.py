"""What a `Retry-After` header asks for."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

from hypothesis import given
from hypothesis import strategies as st

from grid.http.retry_after import retry_after_s
from grid.testing import NOON, ManualClock


@given(st.integers(0, 10**400))
def test_seconds_are_seconds_however_many(seconds: int) -> None:
    assert retry_after_s(str(seconds), ManualClock()) == min(seconds, 10**9)


@given(st.integers(-(10**8), 10**8))
def test_a_date_is_the_time_until_then_and_never_negative(seconds: int) -> None:
    header = format_datetime(NOON + timedelta(seconds=seconds), usegmt=True)
    assert retry_after_s(header, ManualClock()) == max(0, seconds)


@given(st.text())
def test_anything_else_asks_for_nothing(header: str) -> None:
    seconds = retry_after_s(header, ManualClock())
    assert seconds is None or 0 <= seconds < float("inf")
