"""Commands on somebody's own source whose code fails: a line on stderr, no stack trace, and none of its words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]

MODULE = """
from grid.testing import ScriptedSource

class CheckingBadly(ScriptedSource):
    def check_zone(self, zone):
        raise KeyError("key=SECRET")

class ClosingBadly(ScriptedSource):
    def close(self):
        raise RuntimeError("key=SECRET")

def open_checking(opening):
    return CheckingBadly(250.0, name=opening.name)

def open_closing(opening):
    return ClosingBadly(250.0, name=opening.name)

def open_badly(opening):
    raise KeyError("key=SECRET")
"""

METADATA = """
[sprout_like.grid_sources]
our-checking = our_faults:open_checking
our-closing = our_faults:open_closing
our-opening = our_faults:open_badly
"""


@pytest.fixture(autouse=True)
def package(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "our_faults.py").write_text(MODULE)
    info = place / "our_faults-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-faults\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(METADATA)
    monkeypatch.syspath_prepend(place)


@pytest.mark.parametrize("source", ["our-checking", "our-opening"])
@pytest.mark.parametrize(
    "arguments",
    [("grid", "now", "--grid"), ("grid", "forecast", "--grid"), ("grid", "zones", "--grid")],
    ids=lambda arguments: arguments[1],
)
def test_a_fault_in_it_is_one_line(sprout_like: Command, source: str, arguments: tuple[str, ...]) -> None:
    outcome = sprout_like(*arguments, source)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"error: {source}: KeyError in our_faults.py, line ")
    assert "SECRET" not in outcome.err


def test_comparing_tells_of_each_zone(sprout_like: Command) -> None:
    outcome = sprout_like("grid", "compare", "GB", "FR", "--grid", "our-checking")
    assert outcome.code == 1
    assert "GB: our-checking: KeyError in our_faults.py" in outcome.out
    assert "FR: our-checking: KeyError in our_faults.py" in outcome.out


def test_a_fault_in_closing_comes_after_the_answer_and_changes_nothing(sprout_like: Command) -> None:
    for command in ("now", "compare"):
        zones = ("GB", "FR") if command == "compare" else ()
        outcome = sprout_like("grid", command, *zones, "--grid", "our-closing")
        assert outcome.code == 0
        assert "250" in outcome.out
        assert "SECRET" not in outcome.err
