"""A pool of actors on a real Ray cluster of this machine, with two workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sprout_like.errors import EngineUnavailable
from sprout_like.jobs.engines.engine import Ask, Outcome
from sprout_like.jobs.engines.in_process import open_in_process
from sprout_like.jobs.engines.ray_actor import MadeBy, MeterOnNode
from sprout_like.jobs.engines.ray_pool import RayPool
from sprout_like.jobs.testing import fake_answer
from sprout_like.meters import UNKNOWN
from tests.contracts.batch_engine_cases.asking import POISON, CountingWindow, ask
from tests.contracts.batch_engine_cases.local_ray import local_ray
from tests.contracts.batch_engine_cases.tiny import tiny_model

FAKE = "sprout_like.jobs.testing:FakeBatchEngine"
DIES = "tests.sprout_like.jobs.engines_remote.actor_engines"
NO_SECOND_LIFE = {"max_restarts": 0, "max_task_retries": 0}
ASKS = [ask(str(n)) for n in range(10)]

Open = Callable[..., RayPool]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with local_ray() as ray:
        yield ray


@pytest.fixture
def pool(cluster: Any) -> Iterator[Open]:
    """Makes pools and closes them in the end."""
    with ExitStack() as stack:

        def make(path: str = FAKE, arguments: Mapping[str, Any] | None = None, **options: Any) -> RayPool:
            made_by = MadeBy(path=path, arguments=arguments or {})
            made = RayPool(made_by, model="fake", **{"at_once": 2, "start_s": 60.0, **options})
            stack.callback(made.close)
            return made

        yield make


def run(pool: RayPool, *asks: Ask) -> Outcome:
    return pool.run(asks, CountingWindow())


def is_answered(outcome: Outcome, *asks: Ask) -> bool:
    return [a.text for a in outcome.answers] == [fake_answer(each.messages, each.limit_tokens) for each in asks]


def test_without_a_cluster_it_says_how_to_start_one() -> None:
    pytest.importorskip("ray", exc_type=Exception, reason="Ray cannot be imported")
    pool = RayPool(MadeBy(path=FAKE), model="fake")
    with pytest.raises(EngineUnavailable, match="ray start --head"):
        pool.load()
    pool.close()


def test_a_cluster_of_its_own_ends_with_it() -> None:
    ray = pytest.importorskip("ray", exc_type=Exception, reason="Ray cannot be imported")
    pool = RayPool(MadeBy(path=FAKE), model="fake", address="local", start_s=60)
    assert is_answered(run(pool, *ASKS), *ASKS)
    assert ray.is_initialized()
    pool.close()
    assert not ray.is_initialized()


def test_a_batch_is_spread_over_the_actors_and_comes_back_in_order(pool: Open) -> None:
    outcome = run(pool(arguments={"batch_s": 0.05}), *ASKS)
    assert is_answered(outcome, *ASKS)
    assert {answer.batch_size for answer in outcome.answers} == {2}


def test_an_actor_that_is_killed_in_the_middle_of_a_batch_is_brought_back_by_ray(pool: Open, tmp_path: Path) -> None:
    marker = tmp_path / "died"
    outcome = run(pool(f"{DIES}:dies_once", {"marker": str(marker)}, actors=1), *ASKS)
    assert marker.exists()
    assert is_answered(outcome, *ASKS)
    assert sum(answer.share for answer in outcome.answers) == pytest.approx(1)


def test_what_a_lost_actor_had_goes_to_another_one(pool: Open, tmp_path: Path) -> None:
    marker = tmp_path / "died"
    standing = pool(f"{DIES}:dies_once", {"marker": str(marker)}, actor_options=NO_SECOND_LIFE)
    assert is_answered(run(standing, *ASKS), *ASKS)
    assert marker.exists()
    assert is_answered(run(standing, *ASKS), *ASKS)


def test_a_prompt_that_kills_whoever_runs_it_does_not_take_all_actors_with_it(pool: Open) -> None:
    options = {**NO_SECOND_LIFE, "num_cpus": 0.5}
    deadly = [*ASKS[:2], ask(POISON), *ASKS[2:4]]
    standing = pool(f"{DIES}:dies_of", {"word": POISON}, actors=3, at_once=1, actor_options=options)
    outcome = run(standing, *deadly)
    assert [answer.error is None for answer in outcome.answers] == [True, True, False, True, True]
    assert not outcome.answers[2].for_good
    assert is_answered(run(standing, *ASKS), *ASKS)


def test_without_actors_it_is_unavailable_and_later_has_new_ones(pool: Open) -> None:
    standing = pool(f"{DIES}:dies_of", {"word": POISON}, actors=1, actor_options=NO_SECOND_LIFE)
    with pytest.raises(EngineUnavailable, match="lost"):
        run(standing, ask(POISON))
    assert is_answered(run(standing, *ASKS), *ASKS)


def test_what_does_not_fit_is_halved_where_it_ran(pool: Open) -> None:
    outcome = run(pool(arguments={"most_prompts": 1}, at_once=8), *ASKS)
    assert is_answered(outcome, *ASKS)
    assert {answer.batch_size for answer in outcome.answers} == {1}


def test_an_engine_that_is_down_makes_the_pool_unavailable_in_its_words(pool: Open, tmp_path: Path) -> None:
    marker = tmp_path / "was down"
    standing = pool(f"{DIES}:down_once", {"marker": str(marker)}, actors=1)
    with pytest.raises(EngineUnavailable, match="the engine's own words"):
        run(standing, *ASKS)
    assert is_answered(run(standing, *ASKS), *ASKS)
    with pytest.raises(EngineUnavailable, match="scripted to be down"):
        pool(arguments={"unavailable_times": 1}).load()


def test_an_engine_that_cannot_be_made_says_why(pool: Open) -> None:
    with pytest.raises(EngineUnavailable, match="no_such_function"):
        pool("sprout_like.jobs.testing:no_such_function").load()


def test_a_cluster_without_room_says_what_was_asked_of_it(pool: Open) -> None:
    with pytest.raises(EngineUnavailable, match="num_gpus=1") as told:
        pool(actor_options={"num_gpus": 1}, start_s=1.0).load()
    assert "ray status" in str(told.value)


def test_energy_is_read_where_the_actors_run_and_summed(pool: Open) -> None:
    metered = run(pool(arguments={"batch_s": 0.05}, meter=MeterOnNode(meter="cpu")), *ASKS).energy
    assert metered is not None
    assert (metered.energy_j or 0) > 0
    assert metered.method == "estimated"
    assert metered.energy_j == pytest.approx(sum(metered.by_device_j.values()))


def test_what_the_actors_engines_tell_themselves_is_summed(pool: Open) -> None:
    told = run(pool(arguments={"batch_j": 3.0}), *ASKS).energy
    assert told is not None
    assert (told.energy_j, told.method) == (15, "estimated")


def test_without_a_meter_the_energy_is_unknown_and_shared_by_tokens(pool: Open) -> None:
    outcome = run(pool(meter=MeterOnNode(meter="none")), ask("a", 1), ask("b", 1), ask("c " * 50, 8))
    assert outcome.energy == UNKNOWN
    assert outcome.answers[2].share > 0.5


def test_a_pool_does_not_end_a_cluster_that_it_did_not_start(pool: Open, cluster: Any) -> None:
    pool().load()
    standing = pool(actor_options={"num_cpus": 0})
    standing.load()
    standing.close()
    assert cluster.is_initialized()


@pytest.mark.model
def test_actors_run_a_real_model_as_it_runs_here(pool: Open, tmp_path: Path) -> None:
    for part in tiny_model():
        part.save_pretrained(tmp_path)
    arguments = {"model": str(tmp_path), "kind": "padded"}
    asks = [ask(topic, 6, do_sample=False) for topic in ("rain", "the tide of a far river", "moss", "stone", "wind")]
    standing = pool("sprout_like.jobs.engines.in_process:open_in_process", arguments)
    outcome = run(standing, *asks)
    here = open_in_process(str(tmp_path), kind="padded")
    assert [a.text for a in outcome.answers] == [a.text for a in here.run(asks, CountingWindow()).answers]
    assert standing.family == "llama"
    assert outcome.energy is not None
    assert (outcome.energy.energy_j or 0) > 0
    here.close()
