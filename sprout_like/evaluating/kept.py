"""The table `prompts`: the opt-in sample of the traffic, whose rows are text and go when their time is up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, case, delete, func, select

from sprout_like.evaluating.prompt import Prompt, Served
from sprout_like.ledger.schema import PromptRow

__all__ = ["KeptCount", "count_kept", "forget", "kept_prompts", "kept_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCount:
    """What is kept of one task under one directive.

    Attributes:
        task: the tag; None for requests without one. directive: what was served.
        prompts_n: prompts kept. judged_n: those that were judged.
        first_taken_utc: when the oldest was taken. next_expiry_utc: when the first goes.
    """

    task: str | None
    directive: str
    prompts_n: int
    judged_n: int
    first_taken_utc: datetime
    next_expiry_utc: datetime


def kept_prompts(engine: Engine, now_utc: datetime, *, model: str, catalogue_version: str) -> list[Prompt]:
    """Those not yet judged and not expired, of the same model and catalogue, oldest first.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    waiting = (
        select(PromptRow.__table__)
        .where(PromptRow.judged_utc.is_(None), PromptRow.expires_utc > now_utc)
        .where(PromptRow.model == model, PromptRow.catalogue_version == catalogue_version)
        .order_by(PromptRow.taken_utc, PromptRow.prompt_id)
    )
    with engine.connect() as connection:
        return [
            Prompt(
                messages=row.messages,
                task=row.task,
                arguments=row.arguments,
                template=row.template,
                served=Served(
                    prompt_id=row.prompt_id, request_id=row.request_id, directive=row.directive, answer=row.answer
                ),
            )
            for row in connection.execute(waiting)
        ]


def count_kept(engine: Engine) -> list[KeptCount]:
    """What is kept, by task and directive.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    judged = func.sum(case((PromptRow.judged_utc.is_not(None), 1), else_=0))
    counts = (
        select(
            PromptRow.task,
            PromptRow.directive,
            func.count().label("prompts_n"),
            judged.label("judged_n"),
            func.min(PromptRow.taken_utc).label("first_taken_utc"),
            func.min(PromptRow.expires_utc).label("next_expiry_utc"),
        )
        .group_by(PromptRow.task, PromptRow.directive)
        .order_by(func.coalesce(PromptRow.task, ""), PromptRow.directive)
    )
    with engine.connect() as connection:
        return [KeptCount(**row._mapping) for row in connection.execute(counts)]  # noqa: SLF001 - its public name


def kept_rows(engine: Engine) -> Sequence[PromptRow]:
    """All of them with their text, oldest first.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    from sqlalchemy.orm import Session

    with Session(engine, expire_on_commit=False) as session:
        return session.scalars(select(PromptRow).order_by(PromptRow.taken_utc, PromptRow.prompt_id)).all()


def forget(engine: Engine, *, expired_utc: datetime | None = None) -> int:
    """Delete kept prompts, and say how many.

    Args:
        engine: of the ledger's database.
        expired_utc: those alone whose time was up by then; None for all.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    doomed = delete(PromptRow)
    if expired_utc is not None:
        doomed = doomed.where(PromptRow.expires_utc <= expired_utc)
    with engine.begin() as connection:
        return connection.execute(doomed).rowcount
