"""Calls answered by a variant: what it is asked, what the caller sees of it, and which calls stay with the model."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GenerationConfig

from directives import FULL, Budget, Directive, Draft, Variant
from sprout_like import CarbonAware, SettingError
from sprout_like.engines.engine import Generation, Plan
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.engines.locks import lock_of
from sprout_like.engines.places import on_device
from sprout_like.testing import FakeMeter, MemoryLedger

pytestmark = pytest.mark.model

OTHER = Directive(name="other_model", variant="other")
HALF = Directive(name="half_precision", variant="half")
IN_HALF = {"half": Variant(name="half", precision="bf16")}
MESSAGES = [{"role": "user", "content": "Why is the sky blue?"}]


class Window:
    def pause(self) -> None: ...
    def resume(self) -> None: ...


def run(engine: HuggingFaceEngine, directive: Directive, **call: Any) -> tuple[Plan, Generation]:
    inspected = engine.inspect((), call.pop("kwargs", {}), **call)
    assert engine.refusal(directive, inspected) is None
    plan = engine.plan(directive, inspected)
    return plan, engine.run(plan, inspected, Window())


def refusal(engine: HuggingFaceEngine, directive: Directive, **call: Any) -> str | None:
    return engine.refusal(directive, engine.inspect((), call.pop("kwargs", {}), **call))


def rendered(tokenizer: Any, messages: Any = MESSAGES) -> dict[str, torch.Tensor]:
    return dict(
        tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    )


@pytest.fixture(scope="module")
def foreign(tokenizer: Any) -> Any:
    """A tokenizer of another vocabulary."""
    return tokenizer.train_new_from_iterator(["the sky is blue because of the air"] * 3, vocab_size=400)


@pytest.fixture
def plain(tiny_model: Any) -> Any:
    """The wrapped model; without an end token, so that answers have a known length."""
    tiny_model.generation_config.eos_token_id = None
    return tiny_model


@pytest.fixture
def sibling(make_tiny: Callable[..., Any]) -> Any:
    """Another model with the same tokens."""
    model = make_tiny("qwen2")
    model.generation_config.eos_token_id = None
    return model


@pytest.fixture
def stranger(make_tiny: Callable[..., Any], foreign: Any) -> Any:
    """Another model with tokens of its own."""
    model = make_tiny("llama", vocab_size=len(foreign))
    model.generation_config.eos_token_id = None
    return model


@pytest.fixture
def to_sibling(plain: Any, tokenizer: Any, sibling: Any) -> HuggingFaceEngine:
    return HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, copy.deepcopy(tokenizer))})


@pytest.fixture
def to_stranger(plain: Any, tokenizer: Any, stranger: Any, foreign: Any) -> HuggingFaceEngine:
    return HuggingFaceEngine(plain, tokenizer, supplied={"other": (stranger, foreign)})


def answer(model: Any, prompt: dict[str, torch.Tensor], **settings: Any) -> list[int]:
    out = model.generate(**prompt, **{"max_new_tokens": 6, "do_sample": False, **settings})
    return out[0, prompt["input_ids"].shape[1] :].tolist()


def test_another_precision_answers_in_the_models_place(plain: Any, tokenizer: Any) -> None:
    engine = HuggingFaceEngine(plain, tokenizer, variants=IN_HALF)
    prompt = rendered(tokenizer)
    kwargs = {**prompt, "max_new_tokens": 6, "do_sample": False}
    assert engine.ready(HALF) is None
    (loaded,) = engine.make_ready(HALF, nullcontext)
    assert engine.ready(HALF) == [loaded]
    plan, generation = run(engine, HALF, kwargs=kwargs)
    (model,) = plan.models
    assert model is plan.runner is loaded is not plain
    assert model.dtype == torch.bfloat16
    assert all(plan.kwargs[name] is value for name, value in kwargs.items())
    assert torch.equal(generation.output[:, : prompt["input_ids"].shape[1]], prompt["input_ids"])
    assert generation.answers == [answer(model, prompt)]
    assert engine.devices(plan) == ("cpu",)


def test_a_running_variant_leaves_the_model_to_others(plain: Any, tokenizer: Any) -> None:
    engine = HuggingFaceEngine(plain, tokenizer, variants=IN_HALF)
    plan = engine.plan(HALF, engine.inspect((), rendered(tokenizer)))
    with engine.hold(plan):
        assert lock_of(plan.runner).held_here
        assert not lock_of(plain).held_here


def test_threads_get_from_each_model_what_it_gives_alone(to_sibling: HuggingFaceEngine, tokenizer: Any) -> None:
    engine = to_sibling
    kwargs = {**rendered(tokenizer), "max_new_tokens": 6, "do_sample": False}
    call = engine.inspect((), kwargs)
    alone = {directive.name: run(engine, directive, kwargs=kwargs)[1].answers for directive in (FULL, OTHER)}
    assert alone["full"] != alone["other_model"]

    def held(directive: Directive) -> Any:
        plan = engine.plan(directive, call)
        with engine.hold(plan):
            return directive.name, engine.run(plan, call, Window()).answers

    with ThreadPoolExecutor(4) as threads:
        for name, answers in threads.map(held, [FULL, OTHER] * 8):
            assert answers == alone[name]


def test_a_prompt_of_tokens_goes_to_a_model_that_shares_them(
    to_sibling: HuggingFaceEngine, tokenizer: Any, sibling: Any
) -> None:
    prompt = rendered(tokenizer)
    plan, generation = run(to_sibling, OTHER, kwargs={**prompt, "max_new_tokens": 6, "do_sample": False})
    assert plan.runner is sibling
    assert generation.output[0].tolist() == prompt["input_ids"][0].tolist() + answer(sibling, prompt)


def test_a_prompt_of_tokens_never_goes_to_a_model_that_reads_them_otherwise(
    to_stranger: HuggingFaceEngine, tokenizer: Any
) -> None:
    assert "its vocabulary differs" in str(refusal(to_stranger, OTHER, kwargs=rendered(tokenizer)))


def test_special_tokens_count_as_meaning(plain: Any, tokenizer: Any, sibling: Any) -> None:
    other = copy.deepcopy(tokenizer)
    other.add_special_tokens({"additional_special_tokens": ["the"]})
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, other)})
    assert "special tokens differ" in str(refusal(engine, OTHER, kwargs=rendered(tokenizer)))


def test_a_chat_is_rendered_again_for_a_model_with_other_tokens(
    to_stranger: HuggingFaceEngine, tokenizer: Any, stranger: Any, foreign: Any
) -> None:
    plan, generation = run(to_stranger, OTHER, kwargs={"max_new_tokens": 6, "do_sample": False}, messages=MESSAGES)
    prompt = rendered(foreign)
    assert torch.equal(plan.kwargs["input_ids"], prompt["input_ids"])
    assert generation.answers == [answer(stranger, prompt)]
    assert (
        to_stranger.decode(plan, generation.answers[0])
        == foreign.decode(generation.answers[0], skip_special_tokens=True).strip()
    )
    own = rendered(tokenizer)["input_ids"]
    assert torch.equal(generation.output[:, : own.shape[1]], own)
    assert generation.output.shape[1] == own.shape[1] + 6


def test_a_chat_is_rendered_by_the_variants_own_template(
    plain: Any, tokenizer: Any, sibling: Any, retemplated: Callable[[str | None], Any]
) -> None:
    terse = retemplated("{% for m in messages %}{{ m.content }}\n{% endfor %}")
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, terse)})
    plan, _ = run(engine, OTHER, kwargs={"max_new_tokens": 2}, messages=MESSAGES)
    assert tokenizer.decode(plan.kwargs["input_ids"][0]) == "Why is the sky blue?\n"
    strict = retemplated("{{ raise_exception('no system turn, please') }}")
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, strict)})
    assert "does not take these messages" in str(refusal(engine, OTHER, messages=MESSAGES))
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, retemplated(None))})
    assert "has no chat template" in str(refusal(engine, OTHER, messages=MESSAGES))
    assert refusal(engine, OTHER, kwargs=rendered(tokenizer)) is None


def test_processors_see_the_callers_prompt_also_where_it_was_rendered_again(
    plain: Any, tokenizer: Any, sibling: Any, retemplated: Callable[[str | None], Any]
) -> None:
    shown: list[torch.Tensor] = []

    class Processor:
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            shown.append(input_ids.clone())
            return scores

    terse = retemplated("{% for m in messages %}{{ m.role + m.content }}\n{% endfor %}")
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, terse)})
    told = Directive(name="told", variant="other", instruction="Be brief.")
    run(engine, told, kwargs={"max_new_tokens": 2, "logits_processor": [Processor()]}, messages=MESSAGES)
    assert torch.equal(shown[0], rendered(tokenizer)["input_ids"])


@pytest.mark.parametrize(
    "bound",
    [
        {"eos_token_id": 7},
        {"pad_token_id": 7},
        {"bad_words_ids": [[7]]},
        {"logits_processor": [object()]},
        {"stopping_criteria": [object()]},
        {"stop_strings": ["."]},
        {"streamer": object()},
        {"generation_config": GenerationConfig(max_new_tokens=3)},
        {"output_scores": True},
        {"a_setting_of_a_later_release": 1},
    ],
    ids=lambda bound: next(iter(bound)),
)
def test_what_is_bound_to_the_models_tokenizer_stays_with_it(
    to_stranger: HuggingFaceEngine, bound: dict[str, Any]
) -> None:
    assert refusal(to_stranger, OTHER, messages=MESSAGES, kwargs={"max_new_tokens": 3, "temperature": 0.5}) is None
    assert next(iter(bound)) in str(refusal(to_stranger, OTHER, messages=MESSAGES, kwargs=bound))


def test_what_the_models_own_settings_bind_to_its_tokenizer_counts_too(
    to_stranger: HuggingFaceEngine, to_sibling: HuggingFaceEngine, plain: Any
) -> None:
    plain.generation_config.suppress_tokens = [7]
    assert "suppress_tokens" in str(refusal(to_stranger, OTHER, messages=MESSAGES))
    plan, _ = run(to_sibling, OTHER, messages=MESSAGES, kwargs={"max_new_tokens": 2})
    assert plan.kwargs["suppress_tokens"] == [7]


@pytest.mark.parametrize(
    ("of_model", "of_call", "limit"),
    [({}, {"max_new_tokens": 4}, 4), ({"max_new_tokens": 5}, {}, 5), ({"max_length": 50}, {}, None), ({}, {}, 20)],
    ids=["call", "model", "length", "none"],
)
def test_the_callers_limit_stays_what_it_was(
    to_stranger: HuggingFaceEngine,
    tokenizer: Any,
    plain: Any,
    stranger: Any,
    of_model: dict[str, Any],
    of_call: dict[str, Any],
    limit: int | None,
) -> None:
    stranger.generation_config.max_new_tokens = 11
    for name, value in of_model.items():
        setattr(plain.generation_config, name, value)
    if limit is None:
        limit = 50 - rendered(tokenizer)["input_ids"].shape[1]
    plan, generation = run(to_stranger, OTHER, messages=MESSAGES, kwargs=of_call)
    assert plan.limit_tokens == limit
    assert generation.new_tokens == limit
    assert generation.finish_reason == "length"


def test_a_greedy_models_variant_is_greedy(to_sibling: HuggingFaceEngine, tokenizer: Any, sibling: Any) -> None:
    prompt = rendered(tokenizer)
    greedy = answer(sibling, prompt)
    sibling.generation_config.update(do_sample=True, temperature=9.0, min_p=0.01)
    plan, generation = run(to_sibling, OTHER, kwargs={**prompt, "max_new_tokens": 6})
    assert generation.answers == [greedy]
    assert plan.kwargs["temperature"] == 1.0
    assert plan.kwargs["min_p"] is None


def test_how_the_model_samples_is_how_its_variant_does(
    to_sibling: HuggingFaceEngine, tokenizer: Any, plain: Any, sibling: Any
) -> None:
    plain.generation_config.update(do_sample=True, temperature=0.5)
    sibling.generation_config.update(do_sample=True, top_k=1)
    plan, _ = run(to_sibling, OTHER, kwargs={**rendered(tokenizer), "max_new_tokens": 2, "temperature": 0.7})
    sampling = {name: plan.kwargs.get(name) for name in ("do_sample", "temperature", "top_k")}
    # `generate` takes 50 where neither the call nor the wrapped model says.
    assert sampling == {"do_sample": None, "temperature": 0.7, "top_k": 50}


def test_a_given_config_is_copied_and_carries_the_models_settings(
    to_sibling: HuggingFaceEngine, tokenizer: Any, sibling: Any
) -> None:
    sibling.generation_config.update(do_sample=True, temperature=9.0)
    given = GenerationConfig(max_new_tokens=4)
    plan, generation = run(to_sibling, OTHER, kwargs={**rendered(tokenizer), "generation_config": given})
    assert (plan.kwargs["generation_config"].do_sample, given.do_sample) == (False, None)
    assert generation.new_tokens == 4
    sibling.generation_config.min_p = 0.1
    assert "min_p" in str(refusal(to_sibling, OTHER, kwargs={**rendered(tokenizer), "generation_config": given}))


def test_padding_is_shown_as_the_models_own(to_sibling: HuggingFaceEngine, tokenizer: Any, sibling: Any) -> None:
    sibling.generation_config.pad_token_id = 9
    prompt = tokenizer(["a b c", "d e f"], return_tensors="pt")
    first = sibling.generate(**prompt, max_new_tokens=4, do_sample=False)[0, prompt["input_ids"].shape[1]]
    sibling.generation_config.eos_token_id = int(first)
    _, generation = run(to_sibling, OTHER, kwargs={**prompt, "max_new_tokens": 4, "do_sample": False})
    row = generation.output[0, prompt["input_ids"].shape[1] :].tolist()
    assert row == [int(first)] + [2] * (len(row) - 1)


def test_other_knobs_see_the_variant(to_stranger: HuggingFaceEngine, foreign: Any) -> None:
    both = Directive(name="both", variant="other", instruction="Be brief.", budget=Budget(max_new_tokens=3))
    messages = [{"role": "system", "content": "Be kind."}, *MESSAGES]
    plan, generation = run(to_stranger, both, messages=messages, kwargs={"max_new_tokens": 9})
    assert "Be brief." in foreign.decode(plan.kwargs["input_ids"][0])
    assert plan.instruction_tokens == plan.prompt_length - rendered(foreign, messages)["input_ids"].shape[1] > 0
    assert (plan.limit_tokens, generation.new_tokens) == (3, 3)


def test_tensors_go_to_where_the_variant_sits() -> None:
    kwargs = {"input_ids": torch.ones(1, 2), "max_new_tokens": 3}
    moved = on_device(Plan(kwargs=kwargs), torch.device("meta"))
    assert moved.kwargs["input_ids"].is_meta
    assert moved.kwargs["max_new_tokens"] == 3
    assert not kwargs["input_ids"].is_meta


def test_a_cache_of_another_model_is_not_handed_on(to_sibling: HuggingFaceEngine, tokenizer: Any) -> None:
    kwargs = {**rendered(tokenizer), "max_new_tokens": 3, "return_dict_in_generate": True, "output_scores": True}
    _, generation = run(to_sibling, OTHER, kwargs=kwargs)
    assert generation.output.past_key_values is None
    assert len(generation.output.scores) == 3


def test_a_streamer_sees_the_callers_prompt_and_the_variants_answer(
    to_sibling: HuggingFaceEngine, tokenizer: Any
) -> None:
    class Streamer:
        def __init__(self) -> None:
            self.put_there: list[int] = []

        def put(self, value: torch.Tensor) -> None:
            self.put_there += value.flatten().tolist()

        def end(self) -> None: ...

    streamer = Streamer()
    kwargs = {**rendered(tokenizer), "max_new_tokens": 3, "do_sample": False, "streamer": streamer}
    _, generation = run(to_sibling, OTHER, kwargs=kwargs)
    assert streamer.put_there == generation.output[0].tolist()


@pytest.mark.parametrize(
    ("kwargs", "why"),
    [
        ({"inputs_embeds": torch.zeros(1, 4, 32)}, "not given as tokens"),
        ({"input_ids": torch.ones(1, 4, dtype=torch.long), "past_key_values": object()}, "past_key_values"),
        ({"input_ids": torch.ones(1, 4, dtype=torch.long), "assistant_model": object()}, "assistant_model"),
        ({"input_ids": torch.ones(1, 4, dtype=torch.long), "max_length": 4}, "no room for an answer"),
    ],
    ids=["embeds", "cache", "assistant", "limit"],
)
def test_a_call_that_is_bound_to_the_model_is_refused(plain: Any, tokenizer: Any, kwargs: Any, why: str) -> None:
    engine = HuggingFaceEngine(plain, tokenizer, variants=IN_HALF)
    assert why in str(refusal(engine, HALF, kwargs=kwargs))


def test_a_variant_with_fewer_positions_takes_what_fits(
    plain: Any, tokenizer: Any, make_tiny: Callable[..., Any]
) -> None:
    small = make_tiny("llama", max_position_embeddings=64)
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (small, tokenizer)})
    capped = Directive(name="capped", variant="other", budget=Budget(max_new_tokens=8))
    kwargs = {**rendered(tokenizer), "max_new_tokens": 60}
    assert "64 positions of 'other'" in str(refusal(engine, OTHER, kwargs=kwargs))
    assert refusal(engine, capped, kwargs=kwargs) is None


def test_a_model_without_tokenizer_has_its_own_precisions_and_no_other_models(
    plain: Any, tokenizer: Any, sibling: Any
) -> None:
    engine = HuggingFaceEngine(plain, None, variants=IN_HALF, supplied={"other": (sibling, tokenizer)})
    kwargs = rendered(tokenizer)
    assert "without a tokenizer" in str(refusal(engine, OTHER, kwargs=kwargs))
    plan, _ = run(engine, HALF, kwargs={**kwargs, "max_new_tokens": 2})
    assert plan.runner.dtype == torch.bfloat16


def test_an_assistant_is_made_ready_too(plain: Any, tokenizer: Any) -> None:
    engine = HuggingFaceEngine(plain, tokenizer, variants=IN_HALF)
    drafted = Directive(name="drafted", draft=Draft(assistant="half"))
    assert engine.ready(drafted) is None
    loaded = engine.make_ready(drafted, nullcontext)
    assert engine.ready(drafted) == loaded
    unknown = Directive(name="unknown", draft=Draft(assistant="halb"))
    assert str(engine.misfit(unknown)).startswith("draft.assistant 'halb': there is no variant of that name")


def test_an_instruction_is_judged_by_the_variants_template(
    plain: Any, tokenizer: Any, sibling: Any, retemplated: Callable[[str | None], Any]
) -> None:
    engine = HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, retemplated(None))})
    told = Directive(name="told", variant="other", instruction="Be brief.")
    assert "no chat template" in str(engine.misfit(told))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[directive.x]\nvariant = "smal"\n[variant.small]\nprecision = "bf16"\n', "variant 'smal'.*mean 'small'"),
        ('[directive.x]\nvariant = "small"\n[variant.small]\nmodel = "/no/such"\n', "variant 'small'.*/no/such"),
        ('[directive.x]\nvariant = "small"\n[variant.small]\nprecision = "fp32"\n', "variant 'small'.*fp32 already"),
    ],
    ids=["unknown", "missing", "same"],
)
def test_a_catalogue_with_an_impossible_variant_is_refused_with_file_directive_and_key(
    plain: Any, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    monkeypatch.setenv("SPROUT_CATALOGUE", str(file))
    with pytest.raises(SettingError, match=rf"mine\.toml, directive 'x': {why}"):
        CarbonAware(plain, tokenizer, grid=150, ledger=MemoryLedger(), meter=FakeMeter(), policy="full")
