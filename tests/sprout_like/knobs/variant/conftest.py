"""A model, one that shares its tokens and one that does not, and engines between them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from sprout_like.engines.hugging_face import HuggingFaceEngine


@pytest.fixture(scope="module")
def foreign(tokenizer: Any) -> Any:
    """A tokenizer of another vocabulary."""
    return tokenizer.train_new_from_iterator(["the sky is blue because of the air"] * 3, vocab_size=400)


@pytest.fixture
def plain(tiny_model: Any) -> Any:
    """The wrapped model; without an end token, so that answers have a known length."""
    tiny_model.generation_config.eos_token_id = None
    return tiny_model


@pytest.fixture
def sibling(make_tiny: Callable[..., Any]) -> Any:
    """Another model with the same tokens."""
    model = make_tiny("qwen2")
    model.generation_config.eos_token_id = None
    return model


@pytest.fixture
def stranger(make_tiny: Callable[..., Any], foreign: Any) -> Any:
    """Another model with tokens of its own."""
    model = make_tiny("llama", vocab_size=len(foreign))
    model.generation_config.eos_token_id = None
    return model


@pytest.fixture
def to_sibling(plain: Any, tokenizer: Any, sibling: Any) -> HuggingFaceEngine:
    return HuggingFaceEngine(plain, tokenizer, supplied={"other": (sibling, copy.deepcopy(tokenizer))})


@pytest.fixture
def to_stranger(plain: Any, tokenizer: Any, stranger: Any, foreign: Any) -> HuggingFaceEngine:
    return HuggingFaceEngine(plain, tokenizer, supplied={"other": (stranger, foreign)})
