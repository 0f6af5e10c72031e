"""Where a model sits."""

from __future__ import annotations

import dataclasses
from typing import Any
from weakref import WeakKeyDictionary

import torch

from sprout_like.engines.engine import Plan

__all__ = ["device_id", "on_device", "places"]

# By model: the device of its first parameter when it was last looked at, and those of all. Going through all of them
# takes too long for every request, so it is done when the first has moved.
_SEEN: WeakKeyDictionary[Any, tuple[torch.device, tuple[torch.device, ...]]] = WeakKeyDictionary()


def places(model: Any) -> tuple[torch.device, ...]:
    """The devices of a model's parameters."""
    first: torch.device = model.device
    seen = _SEEN.get(model)
    if seen is not None and seen[0] == first:
        return seen[1]
    found = {parameter.device for parameter in model.parameters()}
    # `meta` is where accelerate leaves what it has offloaded to the host.
    placed = tuple(torch.device("cpu") if d.type == "meta" else d for d in found) or (first,)
    _SEEN[model] = (first, placed)
    return placed


def device_id(device: torch.device) -> str:
    """`cpu` and the like, or a GPU's UUID: NVML numbers all GPUs of the machine, torch only the visible ones."""
    if device.type != "cuda":
        return str(device.type)
    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"


def on_device(plan: Plan, device: torch.device) -> Plan:
    """The plan with the tensors among its arguments on that device, as the caller's are where the wrapped model is."""
    tensors = {name: value for name, value in plan.kwargs.items() if isinstance(value, torch.Tensor)}
    moved = {name: value.to(device) for name, value in tensors.items() if value.device != device}
    return dataclasses.replace(plan, kwargs={**plan.kwargs, **moved}) if moved else plan
