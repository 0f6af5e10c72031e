"""One request asks of all directives: what is costly is looked at once for it, and again for the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch

from directives import Budget, Catalogue, Confidence, Depth, Directive, Draft, EarlyExit, KvCache, Lookup, Reuse
from sprout_like.engines.engine import Call
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.engines.inspecting import inspect_call
from sprout_like.engines.own_host import OwnHost
from sprout_like.knobs.draft import DraftKnob
from sprout_like.knobs.early_exit import EarlyExitKnob
from sprout_like.knobs.instruction import InstructionKnob
from sprout_like.knobs.knob import Knob
from sprout_like.knobs.reuse import ReuseKnob
from sprout_like.reuse.memory_answers import MemoryAnswers
from sprout_like.reuse.prefixes import PrefixCache
from tests.sprout_like.knobs.reusing import asked, engine_of, prompts, served

pytestmark = pytest.mark.model

ANSWERS = Directive(name="answers", reuse=Reuse(answers=True))
REUSING = [
    ANSWERS,
    Directive(name="prefix", reuse=Reuse(prefix=True)),
    Directive(name="both", budget=Budget(max_new_tokens=8), reuse=Reuse(answers=True, prefix=True)),
]
EXITS = [
    Directive(name="shallow", early_exit=EarlyExit(depth=Depth(first=0.5))),
    Directive(name="confident", early_exit=EarlyExit(confidence=Confidence(layer=0.5, threshold=0.9))),
]
DRAFTS = [
    Directive(name="self_draft", draft=Draft(tokens=3, depth=0.5)),
    Directive(name="longer_draft", draft=Draft(tokens=5, depth=0.5)),
    Directive(name="lookup", draft=Draft(tokens=3, lookup=Lookup(ngram=2))),
]
CACHES = [
    Directive(name="static", kv_cache=KvCache(kind="static")),
    Directive(name="fp8", kv_cache=KvCache(kind="quantized", backend="fp8")),
]
TOLD = [Directive(name=f"told_{text}", instruction=f"Answer {text}.") for text in ("briefly", "shortly", "gladly")]


class CountingHost(OwnHost):
    """The wrapped model, counting what it is asked for."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        super().__init__(model, tokenizer)
        self.asked: Counter[str] = Counter()

    @property
    def config(self) -> Any:
        self.asked["config"] += 1
        return super().config

    def model(self) -> Any:
        self.asked["model"] += 1
        return super().model()


