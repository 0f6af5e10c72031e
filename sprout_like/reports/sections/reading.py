"""What is read from the facts: sums by the dimensions asked for, by step of time, and by class of intensity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from json import loads
from typing import Any, Final, Literal

from sqlalchemy import BigInteger, ColumnElement, Connection, Subquery, cast, func, select

from sprout_like.reports.grouping import COLUMNS, TAG, TIMES
from sprout_like.reports.mean_intensity import with_hourly_intensity
from sprout_like.reports.sections.sums import Sums, columns

__all__ = ["FINE_G_PER_KWH", "Cell", "Group", "Step", "cells", "groups", "levels", "step_of", "utc_day"]

FINE_G_PER_KWH: Final = 10
"""Width of the classes of intensity that the database makes; those of a report are put together from them."""

LONGEST_BY_HOUR: Final = timedelta(days=8)
"""Spans up to this long are shown by the hour, longer ones by the day."""

Step = Literal["hour", "day"]

Group = tuple[tuple[str | None, ...], str, str | None, str | None]
"""Values of the dimensions, purpose, kind, factors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The requests of one step of time that are alike in what a report tells apart."""

    start_utc: datetime
    purpose: str
    directive: str
    zone: str
    kind: str | None
    factors: str | None
    energy_method: str
    meter: str
    pue: float
    sums: Sums


def cells(connection: Connection, facts: Subquery, step: Step) -> list[Cell]:
    """All of the span, in no order."""
    c = facts.c
    start = c.hour_utc if step == "hour" else utc_day(connection, c.hour_utc)
    keys = (start, c.purpose, c.directive, c.zone, c.kind, c.factors, c.energy_method, c.meter, c.pue)
    query = select(*keys, *columns(facts)).group_by(*keys)
    names = ("purpose", "directive", "zone", "kind", "factors", "energy_method", "meter", "pue")
    return [
        Cell(
            start_utc=_moment(row[0]),
            **dict(zip(names, row[1 : len(keys)], strict=True)),
            sums=Sums.of(row[len(keys) :], meter=row.meter, method=row.energy_method),
        )
        for row in connection.execute(query)
    ]


def groups(connection: Connection, facts: Subquery, by: Sequence[str]) -> dict[Group, Sums]:
    """The sums by the dimensions, purpose, kind and factors."""
    c = facts.c
    asked: dict[str, ColumnElement[Any]] = {}
    for name in by:
        key, column = _column(connection, facts, name)
        asked[key] = column
    keys = (*asked.values(), c.purpose, c.kind, c.factors, c.meter, c.energy_method)
    places = {key: place for place, key in enumerate(asked)}
    reads = [_reader(name, places) for name in by]
    found: defaultdict[Group, list[Sums]] = defaultdict(list)
    for row in connection.execute(select(*keys, *columns(facts)).group_by(*keys)):
        purpose, kind, factors, meter, method = row[len(asked) : len(keys)]
        sums = Sums.of(row[len(keys) :], meter=meter, method=method)
        found[tuple(read(row) for read in reads), purpose, kind, factors].append(sums)
    return {key: Sums.over(parts) for key, parts in found.items()}


def levels(connection: Connection, facts: Subquery) -> Iterator[tuple[str, str, str, int, int]]:
    """Kind, factors, directive, fine class of the hour's intensity, and how many requests of users these are."""
    c = with_hourly_intensity(facts, ("kind", "factors", "directive", "requests_n")).c
    place = c.hour_g_per_kwh / FINE_G_PER_KWH
    # SQLite cuts off what is behind the point, and need not have `floor`; PostgreSQL would round.
    level = cast(place if connection.dialect.name == "sqlite" else func.floor(place), BigInteger)
    keys = (c.kind, c.factors, c.directive, level)
    query = select(*keys, func.sum(c.requests_n)).where(c.hour_g_per_kwh.is_not(None)).group_by(*keys)
    for kind, factors, directive, place, requests in connection.execute(query):
        yield kind, factors, directive, int(place), int(requests)


def _column(connection: Connection, facts: Subquery, name: str) -> tuple[str, ColumnElement[Any]]:
    if name.startswith(TAG):
        return TAG, facts.c.tags
    if name in TIMES:
        # Weeks and months are put together from days, which every database names alike.
        hour = facts.c.hour_utc
        return ("hour", hour) if name == "hour" else ("day", utc_day(connection, hour))
    return name, facts.c[COLUMNS[name]]


def _reader(name: str, places: dict[str, int]) -> Callable[[Sequence[Any]], str | None]:
    if name.startswith(TAG):
        tag, place = name.removeprefix(TAG), places[TAG]
        return lambda row: loads(row[place]).get(tag)
    if name == "hour":
        place = places["hour"]
        return lambda row: f"{row[place]:%Y-%m-%dT%HZ}"
    place = places["day" if name in TIMES else name]
    match name:
        case "week":
            return lambda row: "{}-W{:02}".format(*date.fromisoformat(row[place]).isocalendar())
        case "month":
            return lambda row: str(row[place])[:7]
    return lambda row: None if row[place] is None else str(row[place])


def utc_day(connection: Connection, hour: Any) -> ColumnElement[Any]:
    """The UTC day of a stamp, as 2026-03-01."""
    if connection.dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", hour), "YYYY-MM-DD")
    return func.substr(hour, 1, 10)


def _moment(start: datetime | str) -> datetime:
    return start if isinstance(start, datetime) else datetime.fromisoformat(start).replace(tzinfo=UTC)


def step_of(first_utc: datetime | None, last_utc: datetime | None) -> Step:
    """Hours where a week or so is shown, else days."""
    if first_utc is None or last_utc is None or last_utc - first_utc <= LONGEST_BY_HOUR:
        return "hour"
    return "day"
