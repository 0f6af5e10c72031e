"""The confident exit against plain greedy generation, and against its rule computed anew for every token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import LogitsProcessorList, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

from directives import Budget, Confidence, Directive, EarlyExit
from sprout_like.engines.engine import Generation
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.engines.views import depth_view
from tests.sprout_like.knobs.calling import Window
from tests.sprout_like.shown import shown
from tests.sprout_like.viewable import FAMILIES

pytestmark = pytest.mark.model

LAYERS, LAYER, NEW = 6, 3, 24
PROMPT = torch.tensor([[1, 5, 9, 14, 33, 92, 7, 61, 12, 3]])


@pytest.fixture
def make(make_tiny: Callable[..., Any]) -> Callable[[str], Any]:
    def made(family: str) -> Any:
        model = make_tiny(family, num_hidden_layers=LAYERS, vocab_size=200, **FAMILIES[family])
        with torch.no_grad():  # sure of some tokens and unsure of others
            model.lm_head.weight.mul_(4)
        model.generation_config.eos_token_id = None
        return model

    return made


def exits(threshold: float, max_defer: int = 3, layer: float = LAYER, budget: Budget | None = None) -> Directive:
    confidence = Confidence(layer=layer, threshold=threshold, max_defer=max_defer)
    return Directive(name="exits", early_exit=EarlyExit(confidence=confidence), budget=budget)


def run(model: Any, directive: Directive, prompt: torch.Tensor = PROMPT, **kwargs: Any) -> Generation:
    engine = HuggingFaceEngine(model, None)
    asked = {"attention_mask": torch.ones_like(prompt), "max_new_tokens": NEW, "do_sample": False, **kwargs}
    call = engine.inspect((prompt,), asked)
    assert engine.misfit(directive) is None
    assert engine.refusal(directive, call) is None
    return engine.run(engine.plan(directive, call), call, Window())


def greedy(model: Any, prompt: torch.Tensor = PROMPT, **kwargs: Any) -> torch.Tensor:
    asked = {"attention_mask": torch.ones_like(prompt), "max_new_tokens": NEW, "do_sample": False, **kwargs}
    return model.generate(prompt, **asked)


def by_the_rule(model: Any, threshold: float, max_defer: int) -> tuple[torch.Tensor, int]:
    """Every token computed from nothing, without any cache: by the first layers where they are sure, else by all."""
    shallow, ids, waiting, early = depth_view(model, range(LAYER)), PROMPT, 0, 0
    for place in range(NEW):
        probability, token = shallow(ids, use_cache=False).logits[0, -1].softmax(dim=-1).max(dim=-1)
        if place and waiting < max_defer and probability >= threshold:
            waiting, early = waiting + 1, early + 1
        else:
            waiting, token = 0, model(ids, use_cache=False).logits[0, -1].argmax()
        ids = torch.cat([ids, token.view(1, 1)], dim=1)
    return ids, early


@pytest.mark.parametrize("family", FAMILIES)
def test_above_one_it_is_greedy_generation_token_by_token(make: Callable[[str], Any], family: str) -> None:
    model = make(family)
    generation = run(model, exits(1.1))
    assert torch.equal(generation.output, greedy(model))
    assert generation.counts == {"early_tokens": 0, "early_layers_skipped_share": 0}
    assert generation.finish_reason == "length"


@pytest.mark.parametrize("max_defer", [1, 3, 8])
@pytest.mark.parametrize("threshold", [0.0, 0.5])
@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_what_was_skipped_is_made_good_before_it_is_looked_at(
    make: Callable[[str], Any], family: str, threshold: float, max_defer: int
) -> None:
    model = make(family)
    wanted, early = by_the_rule(model, threshold, max_defer)
    generation = run(model, exits(threshold, max_defer))
    assert torch.equal(generation.output, wanted)
    assert generation.counts["early_tokens"] == early
    assert early > 0
    assert generation.counts["early_layers_skipped_share"] == pytest.approx(early * (LAYERS - LAYER) / (NEW * LAYERS))


def test_the_real_model_in_bf16_is_greedy_above_one_and_saves_below(smollm2: tuple[Any, Any]) -> None:
    model, tokenizer = smollm2
    messages = [{"role": "user", "content": "Name three rivers of Europe."}]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")["input_ids"]
    lossless = run(model, exits(1.1, layer=0.5), prompt, max_new_tokens=16)
    assert torch.equal(lossless.output, greedy(model, prompt, max_new_tokens=16))
    hasty = run(model, exits(0.2, layer=0.8), prompt, max_new_tokens=16)
    assert hasty.counts["early_tokens"] > 0


@pytest.mark.parametrize("threshold", [0.0, 1.1])
def test_a_padded_prompt_is_masked(make: Callable[[str], Any], threshold: float) -> None:
    model = make("llama")
    padded = torch.cat([torch.full((1, 3), 2), PROMPT], dim=1)
    mask = (torch.arange(padded.shape[1]) >= 3).long().unsqueeze(0)
    bare = run(model, exits(threshold)).output[:, PROMPT.shape[1] :]
    assert torch.equal(run(model, exits(threshold), padded, attention_mask=mask).output[:, padded.shape[1] :], bare)


@pytest.mark.parametrize("threshold", [0.0, 0.5, 1.1])
def test_it_ends_at_the_end_token_and_not_below_the_minimum(make: Callable[[str], Any], threshold: float) -> None:
    model = make("llama")
    answer = run(model, exits(threshold)).output[0, PROMPT.shape[1] :].tolist()
    end = answer[6]
    generation = run(model, exits(threshold), eos_token_id=end)
    assert list(generation.answers[0]) == answer[: answer.index(end) + 1]  # type: ignore[index]
    assert generation.finish_reason == "eos"
    later = run(model, exits(threshold), eos_token_id=end, min_new_tokens=12)
    assert end not in list(later.answers[0])[:12]  # type: ignore[index]


def test_a_minimum_is_kept_as_in_greedy_generation(make: Callable[[str], Any]) -> None:
    model = make("qwen2")
    end = int(greedy(model)[0, PROMPT.shape[1] + 4])
    asked = {"eos_token_id": end, "min_new_tokens": 12, "pad_token_id": 2}
    assert torch.equal(run(model, exits(1.1), **asked).output, greedy(model, **asked))


class Raises:
    """A processor with a state: every call raises the next token of a list, as one that follows a grammar would."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        raised = scores.clone()
        raised[:, 100 + self.calls] += 30.0 if self.calls % 3 == 0 else 0.0
        return raised


