"""A machine with nothing set up: no setting, no data and no network."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sprout_like.doctor.examine import examine
from sprout_like.doctor.finding import Finding

Examined = dict[str, list[Finding]]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, the home and the data folder are one empty folder; the grid is a closed port."""
    for name in [name for name in os.environ if name.upper().startswith("SPROUT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("SPROUT_GRID", "uk+http://127.0.0.1:1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def examined(place: Path) -> Callable[..., Examined]:
    """What the doctor finds, by part."""

    def look(model: Path | None = None) -> Examined:
        found: Examined = {}
        for finding in examine(model):
            found.setdefault(finding.part, []).append(finding)
        return found

    return look
