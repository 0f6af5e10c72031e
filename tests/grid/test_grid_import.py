from __future__ import annotations

import subprocess
import sys

import pytest

import grid

HEAVY = ("httpx", "numpy", "scipy", "sqlalchemy", "torch", "transformers")


def _loaded_after(code: str) -> set[str]:
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*(m for m in {HEAVY} if m in sys.modules))"],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(loaded.stdout.split())


@pytest.mark.parametrize("use", ["import grid", "import grid; grid.open_source(250)"])
def test_nothing_heavy_is_loaded(use: str) -> None:
    assert _loaded_after(use) == set()


def test_httpx_is_loaded_when_a_source_needs_it() -> None:
    assert _loaded_after("import grid; grid.open_source('uk')") == {"httpx"}


def test_the_public_names_are_sorted_and_there() -> None:
    assert grid.__all__ == sorted(grid.__all__)
    assert all(hasattr(grid, name) for name in grid.__all__)
