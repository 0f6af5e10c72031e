"""From calls to cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from directives import Directive
from directives.estimate import Estimate
from directives.profile import Cell, Profile
from sprout_like.calibrate.sample import Sample

MakeSample = Callable[..., Sample]
MakeProfile = Callable[[Sequence[Sample]], Profile]


@pytest.fixture
def cell_of(make_profile: MakeProfile) -> Callable[..., Cell]:
    def find(samples: Sequence[Sample], directive: str) -> Cell:
        return next(cell for cell in make_profile(samples).cells if cell.directive == directive)

    return find


def test_the_ratio_is_taken_round_by_round(make_sample: MakeSample, cell_of: Callable[..., Cell]) -> None:
    # The machine slows down to a third: the means overlap, the ratio does not move.
    samples = [
        make_sample(name, n, energy_j=slower * cost, engine_s=slower * cost)
        for n, slower in enumerate((1.0, 2.0, 3.0))
        for name, cost in (("full", 10.0), ("short", 5.0))
    ]
    short = cell_of(samples, "short")

    assert short.energy_ratio == Estimate(0.5, 0.0, 3)
    assert short.time_ratio == Estimate(0.5, 0.0, 3)
    assert short.energy_j == Estimate(10.0, pytest.approx(5.0), 3)


def test_a_round_without_full_has_no_ratio(make_sample: MakeSample, cell_of: Callable[..., Cell]) -> None:
    samples = [make_sample("full", 0), make_sample("short", 0, energy_j=5.0), make_sample("short", 1, energy_j=1.0)]

    assert cell_of(samples, "short").energy_ratio == Estimate(0.5, None, 1)
    assert cell_of(samples[1:], "short").energy_ratio is None


def test_in_a_batch_figures_are_per_row(make_sample: MakeSample, cell_of: Callable[..., Cell]) -> None:
    batch = make_sample("full", rows=8, energy_j=16.0, engine_s=4.0, new_tokens=160)
    cell = cell_of([batch], "full")

    assert (cell.energy_j, cell.time_s, cell.new_tokens) == tuple(Estimate(x, None, 1) for x in (2.0, 0.5, 20.0))
    assert cell.energy_per_token_j == Estimate(0.1, None, 1)
    assert (cell.batch_size, cell.bin.batch_size, cell.bin.prompt_tokens) == (8, "5-16", "1-128")


def test_unknown_energy_stays_unknown(make_sample: MakeSample, make_profile: MakeProfile) -> None:
    found = make_profile([make_sample(name, n, energy_j=None) for n in (0, 1) for name in ("full", "short")])

    for cell in found.cells:
        assert (cell.energy_j, cell.energy_per_token_j, cell.energy_ratio) == (None, None, None)
        assert cell.time_ratio is not None
    assert found.measure == "time"


def test_an_answer_without_tokens_has_no_cost_per_token(make_sample: MakeSample, cell_of: Callable[..., Cell]) -> None:
    assert cell_of([make_sample("full", new_tokens=0)], "full").energy_per_token_j is None


def test_compiling_is_not_counted(make_sample: MakeSample, cell_of: Callable[..., Cell]) -> None:
    assert cell_of([make_sample("full", engine_s=5.0, compile_s=3.0)], "full").time_s.mean == 2.0


def test_the_bin_is_that_of_the_call_not_of_the_directive_s_limit(
    make_sample: MakeSample, cell_of: Callable[..., Cell]
) -> None:
    assert cell_of([make_sample("short", limit_tokens=8)], "short").bin.limit_tokens == "33-128"


def test_agreement_counts_every_prompt_once(make_sample: MakeSample, cell_of: Callable[..., Cell]) -> None:
    asked = ((0, "same"), (0, "same"), (0, "same"), (1, "quite different"))
    samples = [make_sample("full", 0, answer="same"), make_sample("full", 1, answer="words apart")]
    samples += [make_sample("short", n, answer=answer) for n, answer in asked]
    short = cell_of(samples, "short")

    assert short.exact_share == 0.5
    assert short.similarity == Estimate(0.5, pytest.approx(0.5**0.5), 2)


def test_agreement_without_full_is_unknown(make_sample: MakeSample, cell_of: Callable[..., Cell]) -> None:
    cell = cell_of([make_sample("short")], "short")

    assert (cell.exact_share, cell.similarity) == (None, None)


def test_finish_reasons_and_reused_tokens_are_counted(make_sample: MakeSample, cell_of: Callable[..., Cell]) -> None:
    samples = [
        make_sample("full", 0, finish_reason="eos", reused_tokens=20),
        make_sample("full", 1, finish_reason="length", reused_tokens=0),
        make_sample("full", 2, finish_reason="eos", reused_tokens=None),
    ]
    cell = cell_of(samples, "full")

    assert cell.finish_reasons == {"eos": 2, "length": 1}
    assert cell.reused_share == pytest.approx(1 / 6)


def test_what_a_directive_is_stands_in_its_cells(make_sample: MakeSample, cell_of: Callable[..., Cell]) -> None:
    samples = [make_sample("lookup"), make_sample("short"), make_sample("full")]

    assert (cell_of(samples, "lookup").knobs, cell_of(samples, "lookup").lossless) == (("draft",), True)
    assert (cell_of(samples, "short").knobs, cell_of(samples, "short").lossless) == (("budget",), False)
    assert Directive(name="full").knobs == frozenset(cell_of(samples, "full").knobs)
