"""Puts a replacement in the place of a model's `generate`, for the length of a block."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sprout_like.errors import SettingError

__all__ = ["original_generate", "replaced_generate"]


def original_generate(model: Any) -> Callable[..., Any]:
    """The model's own `generate`, also while a replacement is installed."""
    generate: Callable[..., Any] = model.generate
    original: Callable[..., Any] = getattr(generate, "sprout_like_original", generate)
    return original


@contextmanager
def replaced_generate(model: Any, replacement: Callable[..., Any]) -> Iterator[None]:
    """Set `model.generate` on this object alone (not its class), and put back what was there, also after an exception.

    Raises:
        SettingError: there is no model to install on.
    """
    if model is None:
        raise SettingError("model", "installed() needs a model and there is none", "Pass the model to CarbonAware")
    original = original_generate(model)

    @functools.wraps(original)
    def generate(*args: Any, **kwargs: Any) -> Any:
        return replacement(*args, **kwargs)

    generate.sprout_like_original = original  # type: ignore[attr-defined]
    missing = object()
    before = vars(model).get("generate", missing)
    model.generate = generate
    try:
        yield
    finally:
        if before is missing:
            del model.generate
        else:
            model.generate = before
