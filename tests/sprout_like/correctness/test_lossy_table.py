"""A lossless knob beside lossy ones changes nothing: what they answer together is what the lossy ones answer alone."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.model

LOSSLESS = ("look", "help", "self", "flat", "kept", "pre")
BESIDE = (("half", "skip", "exit"), ("loop",), ("look", "help", "self"), ("flat", "fp8"), ("kept",), ("pre",))
CHANGES = {"ask", "cap", "var", "half", "skip", "exit"}


def lossy_alone(parts: tuple[str, ...]) -> str:
    """The directive without its lossless knobs; empty where it has no others."""
    return "_".join(part for part in parts if part not in LOSSLESS)


@pytest.fixture(scope="module")
def other(varied: Any, twin_of: Any) -> Any:
    """A variant that answers otherwise than the model itself."""
    import torch

    other = twin_of(varied("llama"))
    with torch.no_grad():
        other.get_output_embeddings().weight.mul_(-1)
    return other


@pytest.mark.parametrize("before", ["", "ask", "cap", "var", "ask_cap", "ask_var", "cap_var", "ask_cap_var"])
def test_every_legal_combination(
    serve: Any, varied: Any, other: Any, legal_directives: Any, prompt: Any, questions: Any, before: str
) -> None:
    fixed = tuple(filter(None, before.split("_")))
    found = legal_directives(*((part,) for part in fixed), *BESIDE)
    directives = {name: parts for name, parts in found.items() if parts[: len(fixed)] == fixed}
    served = serve(varied("llama"), directives, other=other)
    call = {**prompt(questions[1]), "max_new_tokens": 12, "do_sample": False}
    full = served.bare(**call)
    alone = {name: served.under(name, **call)[0] for name, parts in directives.items() if lossy_alone(parts) == name}
    alone[""] = full
    beside = {name: lossy_alone(parts) for name, parts in directives.items() if lossy_alone(parts) != name}

    differing = {name: got for name, of in beside.items() if (got := served.under(name, **call)[0]) != alone[of]}
    assert differing == {}
    assert len(beside) > 40
    assert all(alone[name] != full for name in alone if name in CHANGES)  # alone, the lossy ones do something here


@pytest.mark.parametrize("family", ["qwen2", "mistral", "gemma", "phi"])
def test_drafts_of_a_shallower_model(serve: Any, varied: Any, prompt: Any, questions: Any, family: str) -> None:
    directives = [
        "half",
        "half_look",
        "half_help",
        "skip",
        "skip_look",
        "half_flat",
        *(["half_pre"] if family != "mistral" else []),
    ]
    served = serve(varied(family), directives)
    for question in questions:
        call = {**prompt(question), "max_new_tokens": 16, "do_sample": False}
        got = {name: served.under(name, **call)[0] for name in directives}
        for name in directives:
            assert got[name] == got[name.partition("_")[0]], name


def test_a_variant_answers_as_the_model_it_names(
    serve: Any, varied: Any, other: Any, legal_directives: Any, prompt: Any, questions: Any
) -> None:
    directives = [
        name for name in legal_directives(("var",), *BESIDE[2:]) if name.startswith("var") and "fp8" not in name
    ]
    served = serve(varied("llama"), directives, other=other)
    call = {**prompt(questions[1]), "max_new_tokens": 16, "do_sample": False}
    wanted = other.generate(**call).tolist()

    assert wanted != served.bare(**call)
    for name in directives:
        got, record = served.under(name, **call)
        assert got == wanted, name
        assert record.variant == "other"


def test_the_real_model(serve: Any, smollm2: tuple[Any, Any], prompt: Any, questions: Any) -> None:
    """In bf16, where only a knob that computes every token as before keeps near-ties as they were."""
    directives = ["ask_cap", "ask_cap_kept", "half", "half_kept", "half_flat", "exit", "exit_kept"]
    served = serve(smollm2[0], directives)
    call = {**prompt(questions[0]), "max_new_tokens": 10, "do_sample": False}
    got = {name: served.under(name, **call)[0] for name in directives}

    for name in directives:
        parts = tuple(name.split("_"))
        assert got[name] == got[lossy_alone(parts)], name
