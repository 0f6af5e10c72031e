"""Counting tokens and reasons, on rows made by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sprout_like.engines.counting import cut_at_end, finish_reason

ENDS = (2, 7)


def test_a_row_is_cut_after_its_first_end_token() -> None:
    assert cut_at_end([5, 6, 2, 2, 2], ENDS) == [5, 6, 2]
    assert cut_at_end([5, 6], ENDS) == [5, 6]
    assert cut_at_end([], ENDS) == []
    assert cut_at_end([7, 5], ENDS) == [7]


def test_reasons() -> None:
    assert finish_reason([[5, 2]], ENDS, 9) == "eos"
    assert finish_reason([[5, 5, 5]], ENDS, 3) == "length"
    assert finish_reason([[5, 5]], ENDS, 3) == "stop"
    assert finish_reason([[5, 2], [5, 5, 5]], ENDS, 3) == "eos+length"
    assert finish_reason([[5, 5, 2]], ENDS, 3) == "eos"
    assert finish_reason([[5, 5]], ENDS, None) is None
    assert finish_reason([], ENDS, 3) is None


@given(row=st.lists(st.integers(0, 9)))
def test_what_is_cut_is_a_prefix_with_at_most_one_end_token_at_its_end(row: list[int]) -> None:
    kept = cut_at_end(row, ENDS)
    assert row[: len(kept)] == kept
    assert not any(token in ENDS for token in kept[:-1])
    assert len(kept) == len(row) or kept[-1] in ENDS
