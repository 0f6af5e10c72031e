"""What was served, read from the ledger: what is over stays in a book, and the last minutes are asked for anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, case, func, select

from sprout_like.dashboard.span import SPANS, Span
from sprout_like.dashboard.traffic import Served, merged
from sprout_like.ledger.best_known import FACTORS, KIND, OPERATIONAL_G
from sprout_like.ledger.rollups.facts import facts
from sprout_like.ledger.schema import RequestRow

__all__ = ["LATE", "Book", "read_book", "served"]

LATE: Final = timedelta(minutes=5)
"""Rows are written when a request ends and stamped when it began: so many minutes are always read anew."""

_HOUR: Final = SPANS["hour"]
_DAY: Final = SPANS["day"]
_MONTH: Final = SPANS["month"]


@dataclass(frozen=True, slots=True)
class Book:
    """The requests before a moment.

    Attributes:
        lines: by name of the span, added up by its buckets.
        until_utc: that moment, a whole minute.
    """

    lines: Mapping[str, Sequence[Served]]
    until_utc: datetime


def read_book(engine: Engine, now_utc: datetime) -> Book:
    """All but the last minutes. Reads the sums of a month."""
    until_utc = _HOUR.bucket_utc(now_utc - LATE)
    hour_utc = _DAY.bucket_utc(until_utc)
    hours = list(_by_hour(engine, _MONTH.since_utc(now_utc), hour_utc))
    minutes = list(_by_minute(engine, min(_HOUR.since_utc(now_utc), hour_utc), until_utc))
    since_hour = [line for line in minutes if line.at_utc >= hour_utc]
    return Book(
        {span.name: merged(minutes if span is _HOUR else [*hours, *since_hour], span) for span in SPANS.values()},
        until_utc,
    )


def served(book: Book, engine: Engine, span: Span, now_utc: datetime) -> tuple[list[Served], list[Served]]:
    """Lines of the span: those of the book, then of the last minutes, rows of a clock that is ahead included."""
    since_utc = span.since_utc(now_utc)
    past = [line for line in book.lines[span.name] if line.at_utc >= since_utc]
    return past, list(_by_minute(engine, book.until_utc))


def _by_hour(engine: Engine, since_utc: datetime, until_utc: datetime) -> Iterator[Served]:
    of = facts(engine, since_utc=since_utc, until_utc=until_utc).c
    keys = (of.hour_utc, of.purpose, of.directive, of.kind, of.factors, of.energy_method)
    sums = (
        of.requests_n,
        of.errors_n,
        of.new_tokens,
        of.energy_j,
        of.energy_known_n,
        of.uncertainty_j,
        of.uncertainty_known_n,
        of.operational_g,
        of.carbon_known_n,
    )
    query = select(*keys, *(func.sum(figure) for figure in sums)).group_by(*keys)
    with engine.connect() as connection:
        for hour_utc, *rest in connection.execute(query):
            yield Served(hour_utc, *rest)


def _by_minute(engine: Engine, since_utc: datetime, until_utc: datetime | None = None) -> Iterator[Served]:
    keys = (_minute(engine), RequestRow.purpose, RequestRow.directive, KIND, FACTORS, RequestRow.energy_method)
    query = (
        select(
            *keys,
            func.count(),
            func.sum(case((RequestRow.status == "error", 1), else_=0)),
            func.sum(RequestRow.new_tokens),
            func.sum(RequestRow.energy_j),
            func.count(RequestRow.energy_j),
            func.sum(RequestRow.energy_uncertainty_j),
            func.count(RequestRow.energy_uncertainty_j),
            func.sum(OPERATIONAL_G),
            func.count(OPERATIONAL_G),
        )
        .where(RequestRow.started_utc >= since_utc)
        .group_by(*keys)
    )
    if until_utc is not None:
        query = query.where(RequestRow.started_utc < until_utc)
    with engine.connect() as connection:
        for minute, *rest in connection.execute(query):
            yield Served(datetime.fromisoformat(minute).replace(tzinfo=UTC), *rest)


def _minute(engine: Engine) -> ColumnElement[Any]:
    """As text, `2026-03-01 18:30`."""
    if engine.dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", RequestRow.started_utc), "YYYY-MM-DD HH24:MI")
    return func.substr(RequestRow.started_utc, 1, 16)
