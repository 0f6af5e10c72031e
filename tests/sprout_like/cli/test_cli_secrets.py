"""Planted secrets and prompts come out of nothing that is printed, logged, raised or written."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from sprout_like import CarbonAware, Settings
from sprout_like.errors import SproutError
from sprout_like.testing import NullEngine

Command = Callable[..., Any]

PLANTED = "pl4nted"
UNREACHABLE = f"postgresql://writer:{PLANTED}-ledger@127.0.0.1:1/carbon"
COMMANDS = (
    ("doctor",),
    ("doctor", "--json"),
    ("grid", "now"),
    ("grid", "forecast"),
    ("report",),
    ("report", "--format", "json"),
    ("report", "--out", "report.html"),
    ("ledger", "check"),
    ("ledger", "settle"),
    ("ledger", "flush"),
    ("ledger", "roll-up"),
    ("jobs", "list"),
    ("jobs", "workers"),
    ("jobs", "submit", "prompts.txt", "--deadline", "+8h", "--model", "org/m"),
    ("jobs", "worker", "--engine", "openai", "--once", "--model", "org/m"),
    ("judge", "prompts.jsonl", "--judge", "endpoint:some-model"),
    ("tune",),
    ("policy", "list"),
    ("prompts", "list"),
    ("export", "codecarbon", "--out", "emissions.csv"),
    ("export", "grafana"),
)


def secret_settings() -> list[str]:
    return [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]


@pytest.fixture
def planted(place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Path]:
    """A secret in every setting that is one, and in every address that may hold one."""
    for name in secret_settings():
        monkeypatch.setenv(f"SPROUT_{name.upper()}", f"{PLANTED}-{name}")
    for name in ("judge_url", "engine_url"):
        monkeypatch.setenv(f"SPROUT_{name.upper()}", f"http://user:{PLANTED}-{name}@127.0.0.1:1/v1")
    monkeypatch.setenv("SPROUT_GRID", f"uk+http://user:{PLANTED}-grid@127.0.0.1:1")
    monkeypatch.setenv("SPROUT_LEDGER", UNREACHABLE)
    (place / "prompts.txt").write_text("Why?\n")
    (place / "prompts.jsonl").write_text('{"prompt": "Why?", "reference": "so"}\n')
    caplog.set_level(logging.DEBUG)
    yield place
    assert PLANTED not in caplog.text


def test_there_are_secrets_to_plant() -> None:
    assert {"ledger", "judge_key", "engine_key", "eia_key", "entsoe_token"} <= set(secret_settings())


@pytest.mark.parametrize("ledger", ["unreachable", "there"])
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_command_tells_a_secret(
    planted: Path, sprout_like: Command, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], ledger: str
) -> None:
    if ledger == "there":
        monkeypatch.setenv("SPROUT_LEDGER", str(planted / "ledger.sqlite"))
        with CarbonAware(None, engine=NullEngine(), grid=200.0) as aware:
            aware.chat(f"{PLANTED}-prompt", tags={"team": "search"})
    outcome = sprout_like(*arguments)

    assert PLANTED not in outcome.out + outcome.err
    assert "Traceback" not in outcome.err
    assert "No such" not in outcome.err
    for file in (file for file in planted.rglob("*") if file.is_file()):
        assert PLANTED.encode() not in file.read_bytes(), file


def test_no_repr_and_no_exception_tells_a_secret(planted: Path) -> None:
    settings = Settings.load()
    said = [repr(settings), str(settings)]
    for given in ({"ledger": f"nosuch://user:{PLANTED}@host/db"}, {"grid": f"no-such+https://u:{PLANTED}@host"}):
        try:
            CarbonAware(None, engine=NullEngine(), **given)
        except (SproutError, ValueError) as exc:
            said.append("".join(traceback.format_exception(exc)))
        else:
            pytest.fail(f"{list(given)} was taken")
    assert PLANTED not in " ".join(said)
    assert isinstance(settings.ledger, SecretStr)
