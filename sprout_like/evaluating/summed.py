"""Verdicts that the database adds up, and the quality that their sums amount to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func

from directives.evidence import Quality
from sprout_like.ledger.schema import VerdictRow

__all__ = ["quality_of_sums", "verdict_sums"]


def verdict_sums() -> tuple[ColumnElement[Any], ...]:
    """Columns to select, in the order in which `quality_of_sums` takes them."""
    score, full = VerdictRow.score, VerdictRow.full_score
    terms = (score, full, score * score, full * full, score * full)
    return (func.count(), *(func.sum(term) for term in terms))


def quality_of_sums(n: int, score: float, full: float, squares: float, full_squares: float, products: float) -> Quality:
    """The quality by so many verdicts.

    Args:
        n: verdicts, at least one.
        score: sum of the scores.
        full: sum of `full`'s.
        squares: sum of the squares of the scores.
        full_squares: sum of the squares of `full`'s.
        products: sum of score × `full`'s score.
    """
    mean, full_mean = score / n, full / n
    return Quality(
        n=n,
        mean=mean,
        full_mean=full_mean,
        # What rounding leaves of equal scores can lie below 0, where no variance is.
        variance=max(0.0, squares / n - mean * mean),
        full_variance=max(0.0, full_squares / n - full_mean * full_mean),
        covariance=products / n - mean * full_mean,
    )
