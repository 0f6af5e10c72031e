"""Models for tests, a tiny random one with the real tokenizer and the real one; and ledgers on either database."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.migrate import ensure_schema
from tests.sprout_like.two_layers import two_layers


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
    return lambda: two_layers(tokenizer)


@pytest.fixture(scope="session")
def make_tiny(tokenizer: Any) -> Callable[..., Any]:
    """Makes a tiny model of any family with random weights, in fp32: `make_tiny("gemma", num_hidden_layers=6)`."""

    def make(family: str, **changes: Any) -> Any:
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM

        size = {
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "max_position_embeddings": 512,
        }
        # The older families have names of their own for the same sizes.
        if family == "gpt2":
            size = {"vocab_size": len(tokenizer), "n_embd": 32, "n_layer": 4, "n_head": 4, "n_positions": 512}
        if family in ("gpt_neox", "phi"):
            del size["head_dim"]
        torch.manual_seed(0)
        rest = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2, "tie_word_embeddings": False}
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **{**size, **rest, **changes})).eval()
        # Random weights of the usual size give near-ties and one token for ever: larger ones give varied answers.
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() > 1:
                    parameter.mul_(6)
        return model

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


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger is, on either database."""
    return str(tmp_path / "ledger.sqlite") if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def engine(spec: str) -> Iterator[Engine]:
    """That ledger's database, with its tables."""
    engine = build_engine(parse_address(spec))
    ensure_schema(engine)
    yield engine
    engine.dispose()
