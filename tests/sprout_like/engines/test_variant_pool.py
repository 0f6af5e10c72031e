"""Who of the variants is loaded: on first use, never twice, given back when idle or when memory is short."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from directives import Variant
from sprout_like.engines.locks import lock_of
from sprout_like.engines.own_host import OwnHost
from sprout_like.engines.variants import VariantPool
from sprout_like.engines.variants.pool import RETRY_AFTER_S
from sprout_like.errors import SettingError, VariantUnavailable
from sprout_like.testing import ManualClock

pytestmark = pytest.mark.model

PROMPT = torch.tensor([[5, 17, 300]])
BYTES = 4 * 2**20  # of a tiny model, in round terms


class Loader:
    """A function that loads, as a user would give it, and counts its calls."""

    def __init__(self, make: Callable[[], tuple[Any, Any]]) -> None:
        self.calls = 0
        self._make = make

    def __call__(self) -> tuple[Any, Any]:
        self.calls += 1
        return self._make()


@pytest.fixture
def loader(make_tiny_model: Callable[[], Any], tokenizer: Any) -> Callable[[], Loader]:
    return lambda: Loader(lambda: (make_tiny_model(), tokenizer))


@pytest.fixture
def own(tiny_model: Any, tokenizer: Any) -> OwnHost:
    return OwnHost(tiny_model, tokenizer)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def open_pool(own: OwnHost, clock: ManualClock) -> Callable[..., VariantPool]:
    def make(*variants: Variant, supplied: dict[str, Any] | None = None, **rest: Any) -> VariantPool:
        return VariantPool(own, {v.name: v for v in variants}, supplied or {}, monotonic_s=clock.monotonic_s, **rest)

    return make


def answer(model: Any) -> list[int]:
    return model.generate(PROMPT, max_new_tokens=6, do_sample=False)[0].tolist()


def evict(pool: VariantPool, clock: ManualClock) -> None:
    clock.advance(601)
    pool.tick()


def test_a_described_variant_is_known_before_and_loaded_on_first_use(
    open_pool: Callable[..., VariantPool], own: OwnHost
) -> None:
    pool = open_pool(Variant(name="half", precision="bf16"))
    host = pool.host("half")
    assert (host.variant, host.tokenizer, host.config) == ("half", own.tokenizer, own.config)
    assert "half" not in pool.loaded()
    model = host.model()
    assert "half" in pool.loaded()
    assert model.dtype == torch.bfloat16
    assert host.model() is model


def test_an_idle_variant_is_given_back_and_gives_the_same_tokens_when_loaded_again(
    open_pool: Callable[..., VariantPool], clock: ManualClock
) -> None:
    pool = open_pool(Variant(name="half", precision="bf16", idle_s=30))
    first = answer(pool.host("half").model())
    clock.advance(30)
    pool.tick()
    assert "half" in pool.loaded()
    clock.advance(1)
    pool.tick()
    assert "half" not in pool.loaded()
    assert pool.loaded() == {}
    assert answer(pool.host("half").model()) == first


def test_use_puts_off_the_eviction(open_pool: Callable[..., VariantPool], clock: ManualClock) -> None:
    pool = open_pool(Variant(name="half", precision="bf16", idle_s=30))
    for _ in range(3):
        pool.host("half").model()
        clock.advance(20)
        pool.tick()
    assert "half" in pool.loaded()


def test_who_runs_a_variant_keeps_it(
    open_pool: Callable[..., VariantPool], clock: ManualClock, loader: Callable[[], Loader]
) -> None:
    load = loader()
    pool = open_pool(supplied={"other": load})
    running = pool.host("other").model()
    evict(pool, clock)
    assert "other" in pool.loaded()
    assert pool.host("other").model() is running
    assert load.calls == 1
    del running
    evict(pool, clock)
    assert "other" not in pool.loaded()


def test_what_still_runs_when_all_is_given_back_is_not_loaded_a_second_time(
    open_pool: Callable[..., VariantPool], loader: Callable[[], Loader]
) -> None:
    load = loader()
    pool = open_pool(supplied={"other": load})
    running = pool.host("other").model()
    pool.close()
    pool.close()
    assert pool.host("other").model() is running
    assert load.calls == 1


def test_two_threads_wait_for_one_load(
    open_pool: Callable[..., VariantPool], clock: ManualClock, make_tiny_model: Callable[[], Any], tokenizer: Any
) -> None:
    both_inside = threading.Barrier(2)
    calls: list[int] = []

    def load() -> tuple[Any, Any]:
        calls.append(1)
        if len(calls) > 1:  # a second load at once would pass the barrier, and count
            with suppress(threading.BrokenBarrierError):
                both_inside.wait(0.3)
        return make_tiny_model(), tokenizer

    pool = open_pool(supplied={"other": load})
    evict(pool, clock)
    with ThreadPoolExecutor(2) as threads:
        models = list(threads.map(lambda _: pool.host("other").model(), range(2)))
    assert models[0] is models[1]
    assert len(calls) == 2  # once when it was described, once now


def test_overhead_begins_when_the_copied_model_is_free(open_pool: Callable[..., VariantPool], own: OwnHost) -> None:
    held: list[bool] = []

    @contextmanager
    def overhead() -> Iterator[None]:
        held.append(lock_of(own.model()).held_here)
        yield

    pool = open_pool(Variant(name="half", precision="bf16"))
    for _ in range(2):
        pool.load("half", overhead)
    assert held == [True]


def test_of_two_threads_that_want_one_load_one_has_overhead(
    open_pool: Callable[..., VariantPool], clock: ManualClock, loader: Callable[[], Loader]
) -> None:
    begun: list[int] = []

    @contextmanager
    def overhead() -> Iterator[None]:
        begun.append(threading.get_ident())
        yield

    pool = open_pool(supplied={"other": loader()})
    evict(pool, clock)
    with ThreadPoolExecutor(4) as threads:
        models = list(threads.map(lambda _: pool.load("other", overhead), range(4)))
    assert all(model is models[0] for model in models)
    assert len(begun) == 1


class Memory:
    """A device of so many models; each that is loaded takes one place."""

    def __init__(self, places: int) -> None:
        self.pool: VariantPool | None = None
        self._places = places

    def __call__(self, place: torch.device) -> int:
        return (self._places - len(self.pool.loaded() if self.pool else ())) * BYTES


@pytest.fixture
def full_house(
    open_pool: Callable[..., VariantPool], monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], tuple[VariantPool, list[str]]]:
    def make(places: int) -> tuple[VariantPool, list[str]]:
        memory = Memory(places)
        names = ["one", "two", "three"]
        variants = [Variant(name=name, precision="bf16") for name in names]
        memory.pool = open_pool(*variants, headroom_bytes=BYTES, free=memory)
        return memory.pool, names

    return make


def test_the_longest_unused_makes_room(
    full_house: Callable[[int], tuple[VariantPool, list[str]]], clock: ManualClock
) -> None:
    pool, _ = full_house(4)  # a tiny model takes less than a place, so that two fit beside the headroom
    pool.host("one").model()
    clock.advance(1)
    pool.host("two").model()
    clock.advance(1)
    pool.host("one").model()
    clock.advance(1)
    pool.host("three").model()
    assert set(pool.loaded()) == {"one", "three"}


def test_no_room_is_made_by_what_runs(
    full_house: Callable[[int], tuple[VariantPool, list[str]]], clock: ManualClock
) -> None:
    pool, _ = full_house(4)
    running = [pool.host(name).model() for name in ("one", "two")]
    with pytest.raises(VariantUnavailable, match=r"'three' could not be loaded: it needs .* variant_headroom_gib"):
        pool.host("three").model()
    assert "one" in pool.loaded()
    assert "two" in pool.loaded()
    running.clear()
    clock.advance(RETRY_AFTER_S)
    assert pool.host("three").model().dtype == torch.bfloat16


def test_a_failed_load_is_remembered_for_a_while(
    open_pool: Callable[..., VariantPool], clock: ManualClock, make_tiny_model: Callable[[], Any], tokenizer: Any
) -> None:
    broken = False

    def make() -> tuple[Any, Any]:
        if broken:
            raise OSError("the disk is on fire")
        return make_tiny_model(), tokenizer

    load = Loader(make)
    pool = open_pool(supplied={"other": load})
    evict(pool, clock)
    broken = True
    for _ in range(3):
        with pytest.raises(VariantUnavailable, match="could not be loaded: OSError: the disk is on fire"):
            pool.host("other").model()
    assert load.calls == 2
    assert "the disk is on fire" in str(pool.refusal("other"))
    broken = False
    clock.advance(RETRY_AFTER_S)
    assert pool.refusal("other") is None
    pool.host("other").model()
    assert pool.refusal("other") is None


def test_a_supplied_pair_is_the_callers_and_stays(
    open_pool: Callable[..., VariantPool], clock: ManualClock, make_tiny_model: Callable[[], Any], tokenizer: Any
) -> None:
    theirs = make_tiny_model()
    pool = open_pool(supplied={"other": (theirs, tokenizer)})
    assert "other" in pool.loaded()
    evict(pool, clock)
    pool.close()
    assert "other" in pool.loaded()
    assert pool.host("other").model() is theirs


@pytest.mark.parametrize("supplied", [3, ("model", None), (None,), lambda: "a model"], ids=["int", "text", "one", "fn"])
def test_what_is_no_variant_is_said_at_construction(open_pool: Callable[..., VariantPool], supplied: Any) -> None:
    with pytest.raises(SettingError, match=r"^variants: 'other' is a .*Give \(model, tokenizer\)"):
        open_pool(supplied={"other": supplied})


def test_a_function_that_fails_is_said_at_construction(open_pool: Callable[..., VariantPool]) -> None:
    def load() -> tuple[Any, Any]:
        raise OSError("no such disk")

    with pytest.raises(SettingError, match=r"^variants: the function given for 'other' raised OSError: no such disk"):
        open_pool(supplied={"other": load})


def test_an_unknown_name_offers_the_nearest(open_pool: Callable[..., VariantPool]) -> None:
    pool = open_pool(Variant(name="half", precision="bf16"))
    why = "draft.assistant 'halb': there is no variant of that name; did you mean 'half'?"
    assert pool.misfit("draft.assistant", "halb") == why
    assert "did you mean 'half'" in str(pool.refusal("halb"))
    assert pool.misfit("variant", "half") is None
    assert "halb" not in pool.loaded()
    with pytest.raises(VariantUnavailable, match="did you mean 'half'"):
        pool.host("halb")


def test_a_stored_variant_whose_weights_are_damaged_fails_when_it_is_loaded(
    open_pool: Callable[..., VariantPool], tiny_model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    tiny_model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    pool = open_pool(Variant(name="stored", model=str(tmp_path)))
    assert pool.misfit("variant", "stored") is None
    with pytest.raises(VariantUnavailable, match="'stored' could not be loaded"):
        pool.host("stored").model()
    assert pool.refusal("stored") is not None


def test_a_copy_is_outdated_when_the_model_was_trained_and_who_runs_it_keeps_it(
    open_pool: Callable[..., VariantPool], own: OwnHost
) -> None:
    pool = open_pool(Variant(name="half", precision="bf16"))
    running = pool.load("half")
    assert pool.ready("half") is running
    weight = running.lm_head.weight.clone()
    with torch.no_grad():
        own.model().lm_head.weight.mul_(-1)
    assert pool.ready("half") is None
    fresh = pool.load("half")
    assert fresh is pool.ready("half") is pool.host("half").model()
    assert torch.equal(fresh.lm_head.weight, -weight)
    assert torch.equal(running.lm_head.weight, weight)


def test_a_copy_of_a_model_whose_changes_cannot_be_seen_is_kept(
    open_pool: Callable[..., VariantPool], own: OwnHost
) -> None:
    pool = open_pool(Variant(name="half", precision="bf16"))
    loaded = pool.load("half")
    own.model().register_forward_hook(lambda *_: None)
    assert pool.load("half") is pool.ready("half") is loaded
