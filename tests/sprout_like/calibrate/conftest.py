"""Profiles and calls made up for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from directives import FULL, Budget, Directive, Draft, Lookup
from directives.profile import Profile
from sprout_like.calibrate.sample import Sample, cells
from sprout_like.calibrate.schedule import Slot, Turn
from sprout_like.ledger.testing import sample_request

DIRECTIVES = {
    directive.name: directive
    for directive in (
        FULL,
        Directive(name="short", budget=Budget(max_new_tokens=8)),
        Directive(name="lookup", draft=Draft(lookup=Lookup())),
    )
}

MakeSample = Callable[..., Sample]


@pytest.fixture
def make_sample() -> MakeSample:
    def make(
        directive: str = "full",
        round_number: int = 0,
        *,
        workload: int = 0,
        energy_j: float | None = 10.0,
        answer: str = "one two three four",
        task: str = "question",
        rows: int = 1,
        **row: object,
    ) -> Sample:
        record = sample_request(
            directive=directive,
            task=task,
            batch_size=rows,
            prompt_tokens=40 * rows,
            energy_j=energy_j,
            energy_method="none" if energy_j is None else "measured",
            **{"engine_s": 2.0, "new_tokens": 32 * rows, **row},
        )
        return Sample(
            turn=Turn(Slot(workload, directive), round_number),
            prompts=tuple(range(rows)) if rows > 1 else (round_number,),
            answers=(answer,) * rows,
            limit_tokens=64,
            record=record,
        )

    return make


@pytest.fixture
def make_profile() -> Callable[[Iterable[Sample]], Profile]:
    def make(samples: Iterable[Sample]) -> Profile:
        return Profile(
            profile_id="f" * 32,
            created_utc="2026-03-01T12:00:00+00:00",
            model="SmolLM2",
            family="llama",
            hardware="a processor (2 cores)",
            versions={"python": "3.11"},
            meter="rapl",
            energy_method="measured",
            catalogue_version="abc",
            settings={"budget_s": 600.0},
            rounds=3,
            duration_s=60.0,
            ended="tight",
            cells=cells(list(samples), DIRECTIVES),
        )

    return make


@pytest.fixture
def profile(make_sample: MakeSample, make_profile: Callable[[Iterable[Sample]], Profile]) -> Profile:
    """`short` saves half and answers otherwise; `lookup` costs a quarter more; a batch saves most."""
    samples = []
    for round_number, off in enumerate((-0.1, 0.0, 0.1)):
        samples += [
            make_sample("full", round_number, energy_j=10.0 + off),
            make_sample("short", round_number, energy_j=5.0 - off, answer="one two", new_tokens=8),
            make_sample("lookup", round_number, energy_j=12.5 - off),
            make_sample("full", round_number, workload=1, rows=8, energy_j=16.0 + off),
            make_sample("short", round_number, workload=1, rows=8, energy_j=8.0 + off, answer="one two"),
        ]
    return make_profile(samples)
