"""From a text to a judge, and a local model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sprout_like.errors import SettingError
from sprout_like.judges.judge import Case, Judge
from sprout_like.judges.local import LocalModel
from sprout_like.judges.opening import open_judge
from sprout_like.judges.rotation import ModelJudge
from sprout_like.judges.testing import ChatLoopback
from sprout_like.meters.accounts import Accounts
from sprout_like.meters.testing import FakeMeter, ManualClock, fake_device
from sprout_like.settings import Settings

CASE = Case(messages=[{"role": "user", "content": "2+2"}], answer="4", full_answer="5", reference="4")


def opened(spec: str, **settings: Any) -> Judge:
    return open_judge(spec, Settings.load(**settings))


@pytest.mark.parametrize("name", ["exact", "numeric", "contains"])
def test_a_comparison(name: str) -> None:
    judge = opened(f" {name} ")
    assert judge.name == name
    assert judge.rule(CASE).score == 1


def test_an_endpoint_with_its_settings() -> None:
    with ChatLoopback(lambda first, _second: "1" if first == "4" else "2") as server:
        judge = opened("endpoint:org/m:free", judge_url=server.url, judge_key="k3y", judge_j_per_token=2.0)
        ruling = judge.rule(CASE)
    assert judge.name == "endpoint:org/m:free"
    assert (ruling.score, ruling.cost.energy_j) == (1, 400)
    assert server.asked[0].headers["authorization"] == "Bearer k3y"
    assert server.posted[0]["model"] == "org/m:free"


def test_a_function_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class Limit:\n"
        "    most: int\n"
        "def shorter(answer, *, messages, reference):\n"
        "    return len(answer) < Limit(2).most\n"
    )
    judge = opened(f"{file}:shorter")
    assert judge.name == "mine.py:shorter"
    assert judge.rule(CASE).full_score == 1


@pytest.mark.parametrize(
    ("spec", "settings", "message"),
    [
        ("", {}, r"^judge: '' names no judge\. Give endpoint:MODEL, "),
        ("gpt", {}, r"^judge: 'gpt' names no judge"),
        ("endpoint:", {"judge_url": "http://localhost/v1"}, r"^judge: 'endpoint:' names no judge"),
        ("endpoint:m", {}, r"^judge_url: it is not set"),
        ("endpoint:m", {"judge_url": "localhost"}, r"^judge_url: .*http"),
        ("endpoint:m", {"judge_url": "http://u:pass@localhost/v1"}, r"^judge_url: (?!.*pass)"),
        ("endpoint:m", {"judge_url": "http://localhost/v1", "judge_key": "s ecret"}, r"^judge_key: (?!.*ecret)"),
        ("local:/no/such/folder", {}, r"^judge: there is no folder '/no/such/folder'"),
        ("local:Qwen/Qwen3-0.6B", {}, r"^judge: there is no folder 'Qwen/Qwen3-0\.6B'"),
        ("/no/such/file.py:score", {}, r"^judge: there is no file /no/such/file\.py"),
    ],
)
def test_what_names_no_judge(spec: str, settings: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        opened(spec, **settings)


def test_a_function_that_is_not_in_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("score = 3\n")
    for function in ("score", "other"):
        with pytest.raises(SettingError, match=f"has no function {function}"):
            opened(f"{file}:{function}")


class _Tokens:
    """Tokens that are the characters' code points."""

    pad_token_id = None
    eos_token_id = 0

    def apply_chat_template(self, messages: list[dict[str, str]], **_: object) -> dict[str, Any]:
        import torch

        return {"input_ids": torch.tensor([[ord(c) for c in messages[-1]["content"]]])}

    def decode(self, tokens: Any, **_: object) -> str:
        return "".join(chr(int(token)) for token in tokens)


class _Model:
    """Answers `2` and spends energy."""

    def __init__(self, longest: int, clock: ManualClock) -> None:
        import torch

        self.device = torch.device("cpu")
        self.config = type("Config", (), {"max_position_embeddings": longest})()
        self._clock = clock

    def generate(self, *, input_ids: Any, **_: object) -> Any:
        import torch

        self._clock.advance(3)
        return torch.cat([input_ids, torch.tensor([[ord("2")]])], dim=1)


def local(longest: int = 100_000) -> tuple[LocalModel, ManualClock]:
    clock = ManualClock()
    accounts = Accounts(FakeMeter([fake_device("cpu")], clock=clock, watts=10), clock=clock)
    window = lambda: accounts.open(["cpu"])  # noqa: E731
    model = LocalModel(_Model(longest, clock), _Tokens(), name="m", open_window=window, monotonic_s=clock.monotonic_s)
    return model, clock


def test_a_local_model_is_metered() -> None:
    model, _ = local()
    ruling = ModelJudge(model).rule(CASE)
    assert (ruling.score, ruling.second) == (0.5, 2)
    assert (ruling.cost.energy_j, ruling.cost.duration_s) == (60, 6)
    assert ruling.cost.method == "measured"
    assert ruling.cost.tokens


def test_a_local_model_without_a_meter_does_not_know_its_energy() -> None:
    clock = ManualClock()
    model = LocalModel(_Model(100_000, clock), _Tokens(), name="m")
    cost = ModelJudge(model).rule(CASE).cost
    assert (cost.energy_j, cost.method) == (None, "none")


def test_a_question_longer_than_the_model_reads_is_dropped() -> None:
    model, clock = local(longest=500)
    ruling = ModelJudge(model).rule(CASE)
    assert ruling.score is None
    assert "longer than the model reads, 500" in (ruling.reason or "")
    assert clock.monotonic_s() == 0


@pytest.mark.model
def test_a_real_model_is_asked_through_its_own_template(smollm2: tuple[Any, Any]) -> None:
    reply = LocalModel(*smollm2, name="SmolLM2").answer([{"role": "user", "content": "Say hello."}])
    assert "hello" in (reply.text or "").lower()
    assert 16 < (reply.cost.tokens or 0) < 100
