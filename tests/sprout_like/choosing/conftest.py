"""Ledgers with policies, calibrations and verdicts in them, on both databases."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from directives import Catalogue
from directives.constraints import Constraints
from directives.estimate import Estimate
from directives.evidence import Evidence, Known
from directives.plan import Plan
from directives.profile import Cell, Profile
from directives.workload import Bin, bin_of
from sprout_like.choosing.live import nothing_known
from sprout_like.ledger.schema import EvaluationRow, VerdictRow
from sprout_like.testing import NullEngine
from sprout_like.tuning.store import StoredPolicy, save_policy

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def always() -> Callable[..., Plan]:
    """A plan that serves one directive."""

    def make(directive: str) -> Plan:
        return replace(nothing_known(0.05), levels=({Bin(): {directive: 1.0}},), version=directive)

    return make


@pytest.fixture
def activate(engine: Engine, always: Callable[[str], Plan]) -> Callable[..., StoredPolicy]:
    """Tunes a policy that serves one directive, and makes it the active one."""

    def save(directive: str, *, minute: int = 0, model: str = "null", **changes: Any) -> StoredPolicy:
        return save_policy(
            engine,
            **{
                "now_utc": NOON + timedelta(minutes=minute),
                "state": "active",
                "model": model,
                "catalogue_version": Catalogue.builtin().version,
                "constraints": Constraints(),
                "evidence": Evidence(
                    cells=(Known(directive="full", bin=Bin(), lossless=True, energy_j=Estimate(10.0, 1.0, 9)),),
                    intensities_g_per_kwh=(190.0, 210.0),
                ),
                "plan": always(directive),
                "estimate": {},
                "reason": "a test's",
                **changes,
            },
        )

    return save


@pytest.fixture
def judge(engine: Engine) -> Callable[..., None]:
    """Writes an evaluation with verdicts that are all alike."""

    def write(
        directive: str,
        score: float,
        *,
        n: int,
        live: bool,
        minute: int = 1,
        model: str = "null",
        full: float = 1.0,
        judge: str = "numeric",
    ) -> None:
        evaluation_id, at_utc = uuid.uuid4().hex, NOON + timedelta(minutes=minute)
        counts = ("prompts_n", "verdicts_n", "dropped_n", "ties_n", "first_n", "second_n")
        evaluation = EvaluationRow(
            evaluation_id=evaluation_id,
            started_utc=at_utc,
            ended_utc=at_utc,
            reason="asked",
            ended="prompts",
            model=model,
            catalogue_version=Catalogue.builtin().version,
            judge=judge,
            dropped={},
            judge_energy_method="none",
            judge_s=0.0,
            **{**dict.fromkeys(counts, 0), "verdicts_n": n},
        )
        verdicts = [
            VerdictRow(
                evaluation_id=evaluation_id,
                place=place,
                judged_utc=at_utc,
                prompt_number=place,
                request_id=uuid.uuid4().hex if live else None,
                directive=directive,
                bin_task="",
                bin_prompt_tokens="",
                bin_limit_tokens="",
                bin_batch_size="",
                score=score,
                full_score=full,
            )
            for place in range(n)
        ]
        with Session(engine) as session, session.begin():
            session.add(evaluation)
            session.flush()
            session.add_all(verdicts)

    return write


@pytest.fixture(scope="session")
def calibrated() -> Callable[..., Profile]:
    """A calibration in one bin, from ratios to `full` by directive; None for a ratio that is unknown."""
    catalogue = Catalogue.builtin()

    def make(observation: Any, **ratios: Estimate | None) -> Profile:
        def cell(directive: str, ratio: Estimate | None) -> Cell:
            return Cell(
                directive=directive,
                bin=bin_of(observation),
                knobs=(),
                lossless=catalogue[directive].lossless,
                batch_size=1,
                n=8,
                energy_j=Estimate(100.0, 30.0, 8),
                time_s=Estimate(2.0, 0.1, 8),
                energy_per_token_j=None,
                time_per_token_s=None,
                new_tokens=None,
                energy_ratio=ratio,
                time_ratio=None,
                exact_share=None,
                similarity=None,
            )

        return Profile(
            profile_id=uuid.uuid4().hex,
            created_utc=NOON.isoformat(),
            model=NullEngine.model,
            family=None,
            hardware="h",
            versions={},
            meter="cpu",
            energy_method="estimated",
            catalogue_version=catalogue.version,
            settings={},
            rounds=8,
            duration_s=60.0,
            ended="tight",
            cells=tuple(cell(name, ratio) for name, ratio in {"full": Estimate(1.0, 0.0, 8), **ratios}.items()),
        )

    return make
