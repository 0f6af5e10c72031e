"""A model of two layers with random weights, and the real tokenizer."""

from __future__ import annotations

from functools import cache
from typing import Any

__all__ = ["tiny_model"]


def tiny_model() -> tuple[Any, Any]:
    """Every answer takes milliseconds and means nothing; the context has 512 tokens."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _tokenizer()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    model = LlamaForCausalLM(config).eval()
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
