"""A directive that this model cannot have is one clear error: the file, the directive, the key, and what is wrong."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from directives import Catalogue, CatalogueError
from sprout_like import CarbonAware, Settings
from sprout_like.cli.main import run
from sprout_like.errors import SettingError
from sprout_like.testing import MemoryLedger

pytestmark = pytest.mark.model

# What is wrong with the text itself: told wherever a catalogue is read, without any model.
MALFORMED = {
    "unknown key": ("[directive.mine]\nbugdet = { max_new_tokens = 9 }", ["mine", "bugdet", "budget"]),
    "unknown key below": ("[directive.mine]\nbudget = { max_tokens = 9 }", ["mine", "budget.max_tokens"]),
    "unknown table": ("[directives.mine]\n", ["directives", "[directive.NAME]"]),
    "missing key": ("[directive.mine]\nbudget = { soft_tokens = 3 }", ["mine", "budget.max_new_tokens", "missing"]),
    "wrong type": ("[directive.mine]\ndraft = { depth = 'half' }", ["mine", "draft.depth", "half"]),
    "not TOML": ("[directive.mine\n", ["TOML"]),
    "full with a knob": ("[directive.full]\nkv_cache.kind = 'static'", ["full", "no knobs"]),
    "combination": (
        "[directive.mine]\ndraft = { lookup = {} }\nkv_cache.kind = 'static'",
        ["mine", "draft and kv_cache", "wrong guess"],
    ),
    "two layer counts": (
        "[directive.mine]\nearly_exit.depth.first = 9\ndraft.depth = 5",
        ["mine", "draft.depth and early_exit.depth"],
    ),
}

# What this model, of 4 layers and with SmolLM2's tokenizer, cannot have.
UNFIT = {
    "unknown variant": ("variant = 'smal'", ["variant", "smal", "small"]),
    "unknown assistant": ("draft.assistant = 'smal'", ["draft.assistant", "smal", "small"]),
    "first layers beyond the model": ("early_exit.depth.first = 40", ["early_exit.depth.first", "40", "4 layers"]),
    "dropped layers beyond the model": ("early_exit.depth.drop = [2, 40]", ["early_exit.depth.drop", "40", "4 layers"]),
    "exit beyond the model": (
        "early_exit.confidence = { layer = 40, threshold = 0.9 }",
        ["early_exit.confidence.layer", "40", "4 layers"],
    ),
    "draft beyond the model": ("draft.depth = 40", ["draft.depth", "40", "4 layers"]),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.upper().startswith("SPROUT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("SPROUT_GRID", "static:150")
    monkeypatch.setenv("SPROUT_METER", "none")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def open_aware(path: Path, model: Any, tokenizer: Any, **variants: Any) -> CarbonAware:
    settings = Settings.load(catalogue=path, answer_cache="memory")
    return CarbonAware(model, tokenizer, ledger=MemoryLedger(), policy="full", settings=settings, variants=variants)


def error_of(path: Path, model: Any, tokenizer: Any, **variants: Any) -> str:
    with pytest.raises(SettingError) as caught:
        open_aware(path, model, tokenizer, **variants)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_catalogue(place: Path, tiny_model: Any, tokenizer: Any, case: str) -> None:
    text, wanted = MALFORMED[case]
    path = place / "mine.toml"
    path.write_text(text)

    with pytest.raises(CatalogueError) as caught:
        Catalogue.load(path)
    for message in (str(caught.value), error_of(path, tiny_model, tokenizer)):
        assert all(part in message for part in wanted), message


@pytest.mark.parametrize("case", UNFIT)
def test_a_directive_that_does_not_fit_the_model(place: Path, make_tiny: Any, tokenizer: Any, case: str) -> None:
    toml, wanted = UNFIT[case]
    path = place / "mine.toml"
    path.write_text(f"[directive.fine]\nbudget.max_new_tokens = 9\n\n[directive.mine]\n{toml}\n")
    model = make_tiny("llama")

    message = error_of(path, model, tokenizer, small=(model, tokenizer))

    assert "'mine'" in message
    assert "'fine'" not in message
    assert all(part in message for part in wanted), message


@pytest.mark.parametrize(
    ("template", "why"),
    # The second template shows what users say, and nothing else.
    [
        (None, "no chat template"),
        ("{{ messages[-1].content }}", "system"),
    ],
)
def test_an_instruction_where_there_is_no_system_turn(
    place: Path, tiny_model: Any, retemplated: Any, template: str | None, why: str
) -> None:
    path = place / "mine.toml"
    path.write_text("[directive.mine]\ninstruction = 'Always answer briefly.'\n")

    message = error_of(path, tiny_model, retemplated(template))

    assert re.search(r"'mine': instruction.*" + why, message), message


def test_an_assistant_that_cannot_be_understood(place: Path, make_tiny: Any, tokenizer: Any) -> None:
    """Another vocabulary, and no tokenizer that would translate."""
    path = place / "mine.toml"
    path.write_text("[directive.mine]\ndraft.assistant = 'small'\n")

    message = error_of(path, make_tiny("llama"), tokenizer, small=(make_tiny("llama", vocab_size=512), None))

    assert "'mine': draft.assistant" in message
    assert "token" in message


@pytest.mark.parametrize(
    "part",
    ["early_exit.depth.first = 2", "early_exit.confidence = { layer = 2, threshold = 1.1 }", "draft.depth = 2"],
)
@pytest.mark.parametrize("family", ["gpt2", "gpt_neox"])
def test_a_family_whose_layers_cannot_be_chosen(
    place: Path, make_tiny: Any, tokenizer: Any, family: str, part: str
) -> None:
    path = place / "mine.toml"
    path.write_text(f"[directive.mine]\n{part}\n")

    message = error_of(path, make_tiny(family), tokenizer)

    key = re.match(r"[a-z_.]+", part)[0].removesuffix(".first")
    assert f"'mine': {key}" in message
    assert family in message


def test_kept_answers_without_a_place_to_keep_them(place: Path, tiny_model: Any, tokenizer: Any) -> None:
    """No misfit of the model: the directive is no candidate, and the row says why."""
    path = place / "mine.toml"
    path.write_text("[directive.mine]\nreuse.answers = true\n")
    ledger = MemoryLedger()
    with CarbonAware(
        tiny_model, tokenizer, ledger=ledger, policy="mine", settings=Settings.load(catalogue=path)
    ) as aware:
        aware.chat("Why?", max_new_tokens=2, do_sample=False)

    assert ledger.requests[0].directive == "full"
    assert "mine" in ledger.requests[0].decision_reason


@pytest.mark.parametrize("case", MALFORMED)
@pytest.mark.parametrize("command", [["doctor"], ["calibrate", "--quick"]], ids=lambda command: command[0])
def test_the_commands_say_it_in_one_line(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str], case: str
) -> None:
    text, wanted = MALFORMED[case]
    path = place / "mine.toml"
    path.write_text(text)
    monkeypatch.setenv("SPROUT_CATALOGUE", path.name)
    monkeypatch.setenv("COLUMNS", "1000")

    with pytest.raises(SystemExit) as exited:
        run(command)

    printed = capsys.readouterr()
    said = " ".join((printed.out + printed.err).split())
    assert exited.value.code != 0
    assert path.name in said
    assert all(part in said for part in wanted), said
