"""What there is to learn from: whose requests, since when, and at which intensities."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select, true

from sprout_like.choosing.intensities import QUANTILES, quantiles
from sprout_like.errors import NothingToLearn
from sprout_like.ledger.begun import first_and_last_utc
from sprout_like.ledger.best_known import FACTORS, KIND
from sprout_like.ledger.schema import RequestRow

__all__ = ["Overview", "Scope", "overview", "since"]

DEFAULT_SPAN: Final = timedelta(days=30)
"""How far back rows are read where nobody says: longer ago, models, drivers and traffic were others."""

MANY: Final = 200_000
"""Requests from which a sample of them tells the intensities as well as all, in a fraction of the time."""

SAMPLED: Final = 16
"""One request in so many: those whose id, which is random but for its first 12 digits, ends in 0."""

LEAST_DAYS: Final = 1.0
"""From less than a day, no day's number of requests can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which rows are read.

    Attributes:
        model: of this model. catalogue_version: under this catalogue.
        since_utc: from this moment on; None for all, which the database then need not look for.
        recent_utc: since when a row counts for the mix.
        kind, factors: of the grams compared, as they must not be mixed; None where no intensity is known.
    """

    model: str
    catalogue_version: str
    since_utc: datetime | None
    recent_utc: datetime
    kind: str | None
    factors: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What there is.

    Attributes:
        scope: the rows to learn from.
        intensities_g_per_kwh: up to `QUANTILES` of the past, each standing for as many requests.
        other: calls left out as of another model or catalogue; where there are `MANY`, from a sample.
        since_utc, newest_utc: between these they came.
    """

    scope: Scope
    intensities_g_per_kwh: tuple[float, ...]
    other: int
    since_utc: datetime
    newest_utc: datetime

    def days(self) -> float | None:
        """Days of the requests that count for the mix; None where they are too few to know a day's requests from."""
        days = (self.newest_utc - max(self.scope.recent_utc, self.since_utc)) / timedelta(days=1)
        return days if days >= LEAST_DAYS else None


def overview(
    connection: Connection,
    *,
    catalogue_version: str,
    model: str | None,
    since_utc: datetime | None,
    recent: timedelta,
    many: int = MANY,
) -> Overview:
    """Find out what there is to learn from.

    Args:
        connection: to the ledger's database.
        catalogue_version: whose rows.
        model: whose rows; None for the only one there is.
        since_utc: from when; None for `DEFAULT_SPAN` before the newest request.
        recent: how long a row counts for the mix, back from the newest.
        many: requests in the ledger from which a sample is enough.

    Raises:
        NothingToLearn: there are no such requests, or those of several models.
    """
    oldest, newest = first_and_last_utc(connection)
    if oldest is None or newest is None:
        raise NothingToLearn("ledger: it holds no requests; serve some, or run `sprout-like calibrate` for a start")
    start = newest - DEFAULT_SPAN if since_utc is None else since_utc
    whole = oldest >= start
    some = select(RequestRow.request_id).limit(many).subquery()  # to count them all would take as long as to read them
    every = 1 if (connection.scalar(select(func.count()).select_from(some)) or 0) < many else SAMPLED
    rows = _counted(connection, None if whole else start, every)
    if every > 1 and not any(row[0] == (model or row[0]) and row[1] == catalogue_version for row in rows):
        every = 1  # so few that no sample has them
        rows = _counted(connection, None if whole else start, every)
    chosen = _model(rows, model, start)
    mine = [row for row in rows if row[:2] == (chosen, catalogue_version)]
    if not mine:
        raise NothingToLearn(
            f"ledger: no request of {chosen} since {start:%Y-%m-%d %H:%M} was served under the present catalogue; "
            "serve some, or name the catalogue they were served under in the setting `catalogue`"
        )
    provenance: Counter[tuple[str | None, str | None]] = Counter()
    for _, _, kind, factors, intensity, calls, _ in mine:
        if kind is not None and intensity is not None:
            provenance[kind, factors] += calls
    like = provenance.most_common(1)[0][0] if provenance else (None, None)
    return Overview(
        scope=Scope(
            model=chosen,
            catalogue_version=catalogue_version,
            since_utc=None if whole else start,
            recent_utc=max(start, newest - recent),
            kind=like[0],
            factors=like[1],
        ),
        intensities_g_per_kwh=_quantiles((row[4], float(row[6])) for row in mine if row[2:4] == like),
        other=every * sum(row[5] for row in rows if row[:2] != (chosen, catalogue_version)),
        since_utc=max(start, oldest),
        newest_utc=newest,
    )


def _counted(connection: Connection, start: datetime | None, every: int) -> list[tuple[Any, ...]]:
    """Requests by model, catalogue, kind, factors and intensity: how many calls and rows; of one request in `every`."""
    keys = (RequestRow.model, RequestRow.catalogue_version, KIND, FACTORS)
    counted = (
        select(*keys, RequestRow.intensity_g_per_kwh, func.count(), func.sum(func.coalesce(RequestRow.batch_size, 1)))
        .where(*since(start), RequestRow.purpose == "request", RequestRow.status == "ok")
        .where(true() if every == 1 else func.substr(RequestRow.request_id, 32) == "0")
        .group_by(RequestRow.intensity_g_per_kwh, *keys)  # numbers first: SQLite sorts, and they differ soonest
    )
    return [tuple(row) for row in connection.execute(counted)]


def since(moment: datetime | None) -> tuple[ColumnElement[bool], ...]:
    """Requests from then on; None for all, of which the database then need not look for the first."""
    return () if moment is None else (RequestRow.started_utc >= moment,)


def _model(rows: Iterable[tuple[Any, ...]], wanted: str | None, start: datetime) -> str:
    calls: defaultdict[str, int] = defaultdict(int)
    for name, *_, count, _ in rows:
        calls[name] += count
    if not calls:
        raise NothingToLearn(f"ledger: no request was answered since {start:%Y-%m-%d %H:%M}; give an earlier --since")
    names = ", ".join(sorted(calls))
    if wanted is None and len(calls) > 1:
        raise NothingToLearn(f"ledger: it holds requests of several models ({names}); choose one with --model")
    if wanted is not None and wanted not in calls:
        raise NothingToLearn(f"ledger: it holds no request of {wanted}; there are: {names}")
    return wanted or next(iter(calls))


def _quantiles(weighted: Iterable[tuple[float | None, float]]) -> tuple[float, ...]:
    """Values that each stand for as much weight, rising; as many as there is weight, `QUANTILES` at most."""
    known = [(value, weight) for value, weight in weighted if value is not None]
    return quantiles(known, min(QUANTILES, math.floor(math.fsum(weight for _, weight in known))))
