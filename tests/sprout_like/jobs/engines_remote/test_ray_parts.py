"""The bookkeeping of a batch in parts, and what the parts took together; no cluster is needed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.errors import EngineUnavailable
from sprout_like.jobs.engines.engine import Answered, Ask
from sprout_like.jobs.engines.ray_actor import Reply
from sprout_like.jobs.engines.ray_energy import Reading, pooled
from sprout_like.jobs.engines.ray_parts import Parts
from sprout_like.meters import UNKNOWN, Device, Energy
from sprout_like.meters.testing import fake_device
from tests.contracts.batch_engine_cases.asking import ask

PACKAGE = fake_device("rapl:package-0", method="apportioned")
PROCESS = fake_device("cpu:process", method="estimated")
GPU = fake_device("GPU-1", component="gpu")


def reading(
    energy_j: float | None = 10.0,
    *,
    node: str = "node",
    begun_s: float = 0.0,
    ended_s: float = 1.0,
    device: Device = PACKAGE,
    tokens: int = 1,
) -> Reading:
    known = Energy(energy_j=energy_j, by_device_j={device.id: energy_j or 0.0}, method=device.method, uncertainty_j=1.0)
    return Reading(
        node=node,
        begun_s=begun_s,
        ended_s=ended_s,
        devices=(device,),
        energy=UNKNOWN if energy_j is None else known,
        tokens=tokens,
    )


def reply(asks: list[Ask], energy_j: float | None = 10.0) -> Reply:
    answers = tuple(Answered(text=each.messages[-1]["content"], share=1 / len(asks)) for each in asks)
    return Reply(answers=answers, reading=reading(energy_j, tokens=len(asks)))


@given(st.integers(1, 40), st.integers(1, 10), st.data())
def test_every_prompt_has_one_answer_in_its_place_whatever_happens(prompts: int, at_once: int, data: st.DataObject):
    asks = [ask(str(n)) for n in range(prompts)]
    parts = Parts(asks, at_once=at_once)
    for _ in range(200):
        if not parts.waiting:
            break
        part, taken = parts.take()
        match data.draw(st.sampled_from(["done", "done", "too large", "lost", "not run"])):
            case "done":
                parts.done(part, reply(taken, data.draw(st.sampled_from([None, 0.0, 7.0]))))
            case "too large":
                parts.too_large(part)
            case "lost":
                parts.lost(part)
            case "not run":
                parts.not_run(part)
    try:
        outcome = parts.outcome("a fault")
    except EngineUnavailable:
        assert parts.waiting
        return
    assert len(outcome.answers) == prompts
    assert sum(answer.share for answer in outcome.answers) == pytest.approx(1)
    for asked, answer in zip(asks, outcome.answers, strict=True):
        assert answer.text == asked.messages[-1]["content"] if answer.error is None else answer.text is None


def test_a_prompt_that_does_not_fit_alone_fails_for_good() -> None:
    parts = Parts([ask()], at_once=1)
    parts.too_large(parts.take()[0])
    (answer,) = parts.outcome("").answers
    assert answer.for_good
    assert answer.share == 1


def test_a_part_that_two_actors_were_lost_over_is_not_handed_on() -> None:
    parts = Parts([ask()], at_once=1)
    for _ in range(2):
        assert parts.waiting
        parts.lost(parts.take()[0])
    (answer,) = parts.outcome("").answers
    assert answer.error
    assert not answer.for_good


def test_a_batch_of_which_nothing_was_run_has_no_outcome() -> None:
    with pytest.raises(EngineUnavailable, match="no actor"):
        Parts([ask()], at_once=1).outcome("no actor")


def test_what_nobody_was_left_to_run_fails_for_this_time() -> None:
    parts = Parts([ask(), ask("more")], at_once=1)
    part, taken = parts.take()
    parts.done(part, reply(taken))
    answered, left = parts.outcome("no actor").answers
    assert answered.text
    assert "no actor" in (left.error or "")
    assert not left.for_good


def test_actors_of_one_node_share_its_counter_and_are_never_charged_more_than_it_told() -> None:
    energy, weights = pooled([reading(10.0), reading(10.0)])
    assert energy.energy_j == pytest.approx(10)
    assert energy.method == "apportioned"
    assert weights == [0.5, 0.5]


def test_a_counter_is_shared_only_while_several_are_active() -> None:
    energy, weights = pooled([reading(10.0, ended_s=1.0), reading(5.0, begun_s=0.5, ended_s=1.0)])
    assert energy.energy_j == pytest.approx(10)
    assert weights == pytest.approx([0.75, 0.25])


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.01, 10)), min_size=1, max_size=8))
def test_a_constant_power_is_shared_out_to_the_last_joule(spans: list[tuple[float, float]]) -> None:
    power_w = 50.0
    readings = [reading(power_w * long_s, begun_s=at_s, ended_s=at_s + long_s) for at_s, long_s in spans]
    moments = sorted({moment for r in readings for moment in (r.begun_s, r.ended_s)})
    covered_s = sum(
        later - earlier
        for earlier, later in pairwise(moments)
        if any(r.begun_s <= earlier and later <= r.ended_s for r in readings)
    )
    assert pooled(readings)[0].energy_j == pytest.approx(power_w * covered_s, rel=1e-6)


@pytest.mark.parametrize("others", [{"node": "another"}, {"device": GPU}], ids=["another node's", "another device's"])
def test_what_is_not_shared_is_summed(others: dict[str, object]) -> None:
    assert pooled([reading(10.0), reading(5.0, **others)])[0].energy_j == pytest.approx(15)  # type: ignore[arg-type]


def test_a_power_model_sees_its_own_process_so_nothing_is_shared() -> None:
    energy, _ = pooled([reading(10.0, device=PROCESS), reading(5.0, device=PROCESS)])
    assert (energy.energy_j, energy.method) == (15, "estimated")


def test_one_unknown_part_makes_the_whole_unknown() -> None:
    energy, weights = pooled([reading(10.0, tokens=30), reading(None, tokens=10)])
    assert energy == UNKNOWN
    assert weights == [0.75, 0.25]


def test_the_sum_keeps_its_components_and_devices_apart() -> None:
    energy, _ = pooled([reading(10.0), reading(6.0, device=GPU), reading(5.0, node="other", device=GPU)])
    assert (energy.cpu_j, energy.gpu_j, energy.dram_j) == (10, 11, None)
    assert energy.by_device_j == {"node:rapl:package-0": 10, "node:GPU-1": 6, "other:GPU-1": 5}
