"""Sources of other packages, found the way pip installs them: a module and its metadata on the path."""

from __future__ import annotations

from pathlib import Path

import pytest

from grid import SourceSpecError, open_source
from grid.testing import NOON

MODULE = """
from grid import StaticSource

def open_turbine(opening):
    opening.only(options=("g",))
    return StaticSource(float(opening.options["g"]), name=opening.name)

def open_nothing(opening):
    return None

def open_badly(opening):
    raise KeyError("key=SECRET")

def open_and_leave(opening):
    raise SystemExit(opening)

class Odd(StaticSource):
    @property
    def can(self):
        raise RuntimeError("key=SECRET")

def open_odd(opening):
    return Odd(5)
"""

METADATA = """
[sprout_like.grid_sources]
our-turbine = our_turbine:open_turbine
our-nothing = our_turbine:open_nothing
our-missing = our_turbine:open_missing
our-bad = our_turbine:open_badly
our-leaving = our_turbine:open_and_leave
our-odd = our_turbine:open_odd
our-broken = our_broken:open_it
"""


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "our_turbine.py").write_text(MODULE)
    (tmp_path / "our_broken.py").write_text("raise RuntimeError('key=SECRET')")
    info = tmp_path / "our_turbine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-turbine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(METADATA)
    monkeypatch.syspath_prepend(tmp_path)


def test_a_source_of_another_package_opens_by_its_name() -> None:
    source = open_source("our-turbine?g=12")
    assert (source.name, source.latest("GB", NOON).g_per_kwh) == ("our-turbine", 12)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("our-turbine?h=12", "our-turbine: there is no option 'h'; it knows g"),
        ("our-nothing", "our-nothing: our_turbine:open_nothing gave a NoneType"),
        ("our-missing", "our-missing: our_turbine:open_missing cannot be imported"),
        ("our-bad", r"our-bad: KeyError in our_turbine.py, line \d+: a fault in the source's code"),
        ("our-leaving", "our-leaving: SystemExit in our_turbine.py"),
        ("our-odd", "our-odd: RuntimeError in our_turbine.py"),
        ("our-broken", "our-broken: RuntimeError in our_broken.py"),
        ("our-turbin", "Did you mean 'our-turbine'"),
    ],
)
def test_what_is_wrong_with_one_is_told(spec: str, problem: str) -> None:
    with pytest.raises(SourceSpecError, match=problem) as told:
        open_source(spec)
    assert "SECRET" not in str(told.value)
