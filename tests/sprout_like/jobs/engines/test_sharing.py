"""Shares of a batch's energy: they add up, and follow what was computed."""

from __future__ import annotations

from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.jobs.engines.sharing import (
    Pass,
    Served,
    continuous_passes,
    parts_of_one,
    shares,
    static_passes,
)

SECONDS = st.floats(0, 1e4)
ROWS = st.lists(st.tuples(st.integers(1, 5000), st.integers(1, 40)), min_size=1, max_size=20)


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=50))
def test_parts_of_one_are_exactly_one(weights: list[float]) -> None:
    parts = parts_of_one(weights)
    assert fsum(parts) == 1
    assert min(parts) >= 0


def test_of_nothing_there_are_no_parts() -> None:
    assert parts_of_one([]) == []


@given(rows=ROWS, prefill_s=SECONDS, step_s=st.lists(SECONDS, min_size=40, max_size=40), idle_s=SECONDS)
def test_the_shares_of_a_static_batch_add_up(
    rows: list[tuple[int, int]], prefill_s: float, step_s: list[float], idle_s: float
) -> None:
    prompts, new = zip(*rows, strict=True)
    passes = static_passes(prompts, new, prefill_s=prefill_s, decode_s=step_s[: max(new) - 1])
    parts = shares(len(rows), passes, idle_s=idle_s, residency_s=[float(n) for n in new])
    assert fsum(parts) == 1
    assert min(parts) >= 0


@given(rows=ROWS)
def test_who_computes_more_takes_no_less(rows: list[tuple[int, int]]) -> None:
    prompts, new = zip(*rows, strict=True)
    parts = shares(len(rows), static_passes(prompts, new, prefill_s=1.0, decode_s=[0.1] * (max(new) - 1)))
    for one, (prompt, tokens) in zip(parts, rows, strict=True):
        for other, (less_prompt, less_tokens) in zip(parts, rows, strict=True):
            if prompt >= less_prompt and tokens >= less_tokens:
                assert one >= other - 1e-9


def test_a_prompt_is_borne_by_its_length_and_a_step_by_those_still_at_it() -> None:
    # 6 s over prompts of 1 and 2 tokens; then 1 s for both, 1 s for the second alone.
    passes = static_passes([1, 2], [2, 3], prefill_s=6.0, decode_s=[1.0, 1.0])
    assert shares(2, passes) == pytest.approx([2.5 / 8, 5.5 / 8])


def test_idle_time_is_borne_by_how_long_each_was_there() -> None:
    assert shares(2, [Pass(4.0, {0: 1.0, 1: 1.0})], idle_s=4.0, residency_s=[1.0, 3.0]) == pytest.approx([3 / 8, 5 / 8])
    assert shares(2, [Pass(4.0)], residency_s=[1.0, 3.0]) == pytest.approx([0.25, 0.75])


def test_who_never_ran_takes_nothing_unless_nobody_did() -> None:
    assert shares(2, [Pass(1.0, {1: 1.0})], idle_s=1.0, residency_s=[0.0, 1.0]) == [0.0, 1.0]
    assert shares(2, []) == [0.5, 0.5]


def test_a_batch_that_comes_and_goes_is_shared_pass_by_pass() -> None:
    passes = continuous_passes(
        [
            Served(prompt_tokens=4, start_s=0.0, tokens_s=[1.0, 2.00001, 3.0]),
            Served(prompt_tokens=4, start_s=0.00001, tokens_s=[1.00002]),
            Served(prompt_tokens=3, start_s=1.1, tokens_s=[2.0]),
        ]
    )
    assert [one.tokens for one in passes] == [{0: 4.0, 1: 4.0}, {0: 1.0, 2: 3.0}, {0: 1.0}]
    assert [one.seconds for one in passes] == pytest.approx([1.0, 1.0, 1.0], abs=1e-3)


def test_a_prompt_that_took_several_passes_is_spread_over_them() -> None:
    passes = continuous_passes(
        [
            Served(prompt_tokens=1, start_s=0.0, tokens_s=[1.0, 2.0]),
            Served(prompt_tokens=8, start_s=0.0, tokens_s=[2.0]),
        ]
    )
    assert [one.tokens for one in passes] == [{0: 1.0, 1: 4.0}, {0: 1.0, 1: 4.0}]


def test_without_any_token_nothing_is_known_of_passes() -> None:
    assert continuous_passes([Served(prompt_tokens=3, start_s=0.0, tokens_s=[])]) == []


@given(
    st.lists(
        st.tuples(st.integers(1, 5000), st.floats(0, 5), st.lists(st.floats(0, 1), min_size=0, max_size=12)),
        min_size=1,
        max_size=12,
    )
)
def test_the_shares_of_a_continuous_batch_add_up(rows: list[tuple[int, float, list[float]]]) -> None:
    served = [
        Served(prompt_tokens=tokens, start_s=start_s, tokens_s=sorted(start_s + later_s for later_s in after_s))
        for tokens, start_s, after_s in rows
    ]
    passes = continuous_passes(served)
    whole_s = fsum(one.seconds for one in passes)
    stamps = [stamp_s for one in served for stamp_s in one.tokens_s]
    starts = [one.start_s for one in served if one.tokens_s]
    assert whole_s == pytest.approx(max(stamps) - min(starts) if stamps else 0.0)
    for row, one in enumerate(served):
        computed = fsum(each.tokens.get(row, 0.0) for each in passes)
        assert computed == pytest.approx(one.prompt_tokens + len(one.tokens_s) - 1 if one.tokens_s else 0.0)
    parts = shares(len(rows), passes)
    assert fsum(parts) == 1
    assert min(parts) >= 0
