"""Static and quantized caches on live `generate` calls."""

from __future__ import annotations

import functools
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import AutoConfig, GenerationConfig
from transformers.utils import is_hqq_available, is_optimum_quanto_available

from directives import Budget, Directive, EarlyExit, KvCache
from directives.knobs import Depth
from sprout_like.engines.engine import Call, Generation, Plan
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.knobs.kv_cache import KvCacheKnob
from tests.sprout_like.knobs.calling import FAMILIES, SIZE, Window, state

pytestmark = pytest.mark.model

STATIC = Directive(name="static", kv_cache=KvCache(kind="static"))
QUANTIZED = Directive(name="quantized", kv_cache=KvCache(kind="quantized"))


class Failing:
    """A streamer whose reader goes away."""

    def __init__(self) -> None:
        self._puts = 0

    def put(self, value: torch.Tensor) -> None:
        self._puts += 1
        if self._puts == 4:
            raise ConnectionResetError("the reader has gone")

    def end(self) -> None: ...


def greedy(rows: int = 1, length: int = 24, **settings: Any) -> dict[str, Any]:
    """A call with rows of rising length, padded on the left."""
    ids = torch.randint(3, SIZE, (rows, length), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    for row in range(rows):
        mask[row, : 3 * row] = 0
        ids[row, : 3 * row] = 0
    call = {"input_ids": ids, "attention_mask": mask, "do_sample": False, "pad_token_id": 0, "max_new_tokens": 21}
    return {**call, **settings}


def run(engine: HuggingFaceEngine, directive: Directive, kwargs: dict[str, Any]) -> Generation:
    call = engine.inspect((), kwargs)
    assert engine.misfit(directive) is None
    assert engine.refusal(directive, call) is None
    return engine.run(engine.plan(directive, call), call, Window())


@pytest.mark.parametrize(("family", "changes"), FAMILIES, ids=lambda v: v if isinstance(v, str) else None)
def test_a_static_cache_leaves_the_answer_as_it_is(
    make: Callable[..., Any], family: str, changes: dict[str, Any]
) -> None:
    model = make(family, **changes)
    engine = HuggingFaceEngine(model, None)
    calls = [
        greedy(),
        greedy(3),
        greedy(2, num_beams=3, num_return_sequences=2),
        greedy(1, length=9, repetition_penalty=1.2, eos_token_id=list(range(5, 30))),
        greedy(2, generation_config=GenerationConfig(max_new_tokens=11, pad_token_id=0), max_new_tokens=None),
    ]
    for kwargs in calls:
        kwargs = {n: v for n, v in kwargs.items() if "generation_config" not in kwargs or n not in SET_BY_CONFIG}
        before = state(model)
        generation = run(engine, STATIC, kwargs)
        assert state(model) == before
        assert torch.equal(generation.output, model.generate(**kwargs))


SET_BY_CONFIG = {"max_new_tokens", "do_sample", "pad_token_id"}


def test_a_static_cache_combines_with_fewer_layers(make: Callable[..., Any]) -> None:
    engine = HuggingFaceEngine(make("llama"), None)
    exits = EarlyExit(depth=Depth(drop=(1, 3)))
    alone = run(engine, Directive(name="alone", early_exit=exits), greedy(2))
    both = run(engine, Directive(name="both", early_exit=exits, kv_cache=STATIC.kv_cache), greedy(2))
    assert torch.equal(both.output, alone.output)


def on_cuda(model: Any) -> Any:
    """The model, saying that it is where `generate` compiles; it can be planned for but not run."""

    class OnCuda(type(model)):
        device = property(lambda _: torch.device("cuda"))

    model.__class__ = OnCuda
    return model


def static_plan(model: Any) -> Plan:
    host = Described(model.config)
    plan = Plan(host=host, runner=model, models=(model,), kwargs=greedy())
    return KNOB.apply(STATIC, plan, Call(host=host, kwargs=greedy()))


KNOB = KvCacheKnob()


def test_what_was_compiled_for_a_model_serves_its_next_call(make: Callable[..., Any]) -> None:
    model = on_cuda(make("llama"))
    first, second = static_plan(model), static_plan(model)
    assert first.runner is second.runner
    assert first.runner is not model
    assert first.models == (model,)
    assert "disable_compile" not in first.kwargs


def test_a_long_limit_makes_no_later_cache_long(make: Callable[..., Any]) -> None:
    sizes = []

    def watch(_: Any, __: Any, kwargs: dict[str, Any]) -> None:
        sizes.append(kwargs["past_key_values"].layers[0].max_cache_len)

    model = make("llama")
    engine = HuggingFaceEngine(model, None)
    model.model.register_forward_pre_hook(watch, with_kwargs=True)
    for limit in (20, 400, 20):
        run(engine, STATIC, greedy(max_new_tokens=limit, stopping_criteria=[AtOnce()]))
    assert sizes == [43, 423, 43]


class AtOnce:
    """A criterion that ends every answer."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch.ones(input_ids.shape[0], dtype=torch.bool)


@pytest.mark.parametrize(
    ("directive", "limit", "fits"),
    [
        (STATIC, 488, True),
        (STATIC, 489, False),
        (Directive(name="capped", kv_cache=STATIC.kv_cache, budget=Budget(max_new_tokens=488)), 9000, True),
        (Directive(name="long", kv_cache=STATIC.kv_cache, budget=Budget(max_new_tokens=600)), 9000, False),
        (QUANTIZED, 9000, True),
    ],
    ids=["fits", "too long", "capped", "capped too late", "quantized grows"],
)
def test_no_static_cache_is_longer_than_the_models_positions(
    make: Callable[..., Any], directive: Directive, limit: int, fits: bool
) -> None:
    engine = HuggingFaceEngine(make("llama"), None)
    why = engine.refusal(directive, engine.inspect((), greedy(max_new_tokens=limit)))
    assert why == (None if fits else "a static cache would be longer than the model's 512 positions; lower the limit")


@pytest.mark.parametrize("name", ["forward", "_hf_hook", "_compiled_call_impl"])
def test_a_model_with_a_forward_of_its_own_is_freed(make: Callable[..., Any], name: str) -> None:
    model = on_cuda(make("llama"))
    setattr(model, name, functools.partial(type(model).forward, model))
    first, second = static_plan(model), static_plan(model)
    assert first.runner is not second.runner
    assert first.kwargs["disable_compile"] is True
    freed = weakref.ref(model)
    del model, first, second
    gc.collect()
    assert freed() is None


def test_the_view_is_as_the_model_is_now(make: Callable[..., Any]) -> None:
    model = make("llama")
    engine = HuggingFaceEngine(model, None)
    run(engine, STATIC, greedy())
    model.generation_config = GenerationConfig(repetition_penalty=1.7, pad_token_id=0)
    model.generate(**greedy(cache_implementation="static", max_new_tokens=5))  # leaves its size on the model
    assert torch.equal(run(engine, STATIC, greedy()).output, model.generate(**greedy()))
    with torch.no_grad():
        model.lm_head.weight.neg_()
    assert torch.equal(run(engine, STATIC, greedy()).output, model.generate(**greedy()))


def test_an_installed_generate_is_not_called_by_the_view(make: Callable[..., Any]) -> None:
    from sprout_like.engines.installing import replaced_generate

    model = make("llama")
    engine, wanted = HuggingFaceEngine(model, None), model.generate(**greedy())

    def replacement(**_: Any) -> Any:
        raise AssertionError("it would meter itself for ever")

    with replaced_generate(model, replacement):
        assert torch.equal(run(engine, STATIC, greedy()).output, wanted)


def test_a_model_is_freed_with_its_view(make: Callable[..., Any]) -> None:
    model = on_cuda(make("llama"))
    view = weakref.ref(static_plan(model).runner)
    assert view() is not None
    del model
    gc.collect()
    assert view() is None


@pytest.mark.parametrize("directive", [STATIC, QUANTIZED], ids=lambda d: d.name)
def test_a_failure_leaves_the_model_as_it_was(make: Callable[..., Any], directive: Directive) -> None:
    model = make("llama")
    engine, before = HuggingFaceEngine(model, None), state(model)
    with pytest.raises(ConnectionResetError):
        run(engine, directive, greedy(streamer=Failing()))
    assert state(model) == before
    assert torch.equal(run(engine, STATIC, greedy()).output, model.generate(**greedy()))


BACKENDS = [
    pytest.param("quanto", 4, marks=pytest.mark.skipif(not is_optimum_quanto_available(), reason="optimum-quanto")),
    pytest.param("hqq", 4, marks=pytest.mark.skipif(not is_hqq_available(), reason="hqq")),
    ("fp8", None),
    ("fp8", 8),
    (None, None),
]


@pytest.mark.parametrize(("backend", "bits"), BACKENDS)
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_quantized_cache_gives_an_answer_of_the_same_shape(
    make: Callable[..., Any], family: str, backend: Any, bits: int | None
) -> None:
    model = make(family, **({"head_dim": 32} if family == "llama" else {"n_embd": 64}))
    directive = Directive(name="q", kv_cache=KvCache(kind="quantized", backend=backend, bits=bits))
    engine, before = HuggingFaceEngine(model, None), state(model)
    for kwargs in (greedy(), greedy(3), greedy(2, num_beams=2)):
        generation = run(engine, directive, kwargs)
        assert generation.output.shape == model.generate(**kwargs).shape
        assert int(generation.output.max()) < SIZE
        assert state(model) == before
    # Not one byte is stored for the first new token: it comes from the prompt's exact keys and values.
    exact = model.generate(**greedy())
    assert torch.equal(run(engine, directive, greedy()).output[:, :25], exact[:, :25])


def test_a_quantized_cache_is_really_in_use(make: Callable[..., Any]) -> None:
    model = make("llama")
    engine = HuggingFaceEngine(model, None)
    kwargs = greedy(3, max_new_tokens=60)
    assert not torch.equal(run(engine, QUANTIZED, kwargs).output, model.generate(**kwargs))


class Described:
    """A host of which only the description is known."""

    variant = None
    tokenizer = None
    generation_config = GenerationConfig()

    def __init__(self, config: Any) -> None:
        self.config = config

    def model(self) -> Any:
        raise AssertionError("a misfit is told without loading")


@pytest.mark.parametrize(
    ("config", "kv_cache", "why"),
    [
        (AutoConfig.for_model("t5"), KvCache(kind="static"), "kv_cache.kind 'static': t5 is an encoder-decoder"),
        (AutoConfig.for_model("mamba"), KvCache(kind="static"), "kv_cache.kind 'static': mamba keeps a state"),
        (
            AutoConfig.for_model("gemma2"),
            KvCache(kind="quantized"),
            "kv_cache.kind 'quantized': gemma2 has layers of the kind sliding_attention",
        ),
        (
            AutoConfig.for_model("llama"),
            KvCache(kind="quantized", backend="quanto", bits=8),
            "kv_cache.bits is 8 but quanto keeps 2, 4 bits per value",
        ),
        (
            AutoConfig.for_model("llama", num_key_value_heads=1, head_dim=40),
            KvCache(kind="quantized", bits=4),
            "kv_cache.bits is 4, and no backend that is installed keeps so many for this model",
        ),
    ],
    ids=["encoder-decoder", "state", "window", "bits", "groups"],
)
def test_a_model_that_cannot_keep_such_a_cache_is_told_from_its_config(
    config: Any, kv_cache: KvCache, why: str
) -> None:
    assert str(KvCacheKnob().misfit(Directive(name="d", kv_cache=kv_cache), Described(config))).startswith(why)


@pytest.mark.skipif(is_hqq_available(), reason="hqq is installed")
def test_a_backend_that_is_not_installed_is_named_with_its_package() -> None:
    directive = Directive(name="d", kv_cache=KvCache(kind="quantized", backend="hqq"))
    why = KvCacheKnob().misfit(directive, Described(AutoConfig.for_model("llama")))
    assert why == "kv_cache.backend 'hqq' is not installed; pip install hqq"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"use_cache": False}, "use_cache=False"),
        ({"cache_implementation": "offloaded"}, "cache_implementation='offloaded'"),
        ({"generation_config": GenerationConfig(cache_implementation="static")}, "cache_implementation='static'"),
        ({"past_key_values": object()}, "past_key_values"),
        ({"assistant_model": object()}, "assistant_model"),
        ({"prompt_lookup_num_tokens": 3}, "prompt_lookup_num_tokens"),
        ({"penalty_alpha": 0.6, "top_k": 4}, "penalty_alpha"),
        ({"return_dict_in_generate": True}, "wants its cache back"),
        ({"input_ids": None, "inputs_embeds": torch.zeros(1, 4, 32)}, "not given as tokens"),
    ],
    ids=lambda v: v if isinstance(v, str) else None,
)
@pytest.mark.parametrize("directive", [STATIC, QUANTIZED], ids=lambda d: d.name)
def test_a_call_with_a_cache_of_its_own_is_refused(
    make: Callable[..., Any], directive: Directive, change: dict[str, Any], why: str
) -> None:
    engine = HuggingFaceEngine(make("llama"), None)
    assert why in str(engine.refusal(directive, engine.inspect((), {**greedy(), **change})))


def test_an_old_default_that_generate_ignores_is_no_choice(make: Callable[..., Any]) -> None:
    model = make("gemma2", sliding_window=16)
    model.generation_config.cache_implementation = "hybrid"
    engine = HuggingFaceEngine(model, None)
    assert torch.equal(run(engine, STATIC, greedy()).output, model.generate(**greedy()))
    own = engine.inspect((), greedy(cache_implementation="hybrid"))
    assert "cache_implementation='hybrid'" in str(engine.refusal(STATIC, own))
