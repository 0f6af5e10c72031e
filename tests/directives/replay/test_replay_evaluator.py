"""The evaluator pays for a prompt once, and knows it from then on."""

from __future__ import annotations

import numpy as np
import pytest

from directives.replay.evaluator import Evaluator
from tests.directives.replay.synthetic import prompts_of


def evaluator(mix: list[list[float]] | None = None) -> Evaluator:
    """Ten prompts of either task; the i-th takes 2^i J in all, so that a sum tells which were paid for."""
    energy_j = [[0.75 * 2.0**i, 0.25 * 2.0**i] for i in range(20)]
    prompts = prompts_of([0] * 10 + [1] * 10, energy_j, [[1, 0]] * 20)
    return Evaluator(prompts, np.array(mix or [[0.5, 0.5]]), np.random.default_rng(3))


def test_a_prompt_is_paid_for_once() -> None:
    one = evaluator()
    assert one.judge(0, np.array([1, 4])).tolist() == [1, 4]
    assert one.judge(5, np.array([4, 2])).tolist() == [2]
    assert one.judge(6, np.array([1, 2, 4])).tolist() == []
    assert [(each.hour, each.prompts, each.fresh) for each in one.made] == [(0, 2, 2), (5, 2, 1), (6, 3, 0)]
    assert [each.energy_j for each in one.made] == [2.0**1 + 2.0**4, 2.0**2, 0]
    assert [each.time_s for each in one.made] == pytest.approx([(2.0**1 + 2.0**4) / 250, 2.0**2 / 250, 0])
    assert one.known.tolist() == [1, 2, 4]


def test_judging_until_there_is_enough_pays_for_no_more() -> None:
    one = evaluator()
    assert sorted(one.judge_until(0, lambda: len(one.known) > 0)) == sorted(one.known)
    rest = set(range(20)) - set(one.known.tolist())
    assert set(one.judge_until(4, lambda: False).tolist()) == rest
    assert one.judge_until(5, lambda: False).tolist() == []
    assert sum(each.energy_j for each in one.made) == 2.0**20 - 1, "each once"
    assert sum(each.fresh for each in one.made) == 20


def test_judged_prompts_are_weighed_like_the_traffic() -> None:
    one = evaluator([[0.75, 0.25]])
    one.judge(0, np.array([2, 5, 7, 11]))
    assert one.likeness(0).tolist() == pytest.approx([0.25, 0.25, 0.25, 0.25])
    one.judge(1, np.array([12, 13, 14, 15]))
    assert one.likeness(0).tolist() == pytest.approx([0.25] * 3 + [0.05] * 5)


def test_a_sample_like_the_traffic_has_its_tasks_and_no_prompt_twice() -> None:
    one = evaluator([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    songs = one.like_traffic(1, 8)
    assert len(set(songs)) == 8
    assert min(songs) >= 10
    both = one.like_traffic(2, 1000)
    assert sorted(both) == list(range(20)), "of a task with too few, all"
