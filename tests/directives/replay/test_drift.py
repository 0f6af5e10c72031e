"""A changed mix is noticed, an unchanged one is not."""

from __future__ import annotations

import numpy as np
import pytest

from directives.replay.drift import Watch

MIX = np.array([0.3, 0.25, 0.2, 0.15, 0.07, 0.03, 0.0])


def test_what_comes_first_is_a_change_and_the_same_again_is_none() -> None:
    watch = Watch()
    assert watch.seen is None
    assert watch.changed(np.array([5.0, 5.0]))
    assert not watch.changed(np.array([5.0, 5.0]))
    assert watch.seen is not None
    assert watch.seen.tolist() == [10, 10]


def test_a_change_forgets_what_was_before() -> None:
    watch = Watch()
    watch.changed(np.array([900.0, 100.0]))
    assert watch.changed(np.array([700.0, 300.0]))
    assert watch.seen is not None
    assert watch.seen.tolist() == [700, 300]
    assert not watch.changed(np.array([705.0, 295.0]))


@pytest.mark.parametrize("seed", range(5))
def test_luck_is_no_change(seed: int) -> None:
    """A month of six looks an hour."""
    rng, watch = np.random.default_rng(seed), Watch()
    alarms = sum(watch.changed(rng.multinomial(1667, MIX).astype(float)) for _ in range(720 * 6))
    assert alarms == 1, "the first"


@pytest.mark.parametrize(("n", "shift"), [(1667, 0.1), (1667, 0.07), (200, 0.3)])
def test_a_shift_is_noticed_at_the_first_look(n: int, shift: float) -> None:
    rng, watch = np.random.default_rng(4), Watch()
    for _ in range(50):
        watch.changed(rng.multinomial(n, MIX).astype(float))
    shifted = MIX + np.array([-shift, 0, 0, 0, 0, shift, 0])
    assert watch.changed(rng.multinomial(n, shifted).astype(float))


def test_too_little_to_tell_is_no_change() -> None:
    watch = Watch()
    watch.changed(np.array([1.0, 0.0]))
    assert not watch.changed(np.array([0.0, 1.0]))
    assert not watch.changed(np.array([0.0, 0.0]))
