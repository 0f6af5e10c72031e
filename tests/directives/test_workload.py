"""Which requests share a bin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directives import Observation
from directives.workload import BATCH_EDGES, LIMIT_EDGES, PROMPT_EDGES, Bin, bin_of


def test_a_request_is_told_by_task_lengths_and_rows() -> None:
    seen = Observation(intensity_g_per_kwh=200.0, task="question", prompt_tokens=40, limit_tokens=64, batch_size=1)

    assert bin_of(seen) == Bin(task="question", prompt_tokens="1-128", limit_tokens="33-128", batch_size="1")
    assert str(bin_of(seen)) == "question, prompt 1-128, limit 33-128, batch 1"


def test_what_is_unknown_is_left_empty_and_no_zero() -> None:
    assert bin_of(Observation()) == Bin(task="", prompt_tokens="", limit_tokens="", batch_size="")
    assert bin_of(Observation(prompt_tokens=900)).prompt_tokens == ""  # of how many rows?


def test_the_prompt_of_a_batch_counts_per_row() -> None:
    assert bin_of(Observation(prompt_tokens=8 * 100, batch_size=8)).prompt_tokens == "1-128"


@pytest.mark.parametrize(("edges", "field"), [(PROMPT_EDGES, "prompt_tokens"), (LIMIT_EDGES, "limit_tokens")])
def test_an_edge_belongs_to_the_bucket_below_it(edges: tuple[int, ...], field: str) -> None:
    for edge in edges:
        at = getattr(bin_of(Observation(**{field: edge}, batch_size=1)), field)
        above = getattr(bin_of(Observation(**{field: edge + 1}, batch_size=1)), field)
        assert at.endswith(f"-{edge}")
        assert above.startswith(str(edge + 1))
    assert above == f"{edges[-1] + 1}+"


@given(rows=st.integers(1, 1000), more=st.integers(0, 1000))
def test_buckets_are_in_order_and_none_is_missing(rows: int, more: int) -> None:
    buckets = [bin_of(Observation(batch_size=n)).batch_size for n in range(1, BATCH_EDGES[-1] + 2)]
    order = list(dict.fromkeys(buckets))

    assert order == ["1", "2-4", "5-16", "17-64", "65+"]
    one, other = (bin_of(Observation(batch_size=n)).batch_size for n in (rows, rows + more))
    assert order.index(one) <= order.index(other)
