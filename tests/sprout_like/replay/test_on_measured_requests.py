"""Replays of the requests that the SPROUT authors measured and judged: a week of Great Britain, one seed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from directives.replay import Context, Outcome
from sprout_like.replay.run import Order, run

pytest.importorskip("pyarrow", reason="no pyarrow: pip install 'sprout-like[parquet]'")

DATA = Path(os.environ.get("SPROUT_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
REQUESTS = DATA / "sprout" / "requests.parquet"

pytestmark = pytest.mark.skipif(
    not REQUESTS.is_file(), reason=f"no {REQUESTS}: set SPROUT_SHARED_DATA to the folder of shared data"
)


def replayed(policy: str, context: Context = "task") -> Outcome:
    return run(
        Order(
            requests=REQUESTS,
            trace=DATA / "traces" / "GB_2023Q1.csv",
            mix=DATA / "sprout" / "mix.csv",
            policy=policy,
            context=context,
            start_hour=800,
            hours=168,
            requests_per_hour=2000,
        )
    ).outcome


def test_sprout_saves_a_lot_and_misses_its_floor_often() -> None:
    outcome = replayed("sprout")
    assert 45 < outcome.saving_pct < 80
    assert 88 < outcome.preference_pct < 98
    assert outcome.hours_below_pct(0.9) > 5
    assert 5 < len(outcome.evaluations) < 20


@pytest.mark.parametrize("context", ["task", "text"])
def test_who_tells_tasks_apart_saves_more_and_keeps_the_floor(context: Context) -> None:
    outcome = replayed("contextual", context)
    assert outcome.saving_pct > 65
    assert outcome.preference_pct > 97
    assert outcome.hours_below_pct(0.9) == 0
    assert outcome.evaluation_share_pct < 8


def test_who_tells_nothing_apart_keeps_the_floor() -> None:
    outcome = replayed("contextual", "none")
    assert outcome.saving_pct > 5
    assert outcome.hours_below_pct(0.9) < 5


def test_brevity_alone_costs_quality() -> None:
    outcome = replayed("very_brief")
    assert outcome.saving_pct > 80
    assert outcome.preference_pct < 85
