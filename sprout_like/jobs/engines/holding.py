"""A model that an engine for jobs loads when it is to run, and gives back afterwards."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import torch

from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.errors import EngineUnavailable, SettingError

__all__ = ["Holder", "Load", "free_memory", "is_out_of_memory"]

Load = Callable[[], tuple[Any, Any]]
"""Gives a model, where it is to run, and its tokenizer; called again after they were given back."""

# What torch's allocator for the CPU says, in a plain RuntimeError: it has no class of its own for it.
_CPU_OUT_OF_MEMORY = ("DefaultCPUAllocator", "not enough memory")


class Holder:
    """Loads the model and lets go of it.

    Args:
        load: gives the model and its tokenizer.
        model: its name or path.
        device: where it will sit, as metered: `cpu` or a GPU's UUID; once it is loaded it is asked itself.
    """

    def __init__(self, load: Load, *, model: str, device: str) -> None:
        self._load = load
        self._device = device
        self._runner: HuggingFaceEngine | None = None
        self.model = model
        self.family: str | None = None

    @property
    def runner(self) -> HuggingFaceEngine | None:
        """Applies directives and runs single prompts; None while nothing is loaded."""
        return self._runner

    def devices(self) -> tuple[str, ...]:
        """Where the model sits, or will."""
        return (self._device,) if self._runner is None else self._runner.devices()

    def load(self) -> HuggingFaceEngine:
        """Load it where it is not.

        Raises:
            EngineUnavailable: it cannot be loaded now.
            SettingError: it is no model.
        """
        if self._runner is None:
            try:
                runner = HuggingFaceEngine(*self._load())
            except SettingError:  # what is wrong with the name, and it will not change by itself
                raise
            except (OSError, RuntimeError, MemoryError, ImportError, ValueError) as exc:
                raise EngineUnavailable(
                    f"{self.model}: the model cannot be loaded ({type(exc).__name__}: {exc}). "
                    "Check its name and the memory that is free"
                ) from exc
            self._runner, self.family = runner, runner.family
        return self._runner

    def unload(self) -> None:
        """Let go of it, and give the memory back to the system."""
        if self._runner is None:
            return
        self._runner.close()
        self._runner = None
        free_memory()


def free_memory() -> None:
    """Give back what nothing refers to any more."""
    gc.collect()  # models refer to themselves in circles
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def is_out_of_memory(exc: BaseException) -> bool:
    """Whether it says that a device, or the machine, has no memory left."""
    if isinstance(exc, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(exc, RuntimeError) and any(words in str(exc) for words in _CPU_OUT_OF_MEMORY)
