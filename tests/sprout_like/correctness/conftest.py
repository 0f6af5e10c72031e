"""Directives put together from fragments of TOML, and a model that is served under any of them."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from directives import CatalogueError
from directives.parsing import parse_directive
from sprout_like import CarbonAware, Settings
from sprout_like.record import RequestRecord
from sprout_like.testing import MemoryLedger

FRAGMENTS = {
    "ask": 'instruction = "Always answer briefly."',
    "cap": "budget = { max_new_tokens = 9, soft_tokens = 5 }",
    "var": 'variant = "other"',
    "half": "early_exit.depth.first = 0.5",
    "skip": "early_exit.depth.drop = [1, 3]",
    "sure": "early_exit.confidence = { layer = 0.5, threshold = 1.1, max_defer = 3 }",
    "exit": "early_exit.confidence = { layer = 0.5, threshold = 0, max_defer = 3 }",
    "loop": "early_exit.repetition = { times = 2, longest = 8, least = 2 }",
    "look": "draft = { tokens = 3, lookup = { ngram = 2 } }",
    "help": 'draft = { tokens = 3, assistant = "twin" }',
    "self": "draft = { tokens = 3, depth = 0.5 }",
    "flat": 'kv_cache.kind = "static"',
    "fp8": 'kv_cache = { kind = "quantized", backend = "fp8" }',
    "kept": "reuse.answers = true",
    "pre": "reuse.prefix = true",
}

Names = tuple[str, ...]


def legal(*axes: Sequence[str]) -> dict[str, Names]:
    """Every combination of one fragment, or none, of each axis that a catalogue takes; by directive name."""
    found = {}
    for choice in itertools.product(*(("", *axis) for axis in axes)):
        names = tuple(filter(None, choice))
        if names and _is_legal(names):
            found["_".join(names)] = names
    return found


def _is_legal(names: Names) -> bool:
    try:
        parse_directive("x", tomllib.loads("\n".join(FRAGMENTS[name] for name in names)))
    except CatalogueError:
        return False
    return True


def catalogue_text(names: Iterable[str]) -> str:
    """A catalogue with these directives, named as `legal` names them."""
    return "\n\n".join(
        "\n".join([f"[directive.{name}]", *(FRAGMENTS[part] for part in name.split("_"))]) for name in names
    )


@dataclass(frozen=True)
class Served:
    """A model behind `CarbonAware`, with every directive of a catalogue on call."""

    aware: CarbonAware
    ledger: MemoryLedger
    model: Any
    variants: Mapping[str, Any]

    def bare(self, **call: Any) -> list[list[int]]:
        """What the model itself answers."""
        rows: list[list[int]] = self.model.generate(**call).tolist()
        return rows

    def under(self, directive: str, **call: Any) -> tuple[list[list[int]], RequestRecord]:
        """What the directive answers; it must really have run."""
        output = self.aware.using(policy=directive).generate(**call)
        record = self.ledger.requests[-1]
        assert record.directive == directive, f"{directive} was not run: {record.decision_reason}"
        return output.tolist(), record


Serve = Callable[..., Served]


@pytest.fixture(scope="session")
def legal_directives() -> Callable[..., dict[str, Names]]:
    """`legal`, for test modules, which cannot import a conftest."""
    return legal


@pytest.fixture(scope="session")
def catalogue_of() -> Callable[[Iterable[str]], str]:
    """`catalogue_text`, likewise."""
    return catalogue_text


@pytest.fixture(scope="session")
def varied(make_tiny: Callable[..., Any]) -> Callable[[str], Any]:
    """Makes a tiny model whose layers weigh more than its embeddings, so that it says something new at every token."""

    def make(family: str) -> Any:
        model = make_tiny(family)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if parameter.dim() > 1 and ("layers." in name or ".h." in name):
                    parameter.mul_(3)
        return model

    return make


@pytest.fixture(scope="session")
def twin_of() -> Callable[[Any], Any]:
    """Makes a model that mostly, not always, agrees with the given one: a good assistant with wrong guesses."""

    def make(model: Any) -> Any:
        import copy

        twin = copy.deepcopy(model)
        torch.manual_seed(1)
        head = twin.get_output_embeddings().weight
        with torch.no_grad():
            head.add_(torch.randn_like(head) * head.std() * 0.15)
        return twin

    return make


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory, tokenizer: Any, twin_of: Callable[[Any], Any]) -> Iterator[Serve]:
    """Opens a `Served`; closed when the run ends."""
    with ExitStack() as opened:

        def open_served(model: Any, directives: Iterable[str], *, other: Any = None, twin: Any = None) -> Served:
            path: Path = tmp_path_factory.mktemp("catalogue") / "catalogue.toml"
            path.write_text(catalogue_text(directives))
            variants = {"other": model if other is None else other, "twin": twin_of(model) if twin is None else twin}
            ledger = MemoryLedger()
            settings = Settings.load(catalogue=path, answer_cache="memory", control_share=0)
            aware = CarbonAware(
                model,
                tokenizer,
                grid="static:150",
                meter="none",
                policy="full",
                ledger=ledger,
                settings=settings,
                variants={name: (each, tokenizer) for name, each in variants.items()},
            )
            opened.enter_context(aware)
            return Served(aware, ledger, model, variants)

        yield open_served


@pytest.fixture(scope="session")
def prompt(tokenizer: Any) -> Callable[..., dict[str, torch.Tensor]]:
    """Makes a batch of chats behind one system turn, long enough to be kept."""

    system = (
        "You are a careful guide of a small museum. Answer from what you know, kindly, and say where you are not sure."
    )

    def make(*questions: str) -> dict[str, torch.Tensor]:
        rendered = [
            tokenizer.apply_chat_template(
                [{"role": "system", "content": system}, {"role": "user", "content": question}],
                add_generation_prompt=True,
                return_dict=True,
            )
            for question in questions
        ]
        return dict(tokenizer.pad(rendered, padding_side="left", return_tensors="pt"))

    return make


@pytest.fixture(scope="session")
def questions() -> tuple[str, str]:
    """Two questions; the second repeats itself."""
    return "Why is the sky blue?", "Say: one two three, one two three, one two three, one two three"
