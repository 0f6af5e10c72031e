"""What dominates what, and one point per directive."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directives.estimate import Estimate
from directives.profile import Cell, Profile
from directives.workload import Bin

HERE = Bin(task="question", prompt_tokens="1-128", limit_tokens="33-128", batch_size="1")
THERE = replace(HERE, task="passage")


def cell(
    directive: str, cost: float, alike: float | None, *, sd: float = 0.01, in_bin: Bin = HERE, **more: Any
) -> Cell:
    ratio = Estimate(cost, 0.0 if directive == "full" else sd, 4)
    values: dict[str, Any] = {
        "directive": directive,
        "bin": in_bin,
        "knobs": (),
        "lossless": directive == "full",
        "batch_size": 1,
        "n": 4,
        "energy_j": Estimate(10 * cost, sd, 4),
        "time_s": Estimate(cost, sd, 4),
        "energy_per_token_j": None,
        "time_per_token_s": None,
        "new_tokens": None,
        "energy_ratio": ratio,
        "time_ratio": ratio,
        "exact_share": None,
        "similarity": None if alike is None else Estimate(alike, 0.1, 4),
    }
    return Cell(**{**values, **more})


def profile(*cells: Cell) -> Profile:
    return Profile(
        profile_id="0" * 32,
        created_utc="2026-03-01T12:00:00+00:00",
        model="m",
        family=None,
        hardware="h",
        versions={},
        meter="rapl",
        energy_method="measured",
        catalogue_version="c",
        settings={},
        rounds=4,
        duration_s=1.0,
        ended="tight",
        cells=cells,
    )


def test_what_costs_more_for_the_same_answers_is_dominated() -> None:
    full, draft = cell("full", 1.0, 1.0), cell("draft", 1.3, 1.0)

    assert profile(full, draft).dominated_by(draft) == "full"
    assert profile(full, draft).dominated_by(full) is None


def test_what_costs_less_but_differs_more_dominates_nothing() -> None:
    full, brief = cell("full", 1.0, 1.0), cell("brief", 0.5, 0.4)

    assert profile(full, brief).dominated_by(full) is None
    assert profile(full, brief).dominated_by(brief) is None


def test_costs_whose_intervals_meet_are_not_told_apart() -> None:
    cheap, dear = cell("cheap", 1.0, 1.0, sd=0.2), cell("dear", 1.1, 1.0, sd=0.2)

    assert profile(cheap, dear).dominated_by(dear) is None


def test_the_cheapest_rival_is_named() -> None:
    worst = cell("worst", 2.0, 0.5)

    assert profile(cell("full", 1.0, 1.0), cell("lookup", 0.8, 1.0), worst).dominated_by(worst) == "lookup"


def test_another_bin_is_no_rival() -> None:
    dear = cell("dear", 2.0, 0.5)

    assert profile(cell("full", 1.0, 1.0, in_bin=THERE), dear).dominated_by(dear) is None


@pytest.mark.parametrize(
    "unknown", [{"similarity": None}, {"energy_ratio": None}, {"energy_ratio": Estimate(2.0, None, 1)}]
)
def test_what_is_not_known_is_neither_dominated_nor_dominates(unknown: dict[str, Any]) -> None:
    full, dear = cell("full", 1.0, 1.0), cell("dear", 2.0, 0.5, **unknown)
    cheap, worse = cell("cheap", 0.5, 1.0, **unknown), cell("worse", 2.0, 0.5)

    assert profile(full, dear).dominated_by(dear) is None
    assert profile(cheap, worse).dominated_by(worse) is None


def test_without_all_the_energies_costs_are_compared_in_time() -> None:
    full = cell("full", 1.0, 1.0, energy_j=None, energy_ratio=None)
    slow = cell("slow", 0.5, 1.0, time_ratio=Estimate(1.5, 0.01, 4))

    assert profile(full, slow).measure == "time"
    assert profile(full, slow).dominated_by(slow) == "full"


def test_a_point_is_the_mean_over_bins_and_dominated_only_where_it_is_in_all() -> None:
    found = profile(
        cell("full", 1.0, 1.0),
        cell("lookup", 1.2, 1.0),
        cell("full", 1.0, 1.0, in_bin=THERE),
        cell("lookup", 0.6, 1.0, in_bin=THERE),
    )
    full, lookup = found.points()

    assert (full.cost, full.cost_half_width, full.similarity) == (1.0, 0.0, 1.0)
    assert lookup.cost == pytest.approx(0.9)
    assert lookup.cost_half_width == pytest.approx(Estimate(1.0, 0.01, 4).half_width / 2**0.5)  # type: ignore[operator]
    assert (lookup.bins, lookup.dominated) == (2, False)
    assert found.dominated_by(found.cells[1]) == "full"


def test_a_point_whose_bins_were_tried_once_has_no_interval() -> None:
    once = cell("once", 0.5, 0.5, energy_ratio=Estimate(0.5, None, 1))

    assert next(iter(profile(once).points())).cost_half_width is None


@given(st.lists(st.tuples(st.floats(0.1, 3), st.floats(0, 1)), min_size=1, max_size=8))
def test_something_is_always_left_undominated(measured: list[tuple[float, float]]) -> None:
    cells = [cell(f"d{i}", cost, alike) for i, (cost, alike) in enumerate(measured)]
    found = profile(*cells)

    undominated = [each for each in cells if found.dominated_by(each) is None]

    assert undominated
    for each in cells:
        if (by := found.dominated_by(each)) is not None:
            rival = found.cell(by, HERE)
            assert rival is not None
            assert rival.energy_ratio.mean < each.energy_ratio.mean  # type: ignore[union-attr]
            assert rival.similarity.mean >= each.similarity.mean  # type: ignore[union-attr]
