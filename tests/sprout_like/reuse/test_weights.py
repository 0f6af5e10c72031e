"""Telling the states of a model's weights apart."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sprout_like.reuse.weights import Weights


def small() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Sequential(nn.Linear(4, 2)))
    model.register_buffer("scale", torch.ones(2))
    return model


def step(model: Any) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()


def load(model: Any) -> None:
    model.load_state_dict({name: value + 1 for name, value in model.state_dict().items()})


def replace_parameter(model: Any) -> None:
    model[0].weight = nn.Parameter(model[0].weight + 1)


def replace_data(model: Any) -> None:
    model[0].weight.data = model[0].weight.data + 1


def replace_module(model: Any) -> None:
    model[2][0] = nn.Linear(4, 2)


def change_buffer(model: Any) -> None:
    model.scale.mul_(2)


def convert(model: Any) -> None:
    model.to(torch.bfloat16)


CHANGES = [step, load, replace_parameter, replace_data, replace_module, change_buffer, convert]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(change: Callable[[Any], None]) -> None:
    model, weights = small(), Weights()
    state, digest = weights.of(model), weights.digest(model)
    change(model)
    assert weights.of(model) not in (state, None)
    assert weights.digest(model) not in (digest, None)


def test_using_a_model_changes_nothing() -> None:
    model, weights = small(), Weights()
    state, digest = weights.of(model), weights.digest(model)
    model(torch.ones(1, 3))
    assert (weights.of(model), weights.digest(model)) == (state, digest)


def test_equal_weights_have_one_digest_and_two_states() -> None:
    one, other, weights = small(), small(), Weights()
    assert weights.digest(one) == weights.digest(other) == Weights().digest(copy.deepcopy(one))
    assert weights.of(one) != weights.of(other)


def test_a_changed_name_shape_or_order_is_another_digest() -> None:
    weights = Weights()
    values = torch.arange(6.0)
    forms = [{"a": values}, {"b": values}, {"a": values.reshape(2, 3)}, {"a": values.flip(0)}, {"a": values.half()}]
    digests = set()
    for form in forms:
        model = nn.Module()
        for name, value in form.items():
            model.register_buffer(name, value)
        digests.add(weights.digest(model))
    assert len(digests) == len(forms)


@given(
    st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=40),
    st.data(),
    st.sampled_from([torch.int8, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.bool]),
)
def test_every_flipped_bit_is_another_digest(values: list[int], data: st.DataObject, dtype: torch.dtype) -> None:
    tensor = torch.tensor(values).to(dtype)
    flipped = tensor.clone()
    raw = (torch.view_as_real(flipped) if dtype.is_complex else flipped).view(torch.uint8).reshape(-1)
    index = data.draw(st.integers(0, raw.numel() - 1))
    raw[index] ^= 1 if dtype is torch.bool else 1 << data.draw(st.integers(0, 7))
    digests = []
    for each in (tensor, flipped):
        model = nn.Module()
        model.register_buffer("a", each)
        digests.append(Weights().digest(model))
    assert digests[0] != digests[1]


class Adapted(nn.Module):
    """What an adapter layer of PEFT shows of itself."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.active_adapters = ["one"]
        self.merged_adapters: list[str] = []
        self.disable_adapters = False
        self.scaling = {"one": 1.0}


@pytest.mark.parametrize(
    "change",
    [
        lambda layer: setattr(layer, "active_adapters", ["two"]),
        lambda layer: layer.merged_adapters.append("one"),
        lambda layer: setattr(layer, "disable_adapters", True),
        lambda layer: layer.scaling.update(one=0.5),
    ],
)
def test_adapters_in_force_are_part_of_the_weights(change: Callable[[Any], None]) -> None:
    model, weights = nn.Sequential(Adapted()), Weights()
    before = weights.of(model), weights.digest(model)
    change(model[0])
    assert weights.of(model) != before[0]
    assert weights.digest(model) != before[1]


class Packed(torch.Tensor):
    """Stands for the tensors of a quantized model."""


def pack(model: Any) -> None:
    model.scale = torch.ones(2).as_subclass(Packed)


def offload(model: Any) -> None:
    model[0].to("meta")


def hook(model: Any) -> None:
    model[0].register_forward_hook(lambda *_: None)


@pytest.mark.parametrize("change", [pack, offload, hook])
def test_what_cannot_be_told_has_no_identity(change: Callable[[Any], None]) -> None:
    model, weights = small(), Weights()
    assert weights.of(model) is not None
    change(model)
    assert weights.of(model) is None
    assert weights.digest(model) is None


def test_overhead_is_the_reading_alone_and_not_the_wait_for_it() -> None:
    model, weights = small(), Weights()
    state = weights.of(model)
    assert state is not None
    read: list[bool] = []

    @contextmanager
    def overhead() -> Iterator[None]:
        read.append(state.reading.locked())
        yield

    assert weights.digest(model, overhead) == weights.digest(model, overhead)
    assert read == [True]


def test_no_model_is_kept_alive() -> None:
    model, weights = small(), Weights()
    weights.digest(model)
    gone = weakref.ref(model[0].weight)
    del model
    gc.collect()
    assert gone() is None
