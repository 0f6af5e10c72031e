"""The model that is measured: SmolLM2 unless another is named, on the GPU where there is one."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Options", "Subject", "as_catalogue", "open_subject", "parse_options", "serving", "unfit"]

# Sizes of Llama 2 7B (arXiv 2307.09288 and the config.json of meta-llama/Llama-2-7b-hf), but for the vocabulary,
# which is that of the tokenizer at hand.
_RANDOM: Mapping[str, Mapping[str, int]] = {
    "7b": {
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "max_position_embeddings": 4096,
    }
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        model: folder or model hub name; None for SmolLM2.
        random: name of a configuration that gets random weights: for times and energy, not for answers; None for none.
        rounds: how often everything is run.
    """

    model: str | None
    random: str | None
    rounds: int


@dataclass(frozen=True, slots=True)
class Subject:
    """A model and its tokenizer.

    Attributes:
        suffix: of the result's name, so that another model than SmolLM2 gets a file of its own.
        told: what the result says of the model.
    """

    model: Any
    tokenizer: Any
    suffix: str
    told: Mapping[str, Any]

    def prompt(self, question: str, system: str | None = None) -> dict[str, Any]:
        """A chat of one question, rendered, on the model's device."""
        messages = [{"role": "system", "content": system}] if system else []
        rendered = self.tokenizer.apply_chat_template(
            [*messages, {"role": "user", "content": question}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        return {name: tensor.to(self.model.device) for name, tensor in rendered.items()}


def parse_options(rounds: int) -> Options:
    """Read the command line; `rounds` where it names none."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model")
    parser.add_argument("--random", choices=sorted(_RANDOM))
    parser.add_argument("--rounds", type=int, default=rounds)
    given = parser.parse_args()
    if given.rounds < 2:
        parser.error("--rounds: give 2 or more, as one figure has no spread")
    return Options(given.model, given.random, given.rounds)


def open_subject(options: Options) -> Subject:
    """Load the model, in bf16."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from sprout_like.demo.model import MODEL_NAME, load_demo_model

    device = "cuda" if torch.cuda.is_available() else "cpu"
    name, suffix = MODEL_NAME, ""
    if options.random is not None:
        tokenizer = load_demo_model()[1]
        model = _random(options.random, tokenizer, device)
        name, suffix = f"random weights, sizes of Llama 2 {options.random.upper()}", f"-random-{options.random}"
    elif options.model is not None:
        model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.bfloat16).to(device)
        tokenizer = AutoTokenizer.from_pretrained(options.model)
        name = Path(options.model).name
        suffix = f"-{name.lower()}"
    else:
        model, tokenizer = load_demo_model()
        model = model.to(device)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Subject(
        model, tokenizer, suffix, {"model": name, "parameters": parameters, "dtype": "bfloat16", "device": device}
    )


def _random(size: str, tokenizer: Any, device: str) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
        **_RANDOM[size],
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)  # so that no float32 copy is ever made
    try:
        torch.manual_seed(0)
        with torch.device(device):
            return LlamaForCausalLM(config).eval()
    finally:
        torch.set_default_dtype(before)


@contextmanager
def serving(subject: Subject, catalogue: str, *, ledger: Any = None, **settings: Any) -> Iterator[Any]:
    """A `CarbonAware` on the subject with these directives, this machine's meter and, unless one is given, SQLite."""
    from sprout_like import CarbonAware, Settings

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.toml"
        path.write_text(catalogue, encoding="utf-8")
        file = str(path.with_name("ledger.sqlite"))
        resolved = Settings.load(catalogue=path, grid="static:150", policy="full", ledger=file, **settings)
        with CarbonAware(subject.model, subject.tokenizer, ledger=ledger, settings=resolved) as aware:
            yield aware


def unfit(subject: Subject, directives: Mapping[str, str], shared: str = "", **settings: Any) -> dict[str, str]:
    """Which of the directives this model cannot have at all, and why.

    Args:
        subject: the model.
        directives: TOML of each, by name.
        shared: TOML that stands in the catalogue beside each, e.g. variants.
        settings: settings of `serving`.
    """
    from sprout_like.errors import SettingError

    reasons = {}
    for name, toml in directives.items():
        try:
            with serving(subject, as_catalogue({name: toml}, shared), **settings):
                pass
        except SettingError as exc:
            reasons[name] = str(exc).partition(f"directive {name!r}: ")[2] or str(exc)
    return reasons


def as_catalogue(directives: Mapping[str, str], shared: str = "") -> str:
    """One catalogue of directives that are given as TOML each."""
    return "\n".join([*(f"[directive.{name}]\n{toml}" for name, toml in directives.items()), shared])
