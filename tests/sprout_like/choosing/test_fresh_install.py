"""What a middleware serves before anything was tuned, end to end, and what it says of settings that cannot hold."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine

from directives import Catalogue, Observation
from directives.estimate import Estimate
from directives.profile import Profile
from sprout_like import CarbonAware
from sprout_like.calibrate.machine import hardware
from sprout_like.calibrate.store import save_profile
from sprout_like.settings import Settings
from sprout_like.testing import MemoryLedger, NullEngine

Wrap = Callable[..., CarbonAware]

REQUESTS = 2000
QUESTION = Observation(task="question", prompt_tokens=16, limit_tokens=32, batch_size=1)
LOSSY = {directive.name for directive in Catalogue.builtin() if directive.needs_judging}


@pytest.fixture
def wrap(tmp_path: Path) -> Wrap:
    """A middleware on a fake engine, under the settings that are given."""

    def make(*, ledger: Any = None, **settings: Any) -> CarbonAware:
        return CarbonAware(
            None,
            engine=NullEngine(),
            grid=200,
            meter="none",
            ledger=ledger or MemoryLedger(),
            settings=Settings.load(spool=tmp_path / "spool.sqlite", **settings),
            rng=Random(1),
        )

    return make


@pytest.fixture
def on_calibrated(spec: str, engine: Engine, calibrated: Callable[..., Profile], wrap: Wrap) -> Wrap:
    """One whose model was calibrated on this machine."""
    found = calibrated(
        QUESTION,
        lookup=Estimate(0.5, 0.01, 8),
        self_draft=Estimate(1.4, 0.01, 8),
        static_cache=Estimate(0.9, 0.5, 8),
        very_brief=Estimate(0.2, 0.01, 8),
        int4=Estimate(0.6, 0.01, 8),
    )
    save_profile(engine, replace(found, hardware=hardware(())))

    def make(**settings: Any) -> CarbonAware:
        return wrap(ledger=spec, **settings)

    return make


def test_full_the_lossless_saver_and_little_else(on_calibrated: Wrap) -> None:
    with on_calibrated() as aware:
        rows = [aware.chat("hello").record for _ in range(REQUESTS)]

    explored = [row for row in rows if row.decision_reason == "explored"]
    chosen = [row for row in rows if row.decision_reason != "explored"]
    assert {row.directive for row in chosen if row.decision_group == "policy"} == {"lookup"}
    assert {row.directive for row in chosen if row.decision_group == "control"} == {"full"}
    # Five standard deviations around 2 %.
    assert len(explored) / REQUESTS == pytest.approx(0.02, abs=5 * math.sqrt(0.02 * 0.98 / REQUESTS))
    assert LOSSY & {row.directive for row in explored}
    assert not {"lookup", "self_draft", "full"} & {row.directive for row in explored}
    propensities = {row.directive: row.propensity for row in chosen}
    assert propensities == {"full": pytest.approx(0.05), "lookup": pytest.approx(0.93)}


def test_nothing_is_tried_out_where_the_user_allows_none(on_calibrated: Wrap) -> None:
    with on_calibrated(explore_share=0.0) as aware:
        served = Counter(aware.chat("hello").record.directive for _ in range(REQUESTS // 4))

    assert served.keys() == {"full", "lookup"}


def test_a_task_gets_what_it_is_pinned_to_and_never_what_is_forbidden(on_calibrated: Wrap) -> None:
    with on_calibrated(pinned={"contract": "full"}, forbidden={"exam": ["lookup"]}, explore_share=0.0) as aware:
        pinned, spared, others = (
            {aware.chat("hello", task=task).record.directive for _ in range(200)} for task in ("contract", "exam", None)
        )

    assert (pinned, spared, others) == ({"full"}, {"full"}, {"full", "lookup"})


def test_less_is_tried_out_where_the_floor_leaves_no_room_for_more(on_calibrated: Wrap) -> None:
    with on_calibrated(floor=0.999) as aware:
        rows = [aware.chat("hello").record for _ in range(REQUESTS // 4)]

    assert "explored" not in {row.decision_reason for row in rows}
    assert "lookup" in {row.directive for row in rows}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"carbon_budget_g_per_day": 1.0}, "carbon_budget_g_per_day 1: "),
        ({"latency_limit_s": {"": 0.5}}, "latency_limit_s 0.5 of task ''"),
        ({"carbon_price_per_kg": 0.1, "answer_value": 0.01}, "price_per_kg 0.1: "),
        ({"carbon_budget_g_per_day": 1.0, "latency_limit_s": {"": 0.5}}, "latency_limit_s 0.5 of task ''"),
    ],
)
def test_what_cannot_be_told_yet_is_named_and_keeps_nobody_from_serving(
    wrap: Wrap, settings: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with wrap(**settings, explore_share=0.9, floor=0.1, mean_floor=0.1) as aware:
        tried = Counter(aware.chat("hello").record.decision_reason for _ in range(100))

    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len([text for text in warnings if said in text]) == 1
    # The rest of what was asked is planned for.
    assert tried["explored"] > 50


def test_a_limit_that_the_model_cannot_meet_is_said_once_and_full_is_served(
    on_calibrated: Wrap, caplog: pytest.LogCaptureFixture
) -> None:
    with on_calibrated(latency_limit_s={"": 0.5}) as aware:
        served = {aware.chat("hello").record.directive for _ in range(50)}

    assert served == {"full"}
    (said,) = [record.getMessage() for record in caplog.records if "cannot hold" in record.getMessage()]
    assert "latency_limit_s 0.5 of task '' cannot hold: latency_limit_s 2" in said