class CountingTokenizer:
    """A tokenizer, counting how often its state is read and how often it encodes."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.asked: Counter[str] = Counter()

    def __len__(self) -> int:
        self.asked["length"] += 1
        return len(self._tokenizer)

    def encode(self, *args: Any, **kwargs: Any) -> Any:
        self.asked["encode"] += 1
        return self._tokenizer.encode(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)


class NoVariants:
    def host(self, name: str) -> Any:
        raise KeyError(name)


def call_of(host: OwnHost, ids: torch.Tensor) -> Call:
    form = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "do_sample": False, "max_new_tokens": 8}
    return inspect_call(host, (), (), form, device=ids.device)


def refusals(knob: Knob, directives: Iterable[Directive], call: Call) -> list[str | None]:
    return [knob.refusal(directive, call) for directive in directives]


def test_the_weights_are_looked_at_once_for_all_directives_that_reuse(make_tiny: Callable[..., Any]) -> None:
    host = CountingHost(make_tiny("llama"), None)
    knob = ReuseKnob(MemoryAnswers(most_entries=9, most_bytes=10**6), PrefixCache(most_bytes=10**6))
    for request in (1, 2):
        assert refusals(knob, REUSING, call_of(host, prompts(1)[0])) == [None, None, None]
        assert host.asked["model"] == request


def test_whether_layers_can_be_left_out_is_asked_once_for_exits_and_drafts(make_tiny: Callable[..., Any]) -> None:
    host = CountingHost(make_tiny("llama"), None)
    exits, drafts = EarlyExitKnob(), DraftKnob(NoVariants())
    for request in (1, 2):
        call = call_of(host, prompts(1)[0])
        assert refusals(exits, EXITS, call) == [None, None]
        assert refusals(drafts, DRAFTS, call) == [None, None, None]
        assert host.asked["model"] == request


def test_positions_are_counted_once_for_all_drafts(make_tiny: Callable[..., Any]) -> None:
    host = CountingHost(make_tiny("gpt2"), None)
    call = call_of(host, prompts(1)[0])
    before = host.asked["config"]
    assert refusals(DraftKnob(NoVariants()), [DRAFTS[2]] * 3, call) == [None, None, None]
    assert host.asked["config"] == before + 1


def test_a_prompt_is_searched_for_its_system_turn_once(tiny_model: Any, tokenizer: Any) -> None:
    counting = CountingTokenizer(tokenizer)
    host, knob = OwnHost(tiny_model, counting), InstructionKnob()
    messages = [{"role": "user", "content": "Why?"}]
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    refusals(knob, TOLD, call_of(host, ids["input_ids"]))  # what is learnt of a tokenizer is learnt now
    counting.asked.clear()
    for request in (1, 2):
        assert refusals(knob, TOLD, call_of(host, ids["input_ids"])) == [None, None, None]
        assert counting.asked == {"length": request}


def train(model: Any) -> None:
    model.train()


def replace_forward(model: Any) -> None:
    model.forward = model.forward


def hook(model: Any) -> None:
    model.lm_head.register_forward_hook(lambda *_: None)


def beams(model: Any) -> None:
    model.generation_config.num_beams = 2


def another_cache(model: Any) -> None:
    model.generation_config.cache_implementation = "static"


def look_up(model: Any) -> None:
    model.generation_config.prompt_lookup_num_tokens = 3


def few_positions(model: Any) -> None:
    model.config.max_position_embeddings = 20


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (train, {"answers", "prefix", "both", "shallow", "confident", "self_draft", "longer_draft"}),
        (replace_forward, {"shallow", "confident", "self_draft", "longer_draft"}),
        (hook, {"answers", "prefix", "both"}),
        (beams, {"prefix", "both", "confident", "self_draft", "longer_draft", "lookup"}),
        (another_cache, {"prefix", "both", "confident", "self_draft", "longer_draft", "lookup", "static", "fp8"}),
        (look_up, {"prefix", "both", "confident", "self_draft", "longer_draft", "lookup", "static", "fp8"}),
        (few_positions, {"static", "told_briefly", "told_shortly", "told_gladly"}),
    ],
)
def test_a_changed_model_is_noticed_at_the_next_call(
    make_tiny: Callable[..., Any], tokenizer: Any, change: Callable[[Any], None], refused: set[str]
) -> None:
    model = make_tiny("llama")
    engine = engine_of(model, tokenizer)
    ids = tokenizer.apply_chat_template([{"role": "user", "content": "Why?"}], return_tensors="pt", return_dict=True)
    directives = [*REUSING, *EXITS, *DRAFTS, *CACHES, *TOLD]

    def found() -> set[str]:
        call = asked(engine, ids["input_ids"])
        return {directive.name for directive in directives if engine.refusal(directive, call) is not None}

    assert found() == set()
    change(model)
    assert found() == refused


def test_weights_edited_in_place_are_noticed_at_the_next_call(make_tiny: Callable[..., Any]) -> None:
    model, prompt = make_tiny("llama"), prompts(1)[0]
    engine = engine_of(model)
    before = served(engine, ANSWERS, asked(engine, prompt))
    with torch.no_grad():
        model.lm_head.weight.copy_(model.lm_head.weight.flip(0))
    after = served(engine, ANSWERS, asked(engine, prompt))
    assert after.reused_tokens == 0
    assert not torch.equal(after.output, before.output)


def test_what_a_call_was_told_of_the_model_is_not_told_of_its_variant(
    make_tiny: Callable[..., Any], tokenizer: Any
) -> None:
    shorter = {"small": (make_tiny("gpt2", n_positions=110), tokenizer)}
    engine = HuggingFaceEngine(make_tiny("gpt2", n_positions=400), tokenizer, supplied=shorter)
    draft = Draft(tokens=3, lookup=Lookup(ngram=2))
    own, other = Directive(name="own", draft=draft), Directive(name="other", variant="small", draft=draft)
    call = asked(engine, prompts(1)[0], max_new_tokens=5)
    beyond = "a draft would reach beyond the model's last position"
    assert [engine.refusal(each, call) for each in (own, other, own)] == [None, beyond, None]


def test_directives_are_judged_together_as_each_by_itself(tiny_model: Any, tokenizer: Any) -> None:
    engine = HuggingFaceEngine(tiny_model, tokenizer, prefixes=PrefixCache(most_bytes=10**6))
    ids = tokenizer.apply_chat_template([{"role": "user", "content": "Why?"}], return_tensors="pt", return_dict=True)
    two = torch.cat([ids["input_ids"]] * 2)
    plain = {"input_ids": ids["input_ids"], "max_new_tokens": 5, "do_sample": False}
    forms = [
        plain,
        {**plain, "input_ids": two},
        {**plain, "do_sample": True},
        {**plain, "num_beams": 2},
        {**plain, "use_cache": False},
        {**plain, "cache_implementation": "static"},
        {**plain, "prompt_lookup_num_tokens": 3},
        {**plain, "output_attentions": True},
        {**plain, "input_ids": torch.tensor([[5, 6, 7]])},
        {**plain, "input_ids": None},
    ]
    directives = [d for d in Catalogue.builtin() if d.variant is None]
    directives += [*REUSING, *EXITS, *DRAFTS, *CACHES, *TOLD]
    for form in forms:
        call = engine.inspect((), form)
        together = [engine.refusal(directive, call) for directive in directives]
        assert together == [engine.refusal(directive, engine.inspect((), form)) for directive in directives]
