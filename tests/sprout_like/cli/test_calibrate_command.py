"""`sprout-like calibrate`: what the user got wrong is said before the model is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def test_its_options_are_told(sprout_like: Command) -> None:
    outcome = sprout_like("calibrate", "--help")

    assert outcome.code == 0
    for option in ("--model", "--ledger", "--quick", "--budget", "--directive", "--json", "--plot"):
        assert option in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--budget", "soon"), "--budget: 'soon' is no length of time. Give one such as 90s, 10m or 1h"),
        (("--budget", "0s"), "--budget: '0s' is no length of time"),
        (("--plot", "plot.xls"), "--plot: plot.xls ends in none of"),
        (("--json", "nowhere/data.json"), "--json: cannot write nowhere/data.json"),
        (("--directive", "breif"), "no directive named 'breif'; did you mean 'brief'"),
        (("--ledger", "nosuch://here"), "ledger:"),
    ],
)
def test_what_is_wrong_is_one_line(sprout_like: Command, arguments: tuple[str, ...], message: str) -> None:
    outcome = sprout_like("calibrate", *arguments)

    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert message in outcome.err


def test_a_model_that_is_not_there_is_one_line(
    sprout_like: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    empty = place / "empty"
    empty.mkdir()
    outcome = sprout_like("calibrate", "--model", str(empty), "--budget", "20s")

    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "--model:" in outcome.err
    assert "Name a folder that holds both" in outcome.err


@pytest.mark.parametrize("length", ["90s", "1.5m", "90"])
def test_lengths_of_time(length: str) -> None:
    from sprout_like.cli.calibrate import _seconds

    assert _seconds(length) == 90.0
