"""Directives on live `generate` calls of a tiny model: what the engine runs, and what the caller sees of it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

from directives import FULL, Budget, Catalogue, Directive
from sprout_like.engines.engine import Call, Generation, Plan
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.reuse.prefixes import PrefixCache
from tests.sprout_like.knobs.calling import Window
from tests.sprout_like.shown import shown

pytestmark = pytest.mark.model

TOLD = Directive(name="told", instruction="Always answer briefly.")
CAPPED = Directive(name="capped", budget=Budget(max_new_tokens=6))
BOTH = Directive(name="both", instruction="Always answer briefly.", budget=Budget(max_new_tokens=6, soft_tokens=3))


def prompts(tokenizer: Any, *texts: str, side: str = "left") -> dict[str, torch.Tensor]:
    rendered = [
        tokenizer.apply_chat_template([{"role": "user", "content": t}], add_generation_prompt=True, return_dict=True)
        for t in texts
    ]
    return dict(tokenizer.pad(rendered, padding_side=side, return_tensors="pt"))


def run(engine: HuggingFaceEngine, directive: Directive, call: Call) -> tuple[Plan, Generation]:
    assert engine.refusal(directive, call) is None
    plan = engine.plan(directive, call)
    return plan, engine.run(plan, call, Window())


@pytest.fixture
def engine(tiny_model: Any, tokenizer: Any) -> HuggingFaceEngine:
    tiny_model.generation_config.eos_token_id = None
    return HuggingFaceEngine(tiny_model, tokenizer)


@pytest.mark.parametrize("positional", [True, False])
def test_the_answer_is_the_one_to_the_longer_prompt_behind_the_callers_own_ids(
    engine: HuggingFaceEngine, tiny_model: Any, tokenizer: Any, positional: bool
) -> None:
    batch = prompts(tokenizer, "Why?", "What is the longest river of the continent?")
    ids, mask = batch["input_ids"], batch["attention_mask"]
    rest = {"attention_mask": mask, "max_new_tokens": 5, "do_sample": False}
    call = engine.inspect((ids,), rest) if positional else engine.inspect((), {"input_ids": ids, **rest})
    plan, generation = run(engine, TOLD, call)

    assert torch.equal(generation.output[:, : ids.shape[1]], ids)
    assert generation.output.dtype == ids.dtype
    for row, question in enumerate(("Why?", "What is the longest river of the continent?")):
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
        )
        text = text.replace("by Hugging Face<", "by Hugging Face\n\nAlways answer briefly.<")
        longer = tokenizer(text, return_tensors="pt", add_special_tokens=False)
        direct = tiny_model.generate(**longer, max_new_tokens=5, do_sample=False)
        assert torch.equal(generation.output[row, ids.shape[1] :], direct[0, longer["input_ids"].shape[1] :])
        assert plan.instruction_tokens == 2 * (longer["input_ids"].shape[1] - int(mask[row].sum()))


def test_padding_stays_on_the_left_and_masked(engine: HuggingFaceEngine, tokenizer: Any) -> None:
    batch = prompts(tokenizer, "Why?", "What is the longest river of the continent?")
    call = engine.inspect((), {**batch, "max_new_tokens": 2})
    plan = engine.plan(TOLD, call)
    pads = int((1 - plan.kwargs["attention_mask"][0]).sum())
    assert pads == int((1 - batch["attention_mask"][0]).sum()) > 0
    assert plan.kwargs["attention_mask"][0, :pads].sum() == 0
    assert plan.kwargs["attention_mask"][:, pads:].all()


def test_full_hands_on_the_very_objects(engine: HuggingFaceEngine, tokenizer: Any) -> None:
    batch = prompts(tokenizer, "Why?")
    call = engine.inspect((), batch)
    plan = engine.plan(FULL, call)
    assert all(plan.kwargs[name] is value for name, value in batch.items())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"attention_mask": "right"}, "padded on the left"),
        ({"past_key_values": object()}, "past_key_values"),
        ({"input_ids": torch.arange(9, 15).unsqueeze(0), "attention_mask": None}, "system turn"),
        ({"input_ids": None, "inputs_embeds": torch.zeros(1, 4, 32)}, "not given as tokens"),
        ({"input_ids": None, "attention_mask": None}, "not given as tokens"),
        ({"output_hidden_states": True, "return_dict_in_generate": True}, "output_hidden_states"),
    ],
    ids=shown,
)
def test_a_call_that_cannot_carry_the_instruction_is_refused_before_the_draw(
    engine: HuggingFaceEngine, tokenizer: Any, change: dict[str, Any], why: str
) -> None:
    batch = prompts(tokenizer, "Why?", "What is the longest river of the continent?")
    if change.get("attention_mask") == "right":
        change = {"attention_mask": batch["attention_mask"].flip(1)}
    call = engine.inspect((), {**batch, **change})
    assert why in str(engine.refusal(TOLD, call))
    assert engine.refusal(FULL, call) is None


def test_a_model_without_tokenizer_has_budgets_but_no_instructions(tiny_model: Any, tokenizer: Any) -> None:
    engine = HuggingFaceEngine(tiny_model, None)
    call = engine.inspect((), prompts(tokenizer, "Why?"))
    assert "no tokenizer was given" in str(engine.refusal(TOLD, call))
    assert engine.refusal(CAPPED, call) is None


def test_a_knob_that_the_engine_lacks_refuses_the_directive(engine: HuggingFaceEngine, tokenizer: Any) -> None:
    later = Directive(name="later")
    object.__setattr__(later, "knobs", frozenset({"teleport"}))  # a knob of a later release
    call = engine.inspect((), prompts(tokenizer, "Why?"))
    assert engine.refusal(later, call) == "teleport: this engine has no such knob"


class Watcher:
    """A processor and criterion in one: notes what it is shown."""

    def __init__(self) -> None:
        self.shown: list[torch.Tensor] = []

    def processor(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        self.shown.append(input_ids.clone())
        return scores

    def criterion(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        self.shown.append(input_ids.clone())
        return torch.zeros(input_ids.shape[0], dtype=torch.bool)

    def prefix(self, batch_index: int, ids: torch.Tensor) -> list[int]:
        self.shown.append(ids.clone().unsqueeze(0))
        return list(range(49152))


@pytest.mark.parametrize("role", ["logits_processor", "stopping_criteria", "prefix_allowed_tokens_fn"])
@pytest.mark.parametrize("messages", [False, True])
def test_the_callers_own_objects_see_the_callers_own_prompt(
    engine: HuggingFaceEngine, tokenizer: Any, role: str, messages: bool
) -> None:
    class Processor:
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            return watcher.processor(input_ids, scores)

    class Criterion:
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any) -> torch.Tensor:
            return watcher.criterion(input_ids, scores, **kwargs)

    watcher = Watcher()
    given = {
        "logits_processor": LogitsProcessorList([Processor()]),
        "stopping_criteria": StoppingCriteriaList([Criterion()]),
        "prefix_allowed_tokens_fn": watcher.prefix,
    }[role]
    batch = prompts(tokenizer, "Why?")
    kwargs = {role: given, "max_new_tokens": 4, "do_sample": False}
    if messages:
        call = engine.inspect((), kwargs, messages=[{"role": "user", "content": "Why?"}])
    else:
        call = engine.inspect((), {**batch, **kwargs})
    _, generation = run(engine, BOTH, call)
    assert len(watcher.shown) == 4
    prompt = batch["input_ids"]
    for ids in watcher.shown:
        assert torch.equal(ids[:, : prompt.shape[1]], prompt)
        assert ids.shape[1] <= generation.output.shape[1]


@pytest.mark.parametrize(
    ("kwargs", "wanted"),
    [
        ({"max_new_tokens": 4}, 4),
        ({"max_new_tokens": 50}, 6),
        ({"max_length": "prompt+4"}, 4),
        ({"max_length": "prompt+50"}, 6),
        ({"max_new_tokens": 50, "min_new_tokens": 9}, 9),
        ({"max_new_tokens": 8, "min_new_tokens": 20}, 8),
        ({"max_length": "prompt+50", "min_length": "prompt+9"}, 9),
        ({"generation_config": GenerationConfig(max_new_tokens=50, do_sample=False)}, 6),
        ({"generation_config": GenerationConfig(max_new_tokens=4, do_sample=False)}, 4),
        ({"generation_config": GenerationConfig(max_length=500, do_sample=False)}, 6),
        ({}, 6),
    ],
    ids=shown,
)
@pytest.mark.parametrize("directive", [CAPPED, BOTH], ids=lambda d: d.name)
@pytest.mark.parametrize("default", [{}, {"max_length": 300}, {"max_new_tokens": 30}], ids=shown)
@pytest.mark.filterwarnings("ignore")
def test_the_budget_is_the_lower_limit_and_the_callers_minimum_wins(
    engine: HuggingFaceEngine,
    tiny_model: Any,
    tokenizer: Any,
    kwargs: dict[str, Any],
    wanted: int,
    directive: Directive,
    default: dict[str, int],
) -> None:
    for name, value in default.items():
        setattr(tiny_model.generation_config, name, value)
    batch = prompts(tokenizer, "Why?")
    length = batch["input_ids"].shape[1]
    resolved = {n: length + int(v[7:]) if isinstance(v, str) else copy.deepcopy(v) for n, v in kwargs.items()}
    before = copy.deepcopy(resolved)
    own = tiny_model.generation_config.to_dict()
    if "max_length" in resolved and "max_new_tokens" in default:
        resolved["max_new_tokens"] = None  # otherwise the model's own default is the limit
        before["max_new_tokens"] = None
    call = engine.inspect((), {**batch, **resolved})
    plan, generation = run(engine, directive, call)
    assert generation.new_tokens == wanted
    assert plan.limit_tokens == wanted
    assert generation.finish_reason == "length"
    assert tiny_model.generation_config.to_dict() == own
    for name, value in before.items():
        now = resolved[name]
        assert (now.to_dict() == value.to_dict()) if isinstance(value, GenerationConfig) else now == value


def test_lists_of_the_caller_are_not_added_to(engine: HuggingFaceEngine, tiny_model: Any, tokenizer: Any) -> None:
    tiny_model.generation_config.eos_token_id = 2
    processors = LogitsProcessorList([])
    call = engine.inspect((), {**prompts(tokenizer, "Why?"), "logits_processor": processors, "max_new_tokens": 30})
    plan = engine.plan(BOTH, call)
    assert len(plan.kwargs["logits_processor"]) == 1
    assert len(processors) == 0


@pytest.mark.parametrize(
    "form",
    [{"num_beams": 2}, {"num_beams": 3, "num_return_sequences": 2}, {"num_return_sequences": 3, "do_sample": True}],
    ids=shown,
)
@pytest.mark.parametrize("as_dict", [False, True])
def test_every_returned_row_starts_with_its_own_prompt(
    engine: HuggingFaceEngine, tokenizer: Any, form: dict[str, Any], as_dict: bool
) -> None:
    batch = prompts(tokenizer, "Why?", "What is the longest river of the continent?")
    call = engine.inspect(
        (), {**batch, **form, "max_new_tokens": 5, "return_dict_in_generate": as_dict, "output_scores": as_dict}
    )
    _, generation = run(engine, TOLD, call)
    sequences = generation.output.sequences if as_dict else generation.output
    each = form.get("num_return_sequences", 1)
    assert sequences.shape == (2 * each, batch["input_ids"].shape[1] + 5)
    assert torch.equal(sequences[:, : batch["input_ids"].shape[1]], batch["input_ids"].repeat_interleave(each, 0))
    if as_dict:
        assert type(generation.output).__name__.startswith("Generate")
        assert len(generation.output.scores) == 5
        assert generation.output.past_key_values is None  # it would hold the instruction


def test_a_chat_renders_the_longer_system_message(engine: HuggingFaceEngine, tokenizer: Any) -> None:
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Why?"}]
    call = engine.inspect((), {"max_new_tokens": 3}, messages=messages)
    plan = engine.plan(TOLD, call)
    text = tokenizer.decode(plan.kwargs["input_ids"][0])
    assert "system\nBe kind.\n\nAlways answer briefly.<|im_end|>" in text
    assert plan.instruction_tokens > 0
    assert messages[0]["content"] == "Be kind."


def test_the_builtin_catalogue_can_be_applied_to_an_ordinary_chat(tiny_model: Any, tokenizer: Any) -> None:
    variants, prefixes = Catalogue.builtin().variants, PrefixCache(most_bytes=1 << 20)
    engine = HuggingFaceEngine(tiny_model, tokenizer, variants=variants, prefixes=prefixes)
    call = engine.inspect((), {"max_new_tokens": 200}, messages=[{"role": "user", "content": "Why?"}])
    refused = {d.name: why for d in Catalogue.builtin() if (why := engine.refusal(d, call)) is not None}
    assert refused.keys() <= {"kept_answers", "int8", "int4"}, refused  # off; two packages that may be missing
