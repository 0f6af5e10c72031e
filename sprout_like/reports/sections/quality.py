"""What judges said in the span, against the floor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine, select

from directives.evidence import Quality as Judged
from sprout_like.evaluating.summed import quality_of_sums, verdict_sums
from sprout_like.ledger.schema import EvaluationRow, VerdictRow
from sprout_like.reports.interval import UNKNOWN, Figure
from sprout_like.reports.policies import PolicyLine
from sprout_like.reports.report import Quality
from sprout_like.reports.sections.span import within
from sprout_like.settings import Settings

__all__ = ["lower_bound", "read_quality"]


def read_quality(
    engine: Engine,
    settings: Settings,
    policies: Mapping[str, PolicyLine],
    *,
    since_utc: datetime | None,
    until_utc: datetime | None,
) -> tuple[Quality, ...]:
    """By model, catalogue, judge and directive; scales of judges differ, so that each stands for itself.

    Args:
        engine: of a ledger of this release.
        settings: the floor of models without a policy, and the confidence.
        policies: by model.
        since_utc: first moment of the verdicts.
        until_utc: the moment after the last.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    keys = (EvaluationRow.model, EvaluationRow.catalogue_version, EvaluationRow.judge, VerdictRow.directive)
    query = (
        select(*keys, *verdict_sums())
        .join(EvaluationRow, EvaluationRow.evaluation_id == VerdictRow.evaluation_id)
        .group_by(*keys)
        .order_by(*keys)
    )
    floor = settings.floor if settings.policy == "contextual" else None
    found = []
    with engine.connect() as connection:
        for row in connection.execute(within(query, VerdictRow.judged_utc, since_utc=since_utc, until_utc=until_utc)):
            model, catalogue_version, judge, directive, *sums = row
            judged = quality_of_sums(*sums)
            policy = policies.get(model)
            found.append(
                Quality(
                    model=model,
                    catalogue_version=catalogue_version,
                    judge=judge,
                    directive=directive,
                    verdicts_n=judged.n,
                    score=judged.mean,
                    full_score=judged.full_mean,
                    quality=_quality(judged, settings.confidence),
                    floor=floor if policy is None else policy.floor,
                    confidence=settings.confidence,
                    breaker=None if policy is None else policy.breaker,
                )
            )
    return tuple(found)


def lower_bound(judged: Judged, confidence: float) -> float | None:
    """Of mean score / mean score of `full`, one-sided; None for a single verdict or where `full` may score nothing.

    Fieller's: the largest share f of which the mean of score - f × full's score is still above 0 by Student's t
    (Fieller 1954, "Some problems in interval estimation", JRSS B 16). With k = t² / (n - 1) it is the smaller root of
    f² (F² - k var F) - 2 f (S F - k cov) + S² - k var S = 0.
    """
    from scipy.special import stdtrit

    if judged.n < 2:
        return None
    k = float(stdtrit(judged.n - 1, confidence)) ** 2 / (judged.n - 1)
    square = judged.full_mean**2 - k * judged.full_variance
    if square <= 0:
        return None
    middle = judged.mean * judged.full_mean - k * judged.covariance
    rest = judged.mean**2 - k * judged.variance
    return max(0.0, (middle - math.sqrt(max(0.0, middle * middle - square * rest))) / square)


def _quality(judged: Judged, confidence: float) -> Figure:
    if not judged.full_mean > 0:
        return UNKNOWN
    return Figure(judged.mean / judged.full_mean, lower_bound(judged, confidence), None)
