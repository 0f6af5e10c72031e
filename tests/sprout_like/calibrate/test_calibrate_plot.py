"""The plot."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from directives.profile import Profile
from sprout_like.calibrate.plot import check_plot, plot
from sprout_like.calibrate.sample import Sample
from sprout_like.errors import SettingError


def test_every_directive_is_named_and_the_axes_say_their_units(profile: Profile, tmp_path: Path) -> None:
    plot(profile, tmp_path / "plot.svg")

    text = (tmp_path / "plot.svg").read_text("utf-8")
    for shown in ("full", "short", "lookup", "% of full", "not a quality score", "95 % intervals", "dominated"):
        assert f"<!-- {shown}" in text or shown in text


def test_a_png_is_a_png(profile: Profile, tmp_path: Path) -> None:
    plot(profile, tmp_path / "plot.png")

    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_points_without_intervals_are_drawn_too(
    make_sample: Callable[..., Sample], make_profile: Callable[[Sequence[Sample]], Profile], tmp_path: Path
) -> None:
    plot(make_profile([make_sample("full"), make_sample("short", energy_j=1.0)]), tmp_path / "plot.png")

    assert (tmp_path / "plot.png").stat().st_size > 0


def test_another_format_is_refused_at_once() -> None:
    with pytest.raises(SettingError, match=r"--plot: plot.xls ends in none of .png, .svg, .pdf"):
        check_plot(Path("plot.xls"))


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # how the import system is told that there is none

    with pytest.raises(SettingError, match=r'pip install "sprout-like\[plot\]"'):
        check_plot(Path("plot.png"))
