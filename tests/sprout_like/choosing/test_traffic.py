"""The mix of recent requests."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directives import Observation
from directives.workload import Bin, bin_of
from sprout_like.choosing.traffic import HALF_LIFE_REQUESTS, LEAST_REQUESTS, Traffic, shift

CHAT, CODE = Observation(task="chat"), Observation(task="code")

mixes = st.dictionaries(st.sampled_from([Bin(task=t) for t in "abcd"]), st.floats(0.01, 1), min_size=1).map(
    lambda weights: {bin_: weight / sum(weights.values()) for bin_, weight in weights.items()}
)


def mix_of(*requests: tuple[Observation, int]) -> Mapping[Bin, float] | None:
    traffic = Traffic()
    for observation, times in requests:
        for _ in range(times):
            traffic.add(observation)
        traffic.mix()
    return traffic.mix()


def test_a_few_requests_are_no_mix() -> None:
    assert mix_of((CHAT, LEAST_REQUESTS - 1)) is None
    assert mix_of((CHAT, LEAST_REQUESTS)) == {bin_of(CHAT): 1.0}


@pytest.mark.parametrize("before", [HALF_LIFE_REQUESTS, 3 * HALF_LIFE_REQUESTS, 7777])
def test_after_a_half_life_an_older_request_counts_half(before: int) -> None:
    """Of endless chat and then `h` requests for code, with h the half-life, each makes a half."""
    mix = mix_of((CHAT, before), (CODE, HALF_LIFE_REQUESTS))

    assert mix is not None
    forgotten = 0.5 ** (before / HALF_LIFE_REQUESTS)
    chat = 0.5 * (1 - forgotten)
    assert mix[bin_of(CHAT)] == pytest.approx(chat / (chat + 0.5), rel=2e-3)


def test_what_no_longer_comes_is_forgotten() -> None:
    assert mix_of((CHAT, 5000), *[(CODE, 5000)] * 10) == {bin_of(CODE): 1.0}


@given(mixes, mixes)
def test_a_shift_is_a_share(one: Mapping[Bin, float], other: Mapping[Bin, float]) -> None:
    assert -1e-9 <= shift(one, other) <= 1 + 1e-9
    assert shift(one, other) == pytest.approx(shift(other, one))
    assert shift(one, one) == 0


def test_disjoint_mixes_are_wholly_shifted() -> None:
    assert shift({Bin(task="a"): 1.0}, {Bin(task="b"): 1.0}) == 1.0
    assert shift({}, {Bin(task="b"): 1.0}) == 0.5
