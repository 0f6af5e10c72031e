"""Evaluations in the ledger."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.orm import Session

from directives.workload import Bin
from sprout_like.evaluating.evaluation import Evaluation, Verdict
from sprout_like.ledger.schema import EvaluationRow, PromptRow, VerdictRow

__all__ = ["last_evaluation_utc", "save_evaluation"]

_OF_EVALUATION = [f.name for f in fields(Evaluation) if f.name not in ("verdicts", "judged_prompts", "dropped")]
_OF_VERDICT = [f.name for f in fields(Verdict) if f.name != "bin"]
_OF_BIN = [f.name for f in fields(Bin)]


def save_evaluation(engine: Engine, evaluation: Evaluation) -> None:
    """Add an evaluation with its verdicts, and mark its prompts of the traffic as judged; all of it or nothing.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    row = EvaluationRow(
        **{name: getattr(evaluation, name) for name in _OF_EVALUATION}, dropped=dict(evaluation.dropped)
    )
    verdicts = [
        {
            "evaluation_id": evaluation.evaluation_id,
            "place": place,
            **{name: getattr(verdict, name) for name in _OF_VERDICT},
            **{f"bin_{name}": getattr(verdict.bin, name) for name in _OF_BIN},
        }
        for place, verdict in enumerate(evaluation.verdicts)
    ]
    with Session(engine) as session, session.begin():
        session.add(row)
        session.flush()
        if verdicts:
            session.execute(insert(VerdictRow), verdicts)
        for prompt_id in evaluation.judged_prompts:
            session.execute(
                update(PromptRow).where(PromptRow.prompt_id == prompt_id).values(judged_utc=evaluation.ended_utc)
            )


def last_evaluation_utc(engine: Engine, *, catalogue_version: str, model: str | None = None) -> datetime | None:
    """When the newest evaluation that gave a verdict ended; None where there is none.

    Args:
        engine: of the ledger's database.
        catalogue_version: under this catalogue alone, as directives may mean something else in another.
        model: of this model alone; None for any.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    newest = select(func.max(EvaluationRow.ended_utc)).where(
        EvaluationRow.verdicts_n > 0, EvaluationRow.catalogue_version == catalogue_version
    )
    if model is not None:
        newest = newest.where(EvaluationRow.model == model)
    with engine.connect() as connection:
        return connection.scalar(newest)