def test_a_processor_sees_every_token_once_where_none_leaves(make: Callable[[str], Any]) -> None:
    model = make("llama")
    generation = run(model, exits(1.1), logits_processor=LogitsProcessorList([Raises()]))
    assert torch.equal(generation.output, greedy(model, logits_processor=LogitsProcessorList([Raises()])))


def test_a_token_that_only_a_processor_wants_does_not_leave_early(make: Callable[[str], Any]) -> None:
    class Never:
        """Forbids what the first layers would say."""

        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            said = shallow(input_ids, use_cache=False).logits[0, -1].argmax()
            return scores.index_fill(1, said.view(1), float("-inf"))

    model = make("llama")
    shallow = depth_view(model, range(LAYER))
    never = LogitsProcessorList([Never()])
    generation = run(model, exits(0.0), logits_processor=never)
    assert generation.counts["early_tokens"] == 0
    assert torch.equal(generation.output, greedy(model, logits_processor=never))


@pytest.mark.parametrize("threshold", [0.0, 1.1])
def test_the_callers_criteria_end_it(make: Callable[[str], Any], threshold: float) -> None:
    class AfterFive:
        def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
            return torch.full((input_ids.shape[0],), input_ids.shape[1] >= PROMPT.shape[1] + 5)

    generation = run(make("llama"), exits(threshold), stopping_criteria=StoppingCriteriaList([AfterFive()]))
    assert generation.new_tokens == 5
    assert generation.finish_reason == "stop"


def test_a_budget_limits_it(make: Callable[[str], Any]) -> None:
    generation = run(make("llama"), exits(0.0, budget=Budget(max_new_tokens=7)))
    assert generation.new_tokens == 7
    assert generation.finish_reason == "length"


class Listener(BaseStreamer):
    def __init__(self) -> None:
        self.heard: list[torch.Tensor] = []
        self.ended = 0

    def put(self, value: torch.Tensor) -> None:
        self.heard.append(value)

    def end(self) -> None:
        self.ended += 1


@pytest.mark.parametrize("threshold", [0.0, 1.1])
def test_a_streamer_hears_what_it_hears_of_generate(make: Callable[[str], Any], threshold: float) -> None:
    model, listener, usual = make("llama"), Listener(), Listener()
    generation = run(model, exits(threshold), streamer=listener)
    greedy(model, streamer=usual)
    assert [value.shape for value in listener.heard] == [value.shape for value in usual.heard]
    assert torch.equal(torch.cat([value.view(-1) for value in listener.heard]), generation.output[0])
    generation.end_stream()
    assert listener.ended == 1


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"do_sample": True}, "do_sample"),
        ({"num_beams": 2}, "num_beams"),
        ({"num_return_sequences": 2, "do_sample": True}, "num_return_sequences"),
        ({"return_dict_in_generate": True, "output_scores": True}, "return_dict_in_generate"),
        ({"stop_strings": "x"}, "stop_strings"),
        ({"prompt_lookup_num_tokens": 3}, "prompt_lookup_num_tokens"),
        ({"assistant_early_exit": 2}, "assistant_early_exit"),
        ({"use_cache": False}, "use_cache"),
        ({"cache_implementation": "static"}, "cache_implementation"),
        ({"past_key_values": object()}, "past_key_values"),
        ({"inputs": PROMPT.repeat(2, 1)}, "one prompt at a time"),
    ],
    ids=shown,
)
def test_a_call_that_its_loop_cannot_serve_is_refused(
    make: Callable[[str], Any], asked: dict[str, Any], why: str
) -> None:
    engine = HuggingFaceEngine(make("llama"), None)
    call = engine.inspect((), {"inputs": PROMPT, "max_new_tokens": 4, **asked})
    assert why in str(engine.refusal(exits(0.5), call))
