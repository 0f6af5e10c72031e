"""Which prompts run together, and how many."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.jobs.engines.batching import BatchSize, groups

LENGTHS = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 200)), max_size=60)


@given(lengths=LENGTHS, most=st.integers(1, 20), cache_tokens=st.none() | st.integers(1, 5000))
def test_every_prompt_is_in_one_batch_that_fits(
    lengths: list[tuple[int, int]], most: int, cache_tokens: int | None
) -> None:
    batches = groups(lengths, most=most, cache_tokens=cache_tokens)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        assert 1 <= len(batch) <= most
        longest = max(lengths[place][0] for place in batch) + max(lengths[place][1] for place in batch)
        assert cache_tokens is None or len(batch) == 1 or len(batch) * longest <= cache_tokens


def test_those_that_end_alike_stand_together_the_longest_first() -> None:
    assert groups([(5, 10), (90, 50), (7, 10), (2, 50)], most=2) == [[1, 3], [2, 0]]


def full_batches(size: BatchSize, *speeds: float) -> BatchSize:
    for tokens_per_s in speeds:
        size = size.after(size.now, tokens_per_s)
    return size


def test_a_size_is_doubled_until_it_is_slower() -> None:
    size = full_batches(BatchSize(now=4), 100, 190, 300)
    assert size.now == 32
    assert size.after(32, 310).now == 64
    slower = full_batches(size, 290, 295)
    assert (slower.now, slower.wanted) == (16, 16)


def test_one_batch_that_was_slower_says_little() -> None:
    size = full_batches(BatchSize(now=32), 100, 99)
    assert (size.now, size.wanted) == (64, None)
    assert size.after(64, 101).now == 128
    again = size.after(64, 101).after(128, 90)
    assert again.now == 128  # of this size it is the first


def test_a_larger_size_is_tried_again_later_and_later() -> None:
    size, waits = full_batches(BatchSize(now=32), 100, 99, 99), []
    for _ in range(3):
        waited = 0
        while size.now == 32:
            size, waited = size.after(32, 100), waited + 1
        assert size.now == 64
        waits.append(waited)
        size = full_batches(size, 99, 99)
    assert waits[0] >= 20
    assert waits[1:] == [2 * waits[0], 4 * waits[0]]


def test_a_batch_that_was_fast_by_chance_is_forgotten() -> None:
    size = full_batches(BatchSize(now=32), 1000, 150, 150)
    assert size.now == 32
    for _ in range(100):
        size = size.after(size.now, 100 if size.now == 32 else 150)
    assert size.now > 32


def test_a_size_that_was_given_stays() -> None:
    size = BatchSize(now=8, most=8, wanted=8)
    for _ in range(200):
        size = size.after(8, 100)
    assert size.now == 8
    small = size.after_too_large(8)
    for _ in range(2000):
        small = small.after(small.now, 100)
    assert small.now == 8


@pytest.mark.parametrize("seed", range(10))
def test_noise_does_not_keep_it_from_the_fastest_size(seed: int) -> None:
    noise, size = random.Random(seed), BatchSize()
    true_per_s = {32: 100.0, 64: 108.0, 128: 116.0, 256: 70.0}
    sizes = []
    for _ in range(1000):
        sizes.append(size.now)
        size = size.after(size.now, true_per_s[size.now] * noise.uniform(0.9, 1.1))
    assert sizes[-500:].count(128) > 450


def test_a_batch_that_was_not_full_says_nothing() -> None:
    assert BatchSize(now=8).after(3, 1e9) == BatchSize(now=8)


def test_the_search_ends_at_the_most() -> None:
    size = full_batches(BatchSize(now=8, most=20), 100, 200, 400, 800)
    assert size.now == 20
    assert size.wanted == 20


def test_what_does_not_fit_is_halved_down_to_one() -> None:
    size = BatchSize(now=3)
    assert size.after_too_large(3).now == 1
    assert size.after_too_large(3).after_too_large(1).now == 1


def test_a_size_that_did_not_fit_is_tried_again_later_and_later() -> None:
    size = full_batches(BatchSize(now=16), 100).after_too_large(32)
    assert size.now == 16
    small = size.after_too_large(16)
    assert small.now == 8
    waited = 0
    while small.now == 8:
        small, waited = small.after(8, 100), waited + 1
    assert waited > 20
    assert 8 < small.now < 16
    again = small.after_too_large(small.now)
    assert again.patience > small.patience


@given(st.lists(st.one_of(st.just(None), st.floats(1, 1000)), max_size=300))
def test_the_size_stays_between_one_and_the_most(outcomes: list[float | None]) -> None:
    size = BatchSize(now=8, most=64)
    for tokens_per_s in outcomes:
        size = size.after_too_large(size.now) if tokens_per_s is None else size.after(size.now, tokens_per_s)
        assert 1 <= size.now <= 64
        assert size.wanted is None or size.wanted <= 64
