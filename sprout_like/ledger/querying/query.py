"""What can be asked of a ledger: rows of requests, of accounts and of intensities, and sums over requests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Select, String, func, select, type_coerce
from sqlalchemy.orm import DeclarativeBase

from sprout_like.ledger.best_known import FACTORS, KIND, OPERATIONAL_G
from sprout_like.ledger.open import open_engine
from sprout_like.ledger.querying.conditions import TAG, Columns, check_name, conditions, moment, span
from sprout_like.ledger.querying.selection import Selection
from sprout_like.ledger.schema import AccountRow, IntensityRow, RequestRow

__all__ = ["Moment", "Query", "query"]

Moment = datetime | date | str
"""A `datetime` with a time zone, a date, or either as ISO text; without an offset in the text it is UTC."""

_BEST_KNOWN: Final = {"best_operational_g": OPERATIONAL_G, "best_kind": KIND, "best_factors": FACTORS}
_GRAMS: Final = frozenset({"operational_g", "logged_operational_g", "carbon_squares", "energy_carbon"})
_PERIODS: Final = {"day": "YYYY-MM-DD", "month": "YYYY-MM"}


class Query:
    """A ledger to be asked. It writes nothing, and holds nothing open between questions.

    Args:
        engine: from `sprout_like.ledger.open_engine`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        engine.dispose()

    def requests(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        where: Mapping[str, object] | None = None,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> Selection:
        """Rows of requests, in the order of time.

        Args:
            since: the first moment.
            until: the moment after the last.
            where: wanted value by column; a list for any of several, None for unknown. `tag:team` is the tag `team`.
            columns: names of the columns; None for all that are stored. Others are `tag:…`, and `best_operational_g`
                with `best_kind` and `best_factors`: the settled figure where there is one, else the logged one.
            limit: most rows.

        Raises:
            SettingError: there is no such column, or a moment has no time zone.
        """
        stored = _columns_of(RequestRow)
        known = Columns(stored | _BEST_KNOWN, tags=RequestRow.tags, dialect=self._engine.dialect.name)
        keys = (RequestRow.started_utc, RequestRow.request_id)
        return self._selection(known, stored if columns is None else columns, where, since, until, keys, limit)

    def accounts(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        where: Mapping[str, object] | None = None,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> Selection:
        """Energy accounts: what each device drew per period and where it went. As `requests`, by `started_utc`."""
        keys = (AccountRow.started_utc, AccountRow.account_id, AccountRow.device_id)
        return self._selection(Columns(_columns_of(AccountRow)), columns, where, since, until, keys, limit)

    def intensities(
        self,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        where: Mapping[str, object] | None = None,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> Selection:
        """What sources said of each slot. As `requests`, by `start_utc`."""
        keys = (IntensityRow.start_utc, IntensityRow.zone, IntensityRow.source, IntensityRow.status)
        return self._selection(Columns(_columns_of(IntensityRow)), columns, where, since, until, keys, limit)

    def sums(
        self,
        by: Sequence[str] = (),
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        where: Mapping[str, object] | None = None,
        measures: Sequence[str] | None = None,
    ) -> Selection:
        """Sums over requests, from the rolled-up hours where these are at hand: quick on any number of rows.

        Grams of different kinds or factors are never added up: where a measure is of them, `kind` and `factors` are
        among the columns whether asked for or not. A sum is over the requests that know the figure, and None where none
        does; `energy_known_n` of `requests_n` know their energy, `carbon_known_n` their emissions.

        Args:
            by: what a row stands for: dimensions of `sprout_like.ledger.rollups.facts`, `day`, `month`, `tag:…`.
            since: the first moment.
            until: the moment after the last.
            where: as in `requests`, by the same names as `by`.
            measures: names of the sums; None for all.

        Raises:
            SettingError: there is no such dimension or measure, or a moment has no time zone.
        """
        from sprout_like.ledger.rollups.facts import DIMENSIONS, MEASURES

        wanted = list(MEASURES if measures is None else dict.fromkeys(measures))
        keys = [by] if isinstance(by, str) else list(dict.fromkeys(by))
        if _GRAMS.intersection(wanted):
            keys += [name for name in ("kind", "factors") if name not in keys]
        where, dimensions = dict(where or {}), (*DIMENSIONS, *_PERIODS)
        for names, known, argument in ((keys, dimensions, "by"), (where, dimensions, "where")):
            for name in names:
                if not name.startswith(TAG):
                    check_name(name, known, argument)
        for name in wanted:
            check_name(name, MEASURES, "measures")
        span_utc = {"since_utc": moment(since, "since"), "until_utc": moment(until, "until")}
        return Selection(self._engine, lambda: self._sums(keys, wanted, where, span_utc))

    def _sums(
        self,
        keys: Sequence[str],
        measures: Sequence[str],
        where: Mapping[str, object],
        span_utc: Mapping[str, datetime | None],
    ) -> Select[*tuple[Any, ...]]:
        from sprout_like.ledger.rollups.facts import facts

        found, dialect = facts(self._engine, **span_utc), self._engine.dialect.name
        periods = {name: _period(found.c.hour_utc, name, dialect) for name in _PERIODS}
        known = Columns({**found.c, **periods}, tags=found.c.tags, dialect=dialect)
        chosen = (
            select(*(known.get(name, "by").label(name) for name in keys), *(found.c[name] for name in measures))
            .select_from(found)
            .where(*conditions(known, where))
            .subquery()
        )
        groups = [chosen.c[name] for name in keys]
        return (
            select(*groups, *(func.sum(chosen.c[name]).label(name) for name in measures))
            .group_by(*groups)
            .order_by(*(group.nulls_first() for group in groups))  # the databases differ where nobody says
        )

    def _selection(
        self,
        known: Columns,
        columns: Iterable[str] | None,
        where: Mapping[str, object] | None,
        since: Moment | None,
        until: Moment | None,
        keys: Sequence[Any],
        limit: int | None,
    ) -> Selection:
        names = dict.fromkeys(known if columns is None else columns)
        statement = (
            select(*(known.get(name, "columns").label(name) for name in names))
            .select_from(keys[0].class_)
            .where(*conditions(known, where), *span(keys[0], moment(since, "since"), moment(until, "until")))
            .order_by(*keys)
            .limit(limit)
        )
        return Selection(self._engine, lambda: statement)


def query(spec: str | os.PathLike[str] | None = None) -> Query:
    """A ledger to be asked, its schema brought up to this release.

        query("ledger.sqlite").requests(since="2026-03-01", where={"directive": "brief"}).frame()

    Args:
        spec: its path or URL; None for the one that the settings name.

    Raises:
        SettingError: there is no such ledger.
        LedgerError: it cannot be read.
    """
    if spec is None:
        from sprout_like.settings import Settings

        spec = Settings.load().ledger_spec
    return Query(open_engine(spec))


def _columns_of(row: type[DeclarativeBase]) -> dict[str, Any]:
    return {attribute.key: getattr(row, attribute.key) for attribute in row.__mapper__.column_attrs}


def _period(hour_utc: ColumnElement[Any], name: str, dialect: str) -> ColumnElement[Any]:
    """The day or month as ISO text; on SQLite a stamp is one already."""
    if dialect == "postgresql":
        return func.to_char(func.timezone("UTC", hour_utc), _PERIODS[name])
    return func.substr(type_coerce(hour_utc, String), 1, len(_PERIODS[name]))
