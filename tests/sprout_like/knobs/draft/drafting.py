"""What the tests of drafts share: prompts with repeats, calls whose answers can be compared, and the drafts."""

from __future__ import annotations

import copy
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    PreTrainedTokenizerFast,
)

from directives import Directive, Draft, Lookup
from sprout_like.engines.engine import Generation
from sprout_like.engines.hugging_face import HuggingFaceEngine
from tests.sprout_like.knobs.calling import SIZE, Window

LOOKUP = Directive(name="lookup", draft=Draft(tokens=4, lookup=Lookup(ngram=2)))
ASSISTED = Directive(name="assisted", draft=Draft(tokens=3, assistant="small"))
SHALLOW = Directive(name="shallow", draft=Draft(tokens=3, depth=0.5))


class Collector:
    """A streamer that keeps what it is given, and may fail."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.given: list[torch.Tensor] = []
        self.ended = False
        self._fails_at = fails_at

    def put(self, value: torch.Tensor) -> None:
        self.given.append(value)
        if len(self.given) == self._fails_at:
            raise ConnectionResetError("the reader has gone")

    def end(self) -> None:
        self.ended = True


def prompt(seed: int = 0) -> torch.Tensor:
    """Tokens with a repeat, shape (1, 29)."""
    half = torch.randint(3, SIZE, (1, 12), generator=torch.Generator().manual_seed(seed))
    return torch.cat([half, half, half[:, :5]], dim=1)


def greedy(ids: torch.Tensor, **settings: Any) -> dict[str, Any]:
    call = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "do_sample": False, "pad_token_id": 0}
    return {**call, "max_new_tokens": 23, **settings}


def run(engine: HuggingFaceEngine, directive: Directive, kwargs: dict[str, Any]) -> Generation:
    call = engine.inspect((), kwargs)
    assert engine.misfit(directive) is None
    assert engine.refusal(directive, call) is None
    plan = engine.plan(directive, call)
    with engine.hold(plan):
        return engine.run(plan, call, Window())


def shaken(model: Any) -> Any:
    """A model that mostly, but not always, says the same."""
    other, noise = copy.deepcopy(model), torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weights in other.parameters():
            if weights.dim() > 1:
                weights.add_(torch.randn(weights.shape, generator=noise) * weights.std() * 0.1)
    return other


def engine_of(model: Any, assistant: Any = None, tokenizer: Any = None, other: Any = None) -> HuggingFaceEngine:
    supplied = {"small": (shaken(model) if assistant is None else assistant, other or tokenizer)}
    return HuggingFaceEngine(model, tokenizer, supplied=supplied)


SETTINGS: list[dict[str, Any]] = [
    {},
    {"max_new_tokens": 40, "repetition_penalty": 1.3},
    {"max_new_tokens": 17, "no_repeat_ngram_size": 2, "forced_eos_token_id": 299, "suppress_tokens": [290]},
    {"max_new_tokens": None, "max_length": 52, "min_length": 45, "eos_token_id": "tenth"},
    {"eos_token_id": "tenth"},
    {"eos_token_id": ["tenth", 7], "min_new_tokens": 12},
]


def settled(model: Any, ids: torch.Tensor, settings: dict[str, Any]) -> dict[str, Any]:
    """The call, with an end token that comes in the middle of the answer where one is asked for."""
    if "eos_token_id" not in settings:
        return greedy(ids, **settings)
    tenth = int(model.generate(**greedy(ids))[0, ids.shape[1] + 9])
    ends = settings["eos_token_id"]
    return greedy(ids, **{**settings, "eos_token_id": tenth if ends == "tenth" else [tenth, 7]})


def trained(size: int, *texts: str) -> Any:
    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<s>", "</s>", "<pad>"]
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, initial_alphabet=alphabet)
    tokens.train_from_iterator(texts * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokens, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
