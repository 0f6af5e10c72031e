"""Sums over the ledger, made by the database: what was used and emitted, what is unknown, what was saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import ColumnElement, Engine, Select, and_, case, func, select

from sprout_like.ledger.best_known import FACTORS, KIND, OPERATIONAL_G, PROVISIONAL, SETTLED
from sprout_like.ledger.schema import AccountRow, EvaluationRow, RequestRow
from sprout_like.reports.grouping import GroupBy
from sprout_like.reports.judging import Judging, bearers, judge_costs, judging_of, runs_costs
from sprout_like.reports.policies import PolicyLine
from sprout_like.reports.saving import MeasuredSaving, moments, savings

__all__ = ["Line", "Overheads", "Summary", "summarise"]


@dataclass(frozen=True, slots=True)
class Line:
    """The requests of one group that share purpose, kind and factors: grams of different kinds are never added up.

    Attributes:
        group: the group's value; None where the rows have none.
        purpose: as in the rows.
        intensity_kind, intensity_factors: of the grams; None where the intensity was unknown.
        requests: rows. errors: rows whose generation raised.
        new_tokens: generated tokens of the rows that know them.
        energy_j: sum over the rows that know it; None where none does. energy_unknown: rows that do not.
        uncertainty_j: half-width of `energy_j`; errors of one meter do not cancel, so they are added up.
        operational_g, embodied_g: likewise; the settled figure where there is one. carbon_unknown: rows without
            operational emissions.
        stale: rows whose intensity was held beyond its span and is not settled.
        settled: rows whose intensity was replaced by what was published afterwards.
        provisional: rows with emissions that do not rest on a published actual yet.
    """

    group: str | None
    purpose: str
    intensity_kind: str | None
    intensity_factors: str | None
    requests: int
    errors: int
    new_tokens: int | None
    energy_j: float | None
    energy_unknown: int
    uncertainty_j: float | None
    operational_g: float | None
    embodied_g: float | None
    carbon_unknown: int
    stale: int
    settled: int
    provisional: int


@dataclass(frozen=True, slots=True)
class Overheads:
    """Energy of no request, from the closed accounts of the span, in J; None where there is no account.

    Attributes:
        overhead_j: loading, warm-up, compilation. idle_j: between requests.
    """

    overhead_j: float | None
    idle_j: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A report's content.

    Attributes:
        by: what the lines are grouped by.
        since_utc, until_utc: the span asked for; None leaves an end open.
        first_utc, last_utc: the first and last row in it; None where there is none.
        lines: the groups: requests before baselines and evaluations; days in order of time, else largest energy first.
        overheads: energy of no request.
        savings: measured against control groups; empty where there is no control group of two or more.
        judging: what evaluations cost, by model and catalogue, which the savings bear; empty where there was none.
        policies: the contextual policies as they are now; empty where none was asked for.
    """

    by: GroupBy
    since_utc: datetime | None
    until_utc: datetime | None
    first_utc: datetime | None
    last_utc: datetime | None
    lines: Sequence[Line]
    overheads: Overheads
    savings: Sequence[MeasuredSaving]
    judging: Sequence[Judging]
    policies: Sequence[PolicyLine] = ()


def summarise(
    engine: Engine, *, by: GroupBy = "directive", since_utc: datetime | None = None, until_utc: datetime | None = None
) -> Summary:
    """Read the ledger.

    Args:
        engine: a database with the ledger's schema.
        by: column to group by; `day` is the UTC day.
        since_utc: first moment.
        until_utc: the moment after the last.

    Raises:
        ValueError: `by` is not a known grouping.
    """
    if by not in get_args(GroupBy):
        raise ValueError(f"cannot group by {by!r}; use one of {', '.join(get_args(GroupBy))}")
    span = _Span(since_utc, until_utc)
    with engine.connect() as connection:
        first, last = connection.execute(
            span.of(select(func.min(RequestRow.started_utc), func.max(RequestRow.started_utc)), RequestRow.started_utc)
        ).one()
        lines = [Line(*row) for row in connection.execute(span.of(_lines(engine, by), RequestRow.started_utc))]
        accounts = select(func.sum(AccountRow.overhead_j), func.sum(AccountRow.idle_j))
        overheads = Overheads(*connection.execute(span.of(accounts, AccountRow.started_utc)).one())
        runs = connection.execute(span.of(runs_costs(), RequestRow.started_utc)).all()
        judges = connection.execute(span.of(judge_costs(), EvaluationRow.started_utc)).all()
        judged = {model for model, *_ in (*runs, *judges)}
        drawn = connection.execute(span.of(moments(), RequestRow.started_utc)).all()
        # After the others: whoever came in the meantime bears a part, and nobody of `drawn` is missing.
        judging = judging_of(runs, judges, connection.execute(span.of(bearers(judged), RequestRow.started_utc)))
        compared = savings(drawn, judging)
    lines.sort(key=lambda line: _order(line, by_time=by == "day"))
    return Summary(by, since_utc, until_utc, first, last, lines, overheads, compared, judging)


def _order(line: Line, *, by_time: bool) -> tuple[Any, ...]:
    """Total, so that a report of the same rows is the same on every database."""
    size = 0.0 if by_time else -(line.energy_j or 0.0)
    rest = (line.purpose, line.group or "", line.intensity_kind or "", line.intensity_factors or "")
    return (line.purpose != "request", size, *rest)


@dataclass(frozen=True, slots=True)
class _Span:
    since_utc: datetime | None
    until_utc: datetime | None

    def of(self, query: Select[*tuple[Any, ...]], column: Any) -> Select[*tuple[Any, ...]]:
        if self.since_utc is not None:
            query = query.where(column >= self.since_utc)
        return query if self.until_utc is None else query.where(column < self.until_utc)


def _lines(engine: Engine, by: GroupBy) -> Select[*tuple[Any, ...]]:
    group = _utc_day(engine) if by == "day" else getattr(RequestRow, by)
    keys = (group, RequestRow.purpose, KIND, FACTORS)
    return select(
        *keys,
        func.count(),
        _count(RequestRow.status == "error"),
        func.sum(RequestRow.new_tokens),
        func.sum(RequestRow.energy_j),
        _count(RequestRow.energy_j.is_(None)),
        func.sum(RequestRow.energy_uncertainty_j),
        func.sum(OPERATIONAL_G),
        func.sum(RequestRow.embodied_g),
        _count(OPERATIONAL_G.is_(None)),
        _count(and_(RequestRow.intensity_stale.is_(True), ~SETTLED)),
        _count(SETTLED),
        _count(PROVISIONAL),
    ).group_by(*keys)


def _utc_day(engine: Engine) -> ColumnElement[Any]:
    if engine.dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", RequestRow.started_utc), "YYYY-MM-DD")
    return func.substr(RequestRow.started_utc, 1, 10)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
