"""The command line, in this process or in one of its own, away from the user's files and the network."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from sprout_like.cli.main import run


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with the user's data folder in it and no setting from outside."""
    for name in [name for name in os.environ if name.upper().startswith("SPROUT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("SPROUT_GRID", "uk+http://127.0.0.1:1")  # nothing listens there
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sprout_like(place: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `sprout-like` in this process."""

    def command(*arguments: object) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_info:
            run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert isinstance(exit_info.value.code, int)
        return Outcome(exit_info.value.code, printed.out, printed.err)

    return command


@pytest.fixture
def installed_command(place: Path) -> Command:
    """Runs the installed `sprout-like` in a process of its own."""
    script = Path(sys.executable).with_name("sprout-like")
    if not script.exists():
        pytest.skip("sprout-like is not installed beside this Python: pip install --editable .")

    def command(*arguments: str, **environment: str) -> Outcome:
        done = subprocess.run(
            [script, *arguments],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return command
