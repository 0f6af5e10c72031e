"""Whatever a directive does and whatever goes wrong: afterwards the model and the caller's objects are as before."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest
import torch
from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

pytestmark = pytest.mark.model

NAMES = [
    "ask",
    "cap",
    "var",
    "half",
    "skip",
    "sure",
    "exit",
    "loop",
    "look",
    "help",
    "self",
    "flat",
    "fp8",
    "kept",
    "pre",
    "ask_cap",
    "half_look",
    "half_help",
    "half_loop",
    "half_pre",
    "half_flat",
    "half_fp8",
    "exit_loop",
    "kept_pre",
    "ask_cap_half_look_kept",
    "ask_cap_half_kept_pre",
    "ask_cap_var_self_kept",
]
VIEWS = {"half", "skip", "sure", "exit", "self"}


class Broken(Exception):
    """Raised in the middle of a generation."""


def state(model: Any) -> dict[str, Any]:
    """All that a run could leave behind on a model."""
    return {
        "tensors": {name: (tensor.data_ptr(), tensor.dtype) for name, tensor in model.state_dict().items()},
        "config": copy.deepcopy(model.config.to_dict()),
        "generation_config": copy.deepcopy(model.generation_config.to_dict()),
        "attributes": {name: sorted(vars(module)) for name, module in model.named_modules()},
        "modules": {name: id(module) for name, module in model.named_modules()},
        "layers": {n: i for n, m in model.named_modules() if (i := getattr(m, "layer_idx", None)) is not None},
        "training": model.training,
    }


class Fuse(torch.nn.Module):
    """An activation that raises, once armed, at the so-manyth time it is used, in any view of the model."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner
        self.error: type[BaseException] | None = None
        self.left = 0

    def arm(self, error: type[BaseException], at: int) -> None:
        self.error, self.left = error, at

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.left -= 1
        if self.error is not None and self.left == 0:
            raise self.error("in the middle")
        return self.inner(x)


def with_fuse(model: Any) -> Any:
    """The model with a fuse in its first layer."""
    mlp = next(m for m in model.modules() if isinstance(m, torch.nn.ModuleList))[0].mlp
    name = "act_fn" if hasattr(mlp, "act_fn") else "act"
    setattr(mlp, name, Fuse(getattr(mlp, name)))
    return model


def fuse_of(model: Any) -> Fuse:
    return next(module for module in model.modules() if isinstance(module, Fuse))


class Processor:
    """Raises at the so-manyth token."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        self.left -= 1
        if not self.left:
            raise Broken
        return scores


class Criterion:
    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        self.left -= 1
        if not self.left:
            raise Broken
        return torch.zeros(input_ids.shape[0], dtype=torch.bool)


class Streamer:
    def __init__(self, at: int) -> None:
        self.left = at

    def put(self, value: Any) -> None:
        self.left -= 1
        if not self.left:
            raise Broken

    def end(self) -> None: ...


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def served(request: pytest.FixtureRequest, serve: Any, varied: Any, twin_of: Any) -> Any:
    model = with_fuse(varied(request.param))
    names = [n for n in NAMES if request.param != "gpt2" or VIEWS.isdisjoint(n.split("_"))]
    served = serve(model, names, other=twin_of(twin_of(model)))
    for name in ("ask", "var"):  # a model's first request warms it up, where a failure is nobody's
        served.aware.using(policy=name).generate(torch.tensor([[1, 2, 3]]), max_new_tokens=1)
    return names, served


@pytest.fixture
def call(prompt: Any, questions: Any) -> dict[str, Any]:
    return {**prompt(questions[1]), "max_new_tokens": 12, "do_sample": False}


@pytest.mark.parametrize(("error", "at"), [(Broken, 1), (Broken, 7), (KeyboardInterrupt, 2)])
def test_after_a_failing_layer(served: Any, call: dict[str, Any], error: type[BaseException], at: int) -> None:
    names, served = served
    wanted = served.bare(**call)
    models = [served.model, *served.variants.values()]
    before = [state(model) for model in models]
    for name in ["full", *names]:
        fuse = fuse_of(served.variants["other"] if "var" in name.split("_") else served.model)
        fuse.arm(error, at)
        raised = False
        try:
            served.aware.using(policy=name).generate(**call)
        except error:
            raised = True
        blown, fuse.error = fuse.left <= 0, None
        row = served.ledger.requests[-1]
        assert row.directive == name
        assert raised == blown, name
        assert (row.status, row.error_type) == (("error", error.__name__) if raised else ("ok", None)), name
        assert [state(model) for model in models] == before, name
        assert served.bare(**call) == wanted, name


@pytest.mark.parametrize(
    ("argument", "make"),
    [
        ("logits_processor", lambda at: LogitsProcessorList([Processor(at)])),
        ("stopping_criteria", lambda at: StoppingCriteriaList([Criterion(at)])),
        ("streamer", Streamer),
    ],
    ids=["processor", "criterion", "streamer"],
)
def test_after_a_failing_object_of_the_callers(served: Any, call: dict[str, Any], argument: str, make: Any) -> None:
    """Where a directive cannot be applied to such a call, `full` is served, and fails as the model alone would."""
    names, served = served
    wanted = served.bare(**call)
    models = [served.model, *served.variants.values()]
    before = [state(model) for model in models]
    for name in ["full", *names]:
        with suppress(Broken):
            served.aware.using(policy=name).generate(**call, **{argument: make(3)})
        assert [state(model) for model in models] == before, name
        assert served.bare(**call) == wanted, name


@pytest.mark.parametrize("as_config", [False, True], ids=["keywords", "config"])
def test_what_the_caller_gave_is_never_changed(served: Any, call: dict[str, Any], as_config: bool) -> None:
    names, served = served
    settings = {"max_new_tokens": 12, "min_new_tokens": 2, "do_sample": False}
    tensors = {name: value for name, value in call.items() if isinstance(value, torch.Tensor)}
    given: dict[str, Any] = {
        **tensors,
        **({"generation_config": GenerationConfig(**settings)} if as_config else settings),
    }
    lists = {"logits_processor": LogitsProcessorList([]), "stopping_criteria": StoppingCriteriaList([])}
    given |= lists
    before = copy.deepcopy(given)
    versions = {name: tensor._version for name, tensor in tensors.items()}
    for name in ["full", *names]:
        objects = dict(given)
        served.aware.using(policy=name).generate(**given)
        assert all(given[key] is objects[key] for key in objects), name
        assert given.keys() == before.keys(), name
        for key in tensors:
            assert torch.equal(given[key], before[key]), name
            assert given[key]._version == versions[key], name
        assert not any(lists.values()), name
        if as_config:
            assert given["generation_config"].to_dict() == before["generation_config"].to_dict(), name
