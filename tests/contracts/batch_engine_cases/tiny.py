"""A model of two layers with random weights, and the real tokenizer."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.sprout_like.two_layers import two_layers

__all__ = ["tiny_model"]


def tiny_model() -> tuple[Any, Any]:
    """Every answer takes milliseconds and means nothing; the context has 512 tokens."""
    import torch

    tokenizer = _tokenizer()
    model = two_layers(tokenizer)
    # Random weights of the usual size give near-ties and one token for ever: larger ones give varied answers.
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(6)
    return model, tokenizer


@cache
def _tokenizer() -> Any:
    from sprout_like.demo.model import load_demo_model

    return load_demo_model()[1]
