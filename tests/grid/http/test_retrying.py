"""When a question is asked again, and after how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import BadData, NoData, SourceDown, SourceError, SourceRefused
from grid.http.retrying import Retrying

seconds = st.floats(0, 1e6)
policies = st.builds(
    Retrying, attempts=st.integers(1, 5_000), first_wait_s=st.floats(0, 100), longest_wait_s=st.floats(0, 100)
)
draws = st.floats(0, 1, exclude_max=True)


@given(policies, st.integers(1, 5_000), seconds, draws, st.none() | seconds)
def test_a_wait_is_within_every_limit(
    retrying: Retrying, failed: int, left_s: float, uniform: float, asked_s: float | None
) -> None:
    wait_s = retrying.wait_s(failed, SourceDown("", retry_after_s=asked_s), left_s=left_s, uniform=uniform)
    if wait_s is None:
        assert failed >= retrying.attempts or left_s <= max(retrying.longest_wait_s, asked_s or 0)
    else:
        assert failed < retrying.attempts
        assert (asked_s or 0) <= wait_s < left_s
        assert wait_s <= max(retrying.longest_wait_s, asked_s or 0)


@given(st.integers(1, 40), draws)
def test_the_limit_doubles_from_attempt_to_attempt(failed: int, uniform: float) -> None:
    retrying = Retrying(attempts=100, first_wait_s=1, longest_wait_s=1e12)
    wait_s = retrying.wait_s(failed, SourceDown(""), left_s=1e13, uniform=uniform)
    assert wait_s == pytest.approx(uniform * 2 ** min(failed - 1, 32))


@given(policies, st.sampled_from([SourceError, SourceRefused, NoData, BadData]), draws)
def test_only_what_may_pass_is_asked_again(retrying: Retrying, kind: type[SourceError], uniform: float) -> None:
    assert retrying.wait_s(1, kind("no"), left_s=1e6, uniform=uniform) is None
