"""Verdicts on answers that requests had got: the quality that was really served, with the propensity of each."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, RowMapping, select

from directives import FULL, Observation
from directives.off_policy import Context, Logged
from directives.workload import bin_of
from sprout_like.ledger.schema import EvaluationRow, RequestRow, VerdictRow
from sprout_like.tuning.overview import Scope, since

__all__ = ["live_verdicts", "of_newest_judge"]


def of_newest_judge(model: str, catalogue_version: str) -> tuple[ColumnElement[bool], ...]:
    """Evaluations by the judge that judged last: scales of judges differ."""
    mine = (EvaluationRow.model == model, EvaluationRow.catalogue_version == catalogue_version)
    newest = select(EvaluationRow.judge).where(*mine, EvaluationRow.verdicts_n > 0)
    judge = newest.order_by(EvaluationRow.ended_utc.desc()).limit(1).scalar_subquery()
    return (*mine, EvaluationRow.judge == judge)


def live_verdicts(connection: Connection, scope: Scope) -> list[Logged]:
    """One group per verdict on an answer that was drawn with a known propensity.

    The cost is the answer's score and the size `full`'s, so that their self-normalised estimate is the quality, as a
    share of `full`'s, of what a policy serves in place of `full`.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    query = (
        select(
            RequestRow.task,
            RequestRow.inferred_task,
            RequestRow.prompt_tokens,
            RequestRow.caller_limit_tokens,
            RequestRow.batch_size,
            RequestRow.intensity_g_per_kwh,
            RequestRow.candidates,
            RequestRow.directive,
            RequestRow.propensity,
            VerdictRow.score,
            VerdictRow.full_score,
        )
        .join(VerdictRow, VerdictRow.request_id == RequestRow.request_id)
        .join(EvaluationRow, EvaluationRow.evaluation_id == VerdictRow.evaluation_id)
        .where(
            *since(scope.since_utc),
            *of_newest_judge(scope.model, scope.catalogue_version),
            RequestRow.propensity.is_not(None),
            RequestRow.directive != FULL.name,
        )
    )
    return [_logged(row) for row in connection.execute(query).mappings()]


def _logged(row: RowMapping) -> Logged:
    propensity, score = row["propensity"], row["score"]
    observation = Observation(
        task=row["task"] or row["inferred_task"],
        prompt_tokens=row["prompt_tokens"],
        limit_tokens=row["caller_limit_tokens"],
        batch_size=row["batch_size"],
    )
    return Logged(
        context=Context(
            bin=bin_of(observation),
            intensity_g_per_kwh=row["intensity_g_per_kwh"],
            candidates=tuple(row["candidates"].split(",")),
        ),
        directive=row["directive"],
        size=row["full_score"],
        n=1,
        inverse=1 / propensity,
        inverse_squares=1 / propensity**2,
        cost=score / propensity,
        cost_twice=score / propensity**2,
        cost_squares=(score / propensity) ** 2,
    )
