"""The early exit as a knob: what it refuses, fewer layers on live calls, and what it leaves of the model."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from transformers import StoppingCriteriaList

from directives import FULL, Budget, Confidence, Depth, Directive, EarlyExit, Repetition
from sprout_like.engines.engine import Generation
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.engines.views import depth_view
from tests.sprout_like.knobs.calling import Window
from tests.sprout_like.shown import shown

pytestmark = pytest.mark.model

PROMPT = torch.tensor([[2, 2, 30, 31, 9, 41], [1, 5, 9, 14, 33, 92]])
MASK = torch.tensor([[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]])
CALL = {"inputs": PROMPT, "attention_mask": MASK, "max_new_tokens": 10, "do_sample": False}
ONE = {**CALL, "inputs": PROMPT[1:], "attention_mask": MASK[1:]}


def exits(**forms: Any) -> Directive:
    return Directive(name="exits", early_exit=EarlyExit(**forms))


HALF = exits(depth=Depth(first=0.5))
DROPPED = exits(depth=Depth(drop=(1, 3)))
HASTY = exits(confidence=Confidence(layer=2, threshold=0.0))
SURE = exits(confidence=Confidence(layer=2, threshold=1.1))
LOOPS = exits(repetition=Repetition(times=2, longest=4, least=2))
BOTH = exits(depth=Depth(first=2), repetition=Repetition(times=2, longest=4, least=2))


@pytest.fixture
def model(make_tiny: Callable[..., Any]) -> Any:
    return make_tiny("llama", num_hidden_layers=5, vocab_size=200)


@pytest.fixture
def engine(model: Any) -> HuggingFaceEngine:
    return HuggingFaceEngine(model, None)


def run(engine: HuggingFaceEngine, directive: Directive, asked: dict[str, Any]) -> Generation:
    call = engine.inspect((), asked)
    assert engine.refusal(directive, call) is None
    return engine.run(engine.plan(directive, call), call, Window())


def condition(model: Any) -> Any:
    """What must be as it was after anything a directive does."""
    addresses = {name: value.data_ptr() for name, value in model.state_dict().items()}
    modules = [id(module) for module in model.modules()]
    return (
        addresses,
        modules,
        copy.deepcopy(model.config.to_dict()),
        model.generation_config.to_dict(),
        set(vars(model)),
    )


@pytest.mark.parametrize(
    ("directive", "why"),
    [
        (exits(depth=Depth(first=40)), "early_exit.depth.first is 40 but the model has 5 layers; give fewer"),
        (exits(depth=Depth(first=5)), "early_exit.depth.first is 5 but the model has 5 layers; give fewer"),
        (
            exits(depth=Depth(drop=(2, 6))),
            "early_exit.depth.drop is [2, 6] but the model has 5 layers; end at 5 or before",
        ),
        (
            exits(confidence=Confidence(layer=5, threshold=0.9)),
            "early_exit.confidence.layer is 5 but the model has 5 layers; give fewer",
        ),
        (exits(depth=Depth(first=4)), None),
        (exits(depth=Depth(drop=(2, 5))), None),
        (exits(confidence=Confidence(layer=4, threshold=0.9)), None),
        (LOOPS, None),
    ],
    ids=shown,
)
def test_layers_beyond_the_model_never_fit_it(engine: HuggingFaceEngine, directive: Directive, why: str | None) -> None:
    assert engine.misfit(directive) == why


@pytest.mark.parametrize("family", ["gpt2", "gpt_neox"])
def test_other_families_have_only_the_end_of_loops(make_tiny: Callable[..., Any], family: str) -> None:
    engine = HuggingFaceEngine(make_tiny(family, vocab_size=200), None)
    assert str(engine.misfit(HALF)).startswith(f"early_exit.depth: models of the family {family}")
    assert str(engine.misfit(SURE)).startswith(f"early_exit.confidence: models of the family {family}")
    assert engine.misfit(LOOPS) is None
    assert engine.refusal(LOOPS, engine.inspect((), CALL)) is None


def test_positions_that_move_with_the_length_have_no_confident_exit(make_tiny: Callable[..., Any]) -> None:
    rope = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}
    engine = HuggingFaceEngine(make_tiny("llama", vocab_size=200, rope_parameters=rope), None)
    assert engine.misfit(SURE) == "early_exit.confidence: the model's positions are of the kind dynamic"
    assert engine.misfit(HALF) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"inputs": None, "inputs_embeds": torch.zeros(1, 4, 32)}, "not given as tokens"),
        ({"past_key_values": object()}, "past_key_values"),
        ({"output_hidden_states": True}, "output_hidden_states"),
        ({"return_dict_in_generate": True}, "wants its cache back"),
        ({"assistant_early_exit": 2}, "assistant_early_exit"),
    ],
    ids=shown,
)
def test_a_call_that_would_see_that_layers_are_missing_is_refused(
    engine: HuggingFaceEngine, change: dict[str, Any], why: str
) -> None:
    asked = {**CALL, **change}
    call = engine.inspect((), {name: value for name, value in asked.items() if value is not None})
    assert why in str(engine.refusal(HALF, call))


def test_a_model_that_has_no_views_just_now_is_refused(engine: HuggingFaceEngine, model: Any) -> None:
    model.train()
    call = engine.inspect((), ONE)
    assert engine.refusal(HALF, call) == engine.refusal(SURE, call) == "the model is in training mode"
    assert engine.refusal(LOOPS, call) is None
    model.eval()
    assert engine.refusal(HALF, engine.inspect((), ONE)) is None


@pytest.mark.parametrize(
    ("directive", "layers"), [(HALF, (0, 1)), (DROPPED, (0, 3, 4)), (exits(depth=Depth(first=3)), (0, 1, 2))]
)
def test_the_answer_is_that_of_the_layers_that_are_left(
    engine: HuggingFaceEngine, model: Any, directive: Directive, layers: tuple[int, ...]
) -> None:
    before, full = condition(model), run(engine, FULL, CALL).output
    generation = run(engine, directive, CALL)
    assert torch.equal(generation.output, depth_view(model, layers).generate(**CALL))
    assert not torch.equal(generation.output, full)
    assert condition(model) == before
    assert torch.equal(run(engine, FULL, CALL).output, full)


@pytest.mark.parametrize(
    "form",
    [{"num_beams": 2}, {"cache_implementation": "static"}, {"do_sample": True, "num_return_sequences": 2}],
    ids=shown,
)
def test_fewer_layers_go_with_beams_sampling_and_other_caches(
    engine: HuggingFaceEngine, model: Any, form: dict[str, Any]
) -> None:
    torch.manual_seed(1)
    wanted = depth_view(model, (0, 3, 4)).generate(**{**CALL, **form})
    torch.manual_seed(1)
    assert torch.equal(run(engine, DROPPED, {**CALL, **form}).output, wanted)


def test_the_callers_arguments_stay_as_they_are(engine: HuggingFaceEngine) -> None:
    asked = dict(ONE)
    for directive in (HALF, SURE, LOOPS, BOTH):
        run(engine, directive, asked)
    assert asked.keys() == ONE.keys()
    assert all(asked[name] is ONE[name] for name in ONE)


def test_it_goes_with_a_budget(engine: HuggingFaceEngine) -> None:
    directive = Directive(name="small", early_exit=HALF.early_exit, budget=Budget(max_new_tokens=4))
    assert run(engine, directive, CALL).new_tokens == 8


class Broken(RuntimeError):
    pass


class Breaks:
    """Raises when it is called for the n-th time."""

    def __init__(self, when: int) -> None:
        self.left = when

    def __call__(self, *_: Any, **__: Any) -> None:
        self.left -= 1
        if not self.left:
            raise Broken


@pytest.mark.parametrize("directive", [HALF, DROPPED, HASTY, SURE, LOOPS, BOTH], ids=lambda d: str(d.early_exit))
@pytest.mark.parametrize("when", [1, 4])
@pytest.mark.parametrize("where", ["forward", "criterion"])
def test_after_an_exception_the_model_is_as_it_was(
    engine: HuggingFaceEngine, model: Any, directive: Directive, when: int, where: str
) -> None:
    full, before = run(engine, FULL, ONE).output, condition(model)
    asked, breaks = {**ONE, "min_new_tokens": 10}, Breaks(when)
    if where == "criterion":
        goes_on = torch.zeros(1, dtype=torch.bool)
        asked["stopping_criteria"] = StoppingCriteriaList([lambda *_, **__: breaks() or goes_on])
        with pytest.raises(Broken):
            run(engine, directive, asked)
    else:
        hook = model.model.layers[0].mlp.register_forward_pre_hook(breaks)
        with pytest.raises(Broken):
            run(engine, directive, asked)
        hook.remove()
    assert condition(model) == before
    assert torch.equal(run(engine, FULL, ONE).output, full)


def test_threads_with_different_directives_get_what_each_gets_alone(engine: HuggingFaceEngine) -> None:
    directives = [FULL, HALF, DROPPED, HASTY, SURE, BOTH] * 3
    alone = [run(engine, directive, ONE).output for directive in directives]
    with ThreadPoolExecutor(4) as pool:  # no lock is held: nothing of the model is changed by any of them
        together = list(pool.map(lambda directive: run(engine, directive, ONE).output, directives))
    assert all(torch.equal(one, other) for one, other in zip(alone, together, strict=True))
