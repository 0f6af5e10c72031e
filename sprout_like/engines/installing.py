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

    before = vars(model).get("generate")
    installed: Any = generate
    installed.sprout_like_original, installed.sprout_like_before, installed.sprout_like_left = original, before, False
    model.generate = generate
    try:
        yield
    finally:
        installed.sprout_like_left = True
        # Blocks may be left in another order than entered; then whoever leaves last puts back what was there first.
        if vars(model).get("generate") is generate:
            while getattr(before, "sprout_like_left", False):
                before = before.sprout_like_before
            if before is None:
                del model.generate
            else:
                model.generate = before
