"""Verdicts that the database adds up amount to the quality of the same verdicts one by one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, select

from directives.evidence import Quality
from sprout_like.evaluating.summed import quality_of_sums, verdict_sums
from sprout_like.ledger.schema import Base, VerdictRow

SCORES = st.floats(0, 1)


def summed(pairs: list[tuple[float, float]]) -> Quality:
    same = {
        "evaluation_id": "e",
        "judged_utc": datetime(2026, 3, 1, tzinfo=UTC),
        "prompt_number": 0,
        "directive": "brief",
        **dict.fromkeys(("bin_task", "bin_prompt_tokens", "bin_limit_tokens", "bin_batch_size"), ""),
    }
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        Base.metadata.create_all(connection, tables=[Base.metadata.tables["verdicts"]])
        rows = [{**same, "place": n, "score": score, "full_score": full} for n, (score, full) in enumerate(pairs)]
        connection.execute(insert(VerdictRow), rows)
        found = quality_of_sums(*connection.execute(select(*verdict_sums())).one())
    engine.dispose()
    return found


@given(st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=20))
def test_the_sums_amount_to_the_same_quality(pairs: list[tuple[float, float]]) -> None:
    found, wanted = summed(pairs), Quality.of(pairs)
    for name in ("n", "mean", "full_mean", "variance", "full_variance", "covariance"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=1e-9), name


def test_equal_scores_never_have_a_variance_below_zero() -> None:
    n, total, squares = 7, sum([0.7] * 7), sum([0.7 * 0.7] * 7)
    assert squares / n < (total / n) ** 2, "what rounding leaves"
    found = quality_of_sums(n, total, total, squares, squares, squares)
    assert (found.variance, found.full_variance) == (0.0, 0.0)
