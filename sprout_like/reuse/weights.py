"""Are these the weights that answered before? Cheap to ask at every request, exact when it matters."""

from __future__ import annotations

import hashlib
import itertools
import threading
from contextlib import nullcontext
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final
from weakref import WeakKeyDictionary

import torch

from sprout_like.engines.engine import Overhead

__all__ = ["WeightState", "Weights"]

_PLAIN: Final = frozenset({torch.Tensor, torch.nn.Parameter, torch.nn.Buffer})

_INTEGERS: Final = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}

_CHUNK: Final = 1 << 22
"""Elements added up at a time: their 64-bit copies take 32 MiB."""

_version = attrgetter("_version")
_address = torch.Tensor.data_ptr


class Weights:
    """Tells the states of models' weights apart. Thread-safe; keeps no model alive.

    A change is seen by the identity, address and version counter of every parameter and buffer, and by the adapters
    that are in force: assignments, `load_state_dict`, steps of an optimizer, moves, merged or switched adapters.
    A write through `parameter.data[...]`, which torch itself does not count as one, is not seen.
    """

    def __init__(self) -> None:
        self._seen: WeakKeyDictionary[Any, tuple[tuple[Any, ...], WeightState | None, _Parts]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, model: Any) -> WeightState | None:
        """The state the weights are in: the same object until they change; 0.1 ms for SmolLM2-135M.

        Returns:
            None where a change could go unseen: quantized or offloaded weights, modules with hooks.
        """
        seen = self._seen.get(model)
        if seen is not None and seen[0] == seen[2].now():
            return seen[1]
        with self._lock:
            seen = self._seen.get(model)
            if seen is None or seen[0] != seen[2].now():  # another thread may have looked meanwhile
                parts = _Parts.of(model)
                state = WeightState() if parts.readable() else None
                seen = self._seen[model] = (parts.now(), state, parts)
            return seen[1]

    def digest(self, model: Any, overhead: Overhead = nullcontext) -> str | None:
        """A digest of all weights and buffers, the same in every process and on every device.

        It reads every weight when it is first asked for, and after every change (SmolLM2-135M on two cores: 1 s).

        Args:
            model: the model.
            overhead: opened around the reading, not around the wait for another thread's.

        Returns:
            None where there is no state, and where the weights changed meanwhile.
        """
        state = self.of(model)
        if state is None:
            return None
        with state.reading:
            if state.digest is None:
                with overhead():
                    digest = _digest(model)
                if self.of(model) is not state:
                    return None
                state.digest = digest
            return state.digest


@dataclass(slots=True, eq=False)
class WeightState:
    """One state of one model's weights, told from every other by being another object.

    Attributes:
        digest: of their contents; None until it was asked for. reading: held while it is made.
    """

    digest: str | None = None
    reading: threading.Lock = field(default_factory=threading.Lock, repr=False)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The dicts in which a model's modules keep what they are made of: quick to go through, unlike the modules.

    Attributes:
        tensors: parameters and buffers. children: submodules. hooks: what runs around their forward passes.
        adapted: the layers that have adapters (PEFT).
    """

    tensors: tuple[dict[str, Any], ...]
    children: tuple[dict[str, Any], ...]
    hooks: tuple[dict[Any, Any], ...]
    adapted: tuple[Any, ...]

    @classmethod
    def of(cls, model: Any) -> _Parts:
        modules = list(model.modules())
        tensors = [each for m in modules for each in (m._parameters, m._buffers) if each]  # noqa: SLF001
        return cls(
            tensors=tuple(tensors),
            children=tuple(m._modules for m in modules if m._modules),  # noqa: SLF001
            hooks=tuple(each for m in modules for each in (m._forward_hooks, m._forward_pre_hooks)),  # noqa: SLF001
            adapted=tuple(m for m in modules if hasattr(m, "merged_adapters") and m is not model),
        )

    def all_tensors(self) -> list[torch.Tensor]:
        return [each for each in itertools.chain.from_iterable(map(dict.values, self.tensors)) if each is not None]

    def now(self) -> tuple[Any, ...]:
        """What is equal as long as nothing has changed. Asked at every request, hence in C where that is possible."""
        tensors = self.all_tensors()
        # Other kinds of tensors may have no address, nor a version that means anything.
        plain = set(map(type, tensors)) <= _PLAIN
        return (
            tuple(map(id, itertools.chain.from_iterable(map(dict.values, self.children)))),
            tuple(map(id, tensors)),
            tuple(map(_address, tensors)) if plain else None,
            tuple(map(_version, tensors)) if plain else None,
            any(self.hooks),
            self.adapters(),
        )

    def adapters(self) -> tuple[str, ...]:
        """Which adapters are in force, layer by layer."""
        names = ("active_adapters", "merged_adapters", "disable_adapters", "scaling")
        return tuple(repr([getattr(layer, name, None) for name in names]) for layer in self.adapted)

    def readable(self) -> bool:
        """Whether a change would be seen, and the contents can be read."""
        return not any(self.hooks) and all(
            type(tensor) in _PLAIN and tensor.layout == torch.strided and tensor.device.type != "meta"
            for tensor in self.all_tensors()
        )


def _digest(model: Any) -> str:
    digest = hashlib.sha256(repr(_Parts.of(model).adapters()).encode())
    with torch.no_grad():
        for name, tensor in itertools.chain(model.named_parameters(), model.named_buffers()):
            digest.update(repr((name, tensor.dtype, tuple(tensor.shape), _sums(tensor))).encode())
    return digest.hexdigest()


def _sums(tensor: torch.Tensor) -> tuple[int, int]:
    """The sum of the bit patterns, and their sum weighted by position, both modulo 2**64.

    Whole numbers, so that neither the order of addition nor the device makes a difference.
    """
    flat = tensor.detach().reshape(-1)
    bits = torch.view_as_real(flat).reshape(-1) if flat.is_complex() else flat
    bits = bits.view(_INTEGERS[bits.element_size()])
    plain = torch.zeros((), dtype=torch.int64, device=bits.device)
    weighted = torch.zeros((), dtype=torch.int64, device=bits.device)
    for start in range(0, bits.numel(), _CHUNK):
        chunk = bits[start : start + _CHUNK].to(torch.int64)
        plain += chunk.sum()
        weighted += (chunk * torch.arange(start + 1, start + 1 + chunk.numel(), device=bits.device)).sum()
    return int(plain), int(weighted)
