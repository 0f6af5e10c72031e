"""A ledger's database on both servers, and an evaluation made up for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from directives.workload import Bin
from sprout_like.evaluating.evaluation import Evaluation, Verdict

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def make_evaluation() -> Callable[..., Evaluation]:
    def make(number: int = 0, **changes: Any) -> Evaluation:
        verdict = Verdict(
            judged_utc=NOON,
            prompt_number=0,
            request_id=None,
            directive="brief",
            bin=Bin(task="question", prompt_tokens="1-128", limit_tokens="33-128", batch_size="1"),
            score=0.25,
            full_score=0.75,
        )
        values: dict[str, Any] = {
            "evaluation_id": f"{number:032x}",
            "started_utc": NOON - timedelta(minutes=5),
            "ended_utc": NOON,
            "reason": "asked for",
            "ended": "prompts",
            "model": "small",
            "catalogue_version": "builtin:1",
            "judge": "numeric",
            "prompts_n": 1,
            "verdicts_n": 1,
            "dropped_n": 2,
            "ties_n": 0,
            "first_n": 0,
            "second_n": 0,
            "dropped": {"the judge: nonsense": 2},
            "energy_j": 200.0,
            "operational_g": 0.01,
            "embodied_g": None,
            "judge_energy_j": None,
            "judge_energy_method": "none",
            "judge_operational_g": None,
            "judge_tokens": None,
            "judge_s": 0.5,
            "verdicts": (verdict,),
        }
        return Evaluation(**{**values, **changes})

    return make
