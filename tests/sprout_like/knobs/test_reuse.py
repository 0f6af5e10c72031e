"""A kept answer is the answer; where it might not be, the call is refused or computed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from transformers import DynamicCache, GenerationConfig, LogitsProcessorList, StoppingCriteriaList

from directives import Budget, Directive, Reuse
from sprout_like.engines.engine import Call
from sprout_like.engines.hugging_face import HuggingFaceEngine
from tests.sprout_like.knobs.calling import Window
from tests.sprout_like.knobs.reusing import FAMILIES, Stream, asked, engine_of, planned, prompts, served

pytestmark = pytest.mark.model

ANSWERS = Directive(name="answers", reuse=Reuse(answers=True))
PREFIX = Directive(name="prefix", reuse=Reuse(prefix=True))
BOTH = Directive(name="both", reuse=Reuse(answers=True, prefix=True))
TOLD = Directive(
    name="told",
    instruction="Always answer very briefly.",
    budget=Budget(max_new_tokens=9, soft_tokens=4),
    reuse=Reuse(answers=True, prefix=True),
)


@pytest.fixture
def engine(make_tiny: Callable[..., Any], tokenizer: Any) -> HuggingFaceEngine:
    return engine_of(make_tiny("llama"), tokenizer)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_kept_answer_is_the_answer(family: str, make_tiny: Callable[..., Any]) -> None:
    model = make_tiny(family, **({"sliding_window": None} if family == "mistral" else {}))
    engine = engine_of(model)
    call = asked(engine, prompts(1)[0])
    first, again = (served(engine, ANSWERS, call) for _ in range(2))
    assert torch.equal(again.output, model.generate(**call.kwargs))
    assert (again.answers, again.new_tokens, again.finish_reason) == (
        first.answers,
        first.new_tokens,
        first.finish_reason,
    )
    assert (first.reused_tokens, again.reused_tokens) == (0, 105)


@pytest.mark.parametrize(
    "form",
    [
        {"num_beams": 3, "num_return_sequences": 2},
        {"generation_config": GenerationConfig(max_new_tokens=7, do_sample=False)},
        {"max_new_tokens": None, "max_length": 110},
        {"repetition_penalty": 1.5, "eos_token_id": [2, 9], "bad_words_ids": [[4, 5]]},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "directive", [ANSWERS, Directive(name="c", budget=Budget(max_new_tokens=3), reuse=Reuse(answers=True))]
)
@pytest.mark.filterwarnings("ignore")
def test_in_every_form_of_a_call(engine: HuggingFaceEngine, form: dict[str, Any], directive: Directive) -> None:
    ids, mask = torch.zeros(2, 108, dtype=torch.long), torch.zeros(2, 108, dtype=torch.long)
    for row, prompt in enumerate(prompts(2)):
        ids[row, -prompt.shape[1] :], mask[row, -prompt.shape[1] :] = prompt[0], 1
    call = asked(engine, ids, attention_mask=mask, **form)
    first = served(engine, directive, call)
    plan = planned(engine, directive, call)
    assert plan.answer is not None
    assert torch.equal(plan.answer.output, first.output)
    assert plan.answer.output.dtype == first.output.dtype
    assert plan.answer.answers == first.answers


def test_the_caller_may_do_with_the_answer_as_they_like(engine: HuggingFaceEngine) -> None:
    call = asked(engine, prompts(1)[0])
    served(engine, ANSWERS, call)
    one = served(engine, ANSWERS, call)
    wanted = one.output.clone()
    one.output.zero_()
    assert torch.equal(served(engine, ANSWERS, call).output, wanted)


def test_what_an_instruction_added_is_hidden_in_a_kept_answer_too(engine: HuggingFaceEngine) -> None:
    for messages in ([{"role": "user", "content": "Why?"}], None):
        kwargs = {"do_sample": False, "max_new_tokens": 30}
        chat = engine.inspect((), kwargs, messages=[{"role": "user", "content": "Why?"}])
        call = chat if messages else asked(engine, chat.prompt_ids)
        first, again = (served(engine, TOLD, call) for _ in range(2))
        assert planned(engine, TOLD, call).answer is not None
        assert torch.equal(first.output, again.output)
        assert torch.equal(again.output[:, : call.prompt_length], call.prompt_ids)


@pytest.mark.parametrize("directive", [ANSWERS, TOLD], ids=lambda d: d.name)
def test_a_streamer_sees_what_it_would_have_seen(engine: HuggingFaceEngine, directive: Directive) -> None:
    streams = [Stream(), Stream()]
    for stream in streams:
        call = engine.inspect(
            (), {"streamer": stream, "max_new_tokens": 8}, messages=[{"role": "user", "content": "?"}]
        )
        generation = served(engine, directive, call)
        assert stream.ended == 0
        generation.end_stream()
        assert stream.ended == 1
    assert planned(engine, directive, call).answer is not None
    assert streams[0].values == streams[1].values


def other_prompt(engine: HuggingFaceEngine, call: Call) -> Call:
    return asked(engine, call.prompt_ids.flip(1))


def other_mask(engine: HuggingFaceEngine, call: Call) -> Call:
    mask = torch.ones_like(call.prompt_ids)
    mask[0, 0] = 0
    return asked(engine, call.prompt_ids, attention_mask=mask)


def other_setting(engine: HuggingFaceEngine, call: Call) -> Call:
    return asked(engine, call.prompt_ids, repetition_penalty=1.1)


def other_limit(engine: HuggingFaceEngine, call: Call) -> Call:
    return asked(engine, call.prompt_ids, max_new_tokens=13)


def other_default(engine: HuggingFaceEngine, call: Call) -> Call:
    call.host.generation_config.repetition_penalty = 1.2
    return call


def other_configuration(engine: HuggingFaceEngine, call: Call) -> Call:
    call.host.config.rope_parameters["rope_theta"] = 7.0
    return call


def other_weights(engine: HuggingFaceEngine, call: Call) -> Call:
    with torch.no_grad():
        call.host.model().lm_head.weight[7] += 1
    return call


@pytest.mark.parametrize(
    "change",
    [other_prompt, other_mask, other_setting, other_limit, other_default, other_configuration, other_weights],
)
def test_whatever_an_answer_depends_on_makes_it_another(
    engine: HuggingFaceEngine, change: Callable[[HuggingFaceEngine, Call], Call]
) -> None:
    call = asked(engine, prompts(1)[0])
    served(engine, ANSWERS, call)
    assert planned(engine, ANSWERS, call).answer is not None
    assert planned(engine, ANSWERS, change(engine, call)).answer is None


def test_directives_share_no_answers_unless_only_their_names_differ(engine: HuggingFaceEngine) -> None:
    call = asked(engine, prompts(1)[0])
    served(engine, ANSWERS, call)
    capped = Directive(name="capped", budget=Budget(max_new_tokens=99), reuse=Reuse(answers=True))
    assert planned(engine, capped, call).answer is None
    assert planned(engine, Directive(name="renamed", reuse=Reuse(answers=True)), call).answer is not None


def test_weights_that_change_during_a_run_leave_no_answer(engine: HuggingFaceEngine) -> None:
    call = asked(engine, prompts(1)[0])

    class Trainer(Stream):
        def put(self, value: torch.Tensor) -> None:
            with torch.no_grad():
                call.host.model().lm_head.weight[7].add_(0.0)

    served(engine, ANSWERS, asked(engine, prompts(1)[0], streamer=Trainer()))
    assert planned(engine, ANSWERS, call).answer is None


def test_a_failed_run_leaves_no_answer(engine: HuggingFaceEngine) -> None:
    class Broken(Stream):
        def put(self, value: torch.Tensor) -> None:
            if len(self.values) == 3:
                raise KeyboardInterrupt
            super().put(value)

    call = asked(engine, prompts(1)[0], streamer=Broken())
    with pytest.raises(KeyboardInterrupt):
        served(engine, BOTH, call)
    assert planned(engine, BOTH, asked(engine, prompts(1)[0])).answer is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"do_sample": True}, "do_sample"),
        ({"generation_config": GenerationConfig(do_sample=True)}, "do_sample"),
        ({"return_dict_in_generate": True}, "return_dict_in_generate"),
        ({"max_time": 9.0}, "max_time"),
        ({"logits_processor": LogitsProcessorList([lambda ids, scores: scores])}, "logits_processor"),
        ({"stopping_criteria": StoppingCriteriaList([lambda ids, scores, **_: False])}, "stopping_criteria"),
        ({"prefix_allowed_tokens_fn": lambda *_: [5]}, "prefix_allowed_tokens_fn"),
        ({"past_key_values": DynamicCache()}, "past_key_values"),
        ({"input_ids": None, "inputs_embeds": torch.zeros(1, 3, 32)}, "not given as tokens"),
        ({"num_beams": 2, "streamer": Stream()}, "streamed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-",
)
def test_calls_whose_answers_are_not_kept_are_refused(
    engine: HuggingFaceEngine, change: dict[str, Any], why: str
) -> None:
    form = {"do_sample": None} if "generation_config" in change else {}
    call = engine.inspect((), {"input_ids": prompts(1)[0], **form, **change})
    if "generation_config" in change:
        del call.kwargs["do_sample"]
    assert why in str(engine.refusal(ANSWERS, call))


def test_a_model_that_samples_by_itself_is_refused(engine: HuggingFaceEngine) -> None:
    asking = {"input_ids": prompts(1)[0]}
    call = engine.inspect((), asking)
    assert engine.refusal(ANSWERS, call) is None
    call.host.generation_config.do_sample = True
    assert "do_sample" in str(engine.refusal(ANSWERS, engine.inspect((), asking)))


def train(model: Any) -> None:
    model.train()


def hook(model: Any) -> None:
    model.lm_head.register_forward_hook(lambda *_: None)


@pytest.mark.parametrize(("change", "why"), [(train, "training mode"), (hook, "unseen")])
@pytest.mark.parametrize("directive", [ANSWERS, PREFIX], ids=lambda d: d.name)
def test_models_that_are_not_themselves_are_refused(
    engine: HuggingFaceEngine, change: Callable[[Any], None], why: str, directive: Directive
) -> None:
    call = asked(engine, prompts(1)[0])
    change(call.host.model())
    assert why in str(engine.refusal(directive, call))


def test_what_is_off_says_how_to_turn_it_on(make_tiny: Callable[..., Any]) -> None:
    engine = HuggingFaceEngine(make_tiny("llama"), None)
    call = asked(engine, prompts(1)[0])
    assert "answer_cache" in str(engine.refusal(ANSWERS, call))
    assert "prefix_cache_mib" in str(engine.refusal(PREFIX, call))
    assert engine.misfit(BOTH) is None


def test_two_threads_may_miss_and_hit_at_once(engine: HuggingFaceEngine) -> None:
    calls = [asked(engine, prompt) for prompt in prompts(4)] * 6
    wanted = [call.host.model().generate(**call.kwargs) for call in calls[:4]] * 6

    def serve(call: Call) -> torch.Tensor:
        plan = planned(engine, BOTH, call)
        if plan.answer is not None:
            return plan.answer.output
        with engine.hold(plan):
            return engine.run(plan, call, Window()).output

    with ThreadPoolExecutor(3) as threads:
        assert all(map(torch.equal, threads.map(serve, calls), wanted))
