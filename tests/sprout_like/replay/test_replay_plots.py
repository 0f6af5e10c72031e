"""Plots of replays: they are written, and hold what they are about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sprout_like.replay.plot import plot_schemes, plot_week
from sprout_like.replay.run import Order, run
from sprout_like.replay.sweep import SLACKS, Point, Scheme, sweep
from tests.sprout_like.replay.recorded import Given, requests_columns

pytest.importorskip("matplotlib", reason="no matplotlib: pip install 'sprout-like[plot]'")


def order_of(given: Given, hours: int = 48, policy: str = "contextual") -> Order:
    return Order(
        requests=given.requests, trace=given.trace, mix=given.mix, policy=policy, hours=hours, requests_per_hour=60
    )


def texts_of(file: Path) -> str:
    """All that is written in an SVG file; matplotlib keeps each text as a comment beside its outline."""
    return file.read_text("utf-8")


def test_a_week_is_drawn_as_an_image(given: Given) -> None:
    file = given.folder / "week.png"
    plot_week(run(order_of(given)), file)
    assert file.read_bytes().startswith(b"\x89PNG")


def test_a_week_names_what_it_shows(given: Given) -> None:
    file = given.folder / "week.svg"
    plot_week(run(order_of(given)), file)
    texts = texts_of(file)
    for text in ("contextual, context task", "very_brief", "evaluation", "floor, 90 %", "Mon 2 Jan", "g CO2e/kWh"):
        assert text in texts


@pytest.mark.parametrize("hours", [1, 47])
def test_less_than_two_days_are_drawn_by_the_hour(given: Given, hours: int) -> None:
    file = given.folder / "week.svg"
    plot_week(run(order_of(given, hours, "full")), file)
    texts = texts_of(file)
    assert f"full: {hours} h from 1 January 2023, 00:00 UTC" in texts
    assert "evaluation" not in texts


def test_all_schemes_are_swept_and_drawn(given: Given) -> None:
    given.write_requests(requests_columns(140))
    order = replace(order_of(given, hours=2), floor_slack=0.12)
    steps: list[str] = []
    schemes = {scheme.name: scheme for scheme in sweep(order, steps.append)}
    assert list(schemes) == [
        "sprout", "oracle", "contextual, none", "contextual, text", "contextual, task", "static", "threshold",
        "full", "brief", "very_brief",
    ]  # fmt: skip
    slacks = sorted([*SLACKS, 0.12])
    assert [point.slack for point in schemes["sprout"].points] == slacks
    assert [point.slack for point in schemes["full"].points] == [None]
    assert len(steps) == 5 * len(slacks) + 5
    assert steps[0] == "sprout at slack 0.02 (1 of 40)"
    assert steps[-1] == "very_brief (40 of 40)"
    alone = run(replace(order, policy="sprout")).outcome
    swept = schemes["sprout"].points[slacks.index(0.12)]
    assert (swept.saving_pct, swept.preference_pct) == (alone.saving_pct, alone.preference_pct)

    file = given.folder / "schemes.svg"
    plot_schemes(list(schemes.values()), 0.12, file)
    texts = texts_of(file)
    for scheme in schemes.values():
        assert scheme.name in texts
    assert "floor, 88 %" in texts
    assert f"sprout: {swept.hours_below_floor_pct:.0f} % of hours under the floor" in texts


def test_schemes_are_drawn_as_an_image(tmp_path: Path) -> None:
    points = tuple(
        Point(slack=slack, saving_pct=100 * slack, preference_pct=100 - slack, hours_below_floor_pct=0.0)
        for slack in (0.1, 0.2)
    )
    bare = Point(slack=None, saving_pct=0.0, preference_pct=100.0, hours_below_floor_pct=None)
    file = tmp_path / "schemes.png"
    plot_schemes([Scheme(name="sprout", points=points), Scheme(name="full", points=(bare,))], 0.1, file)
    assert file.read_bytes().startswith(b"\x89PNG")
