"""Models for tests: a tiny random one with the real tokenizer, and the real one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(scope="session")
def smollm2() -> tuple[Any, Any]:
    """The real SmolLM2-135M-Instruct and its tokenizer, in bf16 on the CPU."""
    from sprout_like.demo.model import load_demo_model

    return load_demo_model()


@pytest.fixture(scope="session")
def tokenizer(smollm2: tuple[Any, Any]) -> Any:
    """SmolLM2's tokenizer."""
    return smollm2[1]


@pytest.fixture(scope="session")
def make_tiny_model(tokenizer: Any) -> Callable[[], Any]:
    """Makes a two-layer Llama with random weights: every call takes milliseconds and no answer means anything."""

    def make() -> Any:
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM

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
        return LlamaForCausalLM(config).eval()

    return make


@pytest.fixture
def tiny_model(make_tiny_model: Callable[[], Any]) -> Any:
    """A tiny model of one's own."""
    return make_tiny_model()


@pytest.fixture
def retemplated(tokenizer: Any) -> Callable[[str | None], Any]:
    """The tokenizer with another chat template."""

    def make(template: str | None) -> Any:
        other = copy.deepcopy(tokenizer)
        other.chat_template = template
        return other

    return make
