"""What reports are made of: sums of requests per UTC hour and group.

An hour that was added up since its requests last changed comes from `request_hours`; all others, and the parts of hours
in which a span begins or ends, come from the rows. Both give the same figures.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Engine, Select, Subquery, select, union_all

from sprout_like.ledger.rollups.live import SPANS_MOST, live, within
from sprout_like.ledger.rollups.spans import DAY, FIRST, LAST, Span, edges, gaps, hour_of, joined, whole_days
from sprout_like.ledger.schema import DayRow, GroupRow, HourRow, RequestRow, StaleDayRow, StaleHourRow

__all__ = ["DIMENSIONS", "MEASURES", "daily_facts", "facts"]

DIMENSIONS: Final = ("hour_utc", *(column.name for column in GroupRow.__table__.columns if not column.primary_key))
MEASURES: Final = tuple(column.name for column in HourRow.__table__.columns if not column.primary_key)


def facts(engine: Engine, *, since_utc: datetime | None = None, until_utc: datetime | None = None) -> Subquery:
    """One line per UTC hour and group of requests, to be selected from and grouped further; run it right away.

    Dimensions: hour_utc (start of the hour), purpose, call, status, model, family, variant, engine, task (the caller's,
    else the inferred one), tags (JSON text, keys in order), directive, policy, policy_version, catalogue_version,
    decision_group, drawn (its propensity is known), zone, kind and factors (of the best known grams), energy_method,
    meter, pue.

    Sums over the rows that know them, None where none does: requests_n, rows_n (rows of batches, one where a
    request does not know its batch), errors_n, prompt_tokens, new_tokens, duration_s, engine_s, overhead_s,
    energy_j, energy_known_n, gpu_j, cpu_j, dram_j, uncertainty_j, uncertainty_squares (Σ energy_uncertainty_j²),
    uncertainty_known_n, operational_g (best known), carbon_known_n, embodied_g, embodied_known_n,
    logged_operational_g, stale_n, settled_n, provisional_n, energy_squares (Σ energy_j²), carbon_squares (Σ
    operational_g²), energy_carbon (Σ energy_j × operational_g).

    Args:
        engine: a database with the ledger's schema. It is asked at once which hours have to be read from the rows.
        since_utc: first moment; None for all from the first.
        until_utc: the moment after the last; None for all to the last.
    """
    return _facts(engine, since_utc, until_utc, by_day=False)


def daily_facts(engine: Engine, *, since_utc: datetime | None = None, until_utc: datetime | None = None) -> Subquery:
    """The same for those who ask for no hours: where it can, a line stands for a whole UTC day.

    hour_utc is the start of that day then. The sums are those of `facts`, from far fewer lines.
    """
    return _facts(engine, since_utc, until_utc, by_day=True)


def _facts(engine: Engine, since_utc: datetime | None, until_utc: datetime | None, *, by_day: bool) -> Subquery:
    whole = Span(
        FIRST if since_utc is None else since_utc.astimezone(UTC),
        LAST if until_utc is None else until_utc.astimezone(UTC),
    )
    stale_hours, stale_days = _stale(engine, whole)
    from_rows = joined([*stale_hours, *edges(since_utc, until_utc)], most=SPANS_MOST)
    from_sums = gaps(from_rows, whole)
    parts = []
    if by_day:
        by_hour = joined(stale_days, most=SPANS_MOST, length=DAY)
        days = [part for span in from_sums if (whole_span := whole_days(span)) for part in gaps(by_hour, whole_span)]
        from_sums = [hours for span in from_sums for hours in gaps(days, span)]
        parts.append(_sums(DayRow, DayRow.day_utc).where(within(DayRow.day_utc, days)))
    parts.append(_sums(HourRow, HourRow.hour_utc).where(within(HourRow.hour_utc, from_sums)))
    if from_rows:
        begun = RequestRow.started_utc
        parts.append(live(engine.dialect.name).where(within(begun, from_rows), within(begun, [whole])))
    return union_all(*parts).subquery("facts")


def _stale(engine: Engine, whole: Span) -> tuple[list[datetime], list[datetime]]:
    """Hours and days of the span that sums do not hold for, as of one moment."""
    hour, day = StaleHourRow.hour_utc, StaleDayRow.day_utc
    hours, days = select(hour, hour == hour).distinct().where(hour < whole.end_utc), select(day, day != day)
    if whole.start_utc != FIRST:
        hours = hours.where(hour >= hour_of(whole.start_utc))
    with engine.connect() as connection:
        found = connection.execute(union_all(hours, days)).all()
    return [start for start, is_hour in found if is_hour], [start for start, is_hour in found if not is_hour]


def _sums(row: Any, start: Any) -> Select[*tuple[Any, ...]]:
    columns = [start.label("hour_utc"), *(getattr(GroupRow, name) for name in DIMENSIONS[1:])]
    columns += [getattr(row, name) for name in MEASURES]
    return select(*columns).join_from(row, GroupRow, row.group_ref == GroupRow.group_ref)
