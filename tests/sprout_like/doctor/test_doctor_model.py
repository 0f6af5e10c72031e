"""Which directives a model on disk allows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sprout_like.doctor.finding import Finding
from sprout_like.doctor.model import look_at_model

pytestmark = pytest.mark.model

USER_ONLY = (
    "{% for m in messages %}{% if m.role == 'user' %}"
    "<|im_start|>user\n{{ m.content }}<|im_end|>\n"
    "{% endif %}{% endfor %}"
)
PLAIN_END = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n\n{% endfor %}assistant:"


@pytest.fixture
def folder(tiny_model: Any, tmp_path: Path) -> Path:
    """A model's configuration, without weights: these are not looked at."""
    tiny_model.config.save_pretrained(tmp_path)
    return tmp_path


def _finding(folder: Path) -> Finding:
    (finding,) = look_at_model(folder)
    return finding


def test_a_recognised_template(folder: Path, tokenizer: Any) -> None:
    tokenizer.save_pretrained(folder)

    assert _finding(folder) == Finding("model", "ok", f"{folder}: llama; directives with an instruction can be applied")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (USER_ONLY, "no system turn, so no directive with an instruction can be applied"),
        (PLAIN_END, "no end that can be found, so generate() takes no instruction"),
        (None, "no system turn, so no directive with an instruction can be applied"),
    ],
    ids=["user turns only", "no special token at the end", "no template"],
)
def test_a_template_that_allows_less(
    folder: Path, retemplated: Callable[[str | None], Any], template: str | None, said: str
) -> None:
    retemplated(template).save_pretrained(folder)

    finding = _finding(folder)

    assert finding.state == "warn"
    assert said in finding.found
    assert finding.fix


def test_a_folder_that_holds_nothing(tmp_path: Path) -> None:
    finding = _finding(tmp_path)

    assert (finding.state, finding.found) == ("fail", f"{tmp_path}: there is no config.json")


def test_a_name_of_a_hub_is_not_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert "there is no config.json" in _finding(Path("HuggingFaceTB/SmolLM2-135M-Instruct")).found


@pytest.mark.parametrize("config", ["{", "{}", '{"model_type": "nope"}'], ids=["no JSON", "empty", "unknown family"])
def test_a_configuration_that_cannot_be_used(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.json").write_text(config)

    finding = _finding(tmp_path)

    assert finding.state == "fail"
    assert finding.found.startswith(f"{tmp_path}: ")
    assert "\n" not in finding.found


def test_a_model_without_its_tokenizer(folder: Path) -> None:
    finding = _finding(folder)

    assert finding.state == "fail"
    assert "tokenizer" in str(finding.fix)
