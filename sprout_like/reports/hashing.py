"""Hashes of the rows that a report is made from: a count and a SHA-256 for each table and UTC day.

A row is hashed as a JSON list of its columns in order: floats to the last bit, stamps as `2026-03-01 18:30:00.000000`
in UTC, truth as 0 and 1, what is JSON itself as the text that was written. It is thus the same on every database, and
the same after a move from one to another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    Select,
    String,
    Text,
    cast,
    func,
    inspect,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import DeclarativeBase

from sprout_like.ledger.columns import UtcStamp
from sprout_like.ledger.schema import (
    AccountRow,
    EvaluationRow,
    IntensityRow,
    JobRow,
    JobRunRow,
    PolicyRow,
    RequestRow,
    VerdictRow,
)

__all__ = ["DayHash", "Hashes", "hash_rows", "hashed_columns"]

_PAGE: Final = 5000

# What changes without a change of what a report says of the time before: texts wiped, answers delivered, who is active.
_PASSING: Final = frozenset(
    {"jobs.forgotten_utc", "jobs.delivered_utc", "jobs.out", "policies.state", "policies.reason", "policies.evidence"}
)

# Put together by the view, where each database writes the same numbers in its own way.
_WORDED: Final = frozenset({"energy_by_device_j"})


@dataclass(frozen=True, slots=True)
class _Table:
    """A table that reports read.

    Attributes:
        row: its class. stamp: column that says which day a row belongs to.
        earlier: whether rows from before the span count too.
    """

    row: type[DeclarativeBase]
    stamp: str
    earlier: bool = False


TABLES: Final[Mapping[str, _Table]] = {
    "requests": _Table(RequestRow, "started_utc"),
    "energy_accounts": _Table(AccountRow, "started_utc"),
    "evaluations": _Table(EvaluationRow, "started_utc"),
    "verdicts": _Table(VerdictRow, "judged_utc"),
    "intensities": _Table(IntensityRow, "start_utc"),
    "policies": _Table(PolicyRow, "activated_utc", earlier=True),
    "jobs": _Table(JobRow, "submitted_utc", earlier=True),
    "job_runs": _Table(JobRunRow, "started_utc", earlier=True),
}
"""Those a report is made from."""


@dataclass(frozen=True, slots=True)
class DayHash:
    """The rows of one table and day.

    Attributes:
        rows: how many. sha256: over all of them, in order of their keys.
    """

    rows: int
    sha256: str


Hashes = Mapping[str, Mapping[str, DayHash]]
"""By table and by day, as 2026-03-01."""


def hash_rows(
    engine: Engine,
    *,
    since_utc: datetime | None,
    until_utc: datetime | None,
    columns: Mapping[str, Sequence[str]] | None = None,
) -> Hashes:
    """Of the rows that a report of the span is made from.

    They are read one by one, and none is kept.

    Args:
        engine: a database with the ledger's schema.
        since_utc: first moment.
        until_utc: the moment after the last.
        columns: by table, those to be hashed, other tables left out; None for all that there are. Rows of a ledger
            that has got further columns since then still have the hashes that they had.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    with engine.connect().execution_options(yield_per=_PAGE) as connection:
        return {
            name: dict(_days(connection, _query(connection, name, since_utc, until_utc, columns)))
            for name in TABLES
            if columns is None or name in columns
        }


def hashed_columns() -> dict[str, list[str]]:
    """By table, the columns that are hashed."""
    return {
        name: [
            column.name for column in inspect(table.row).local_table.columns if f"{name}.{column.name}" not in _PASSING
        ]
        for name, table in TABLES.items()
    }


def _query(
    connection: Connection,
    name: str,
    since_utc: datetime | None,
    until_utc: datetime | None,
    columns: Mapping[str, Sequence[str]] | None,
) -> Select[*tuple[Any, ...]]:
    """The stamp and the columns of each row, as they are hashed."""
    table = TABLES[name]
    of = inspect(table.row).local_table.c
    stamp = of[table.stamp]
    chosen = [_plain(of[column], connection) for column in (columns or hashed_columns())[name]]
    query = select(_plain(stamp, connection), *chosen).where(stamp.is_not(None))
    if until_utc is not None:
        query = query.where(stamp < until_utc)
    if since_utc is not None and not table.earlier:
        query = query.where(stamp >= since_utc)
    if since_utc is not None and name == "jobs":
        query = query.where(or_(of.finished_utc.is_(None), of.finished_utc >= since_utc))
    if since_utc is not None and name == "job_runs":
        query = query.where(of.ended_utc >= since_utc)
    return query.order_by(stamp, *inspect(table.row).primary_key)


def _plain(column: ColumnElement[Any], connection: Connection) -> ColumnElement[Any]:
    """As a number or a text; Python need not make anything of it, which is most of the time that hashing takes."""
    match column.type, connection.dialect.name:
        case ((UtcStamp() | JSON()), "sqlite"):
            return type_coerce(column, String)
        case UtcStamp(), _:
            return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24:MI:SS.US")
        case JSON(), _:
            return cast(column, Text)
        case Boolean(), "sqlite":
            return type_coerce(column, Integer)
        case Boolean(), _:
            return cast(column, Integer)
    return column


def _days(connection: Connection, query: Select[*tuple[Any, ...]]) -> Iterator[tuple[str, DayHash]]:
    encode = json.JSONEncoder(separators=(",", ":")).encode
    found = connection.execute(query)
    worded = [place for place, name in enumerate(found.keys()) if name in _WORDED]
    for day, rows in groupby(found, key=lambda row: row[0][:10]):
        digest, count = sha256(), 0
        for row in rows:
            values = list(row)
            for place in worded:
                values[place] = json.loads(values[place], parse_int=float)
            digest.update(encode(values[1:]).encode())
            count += 1
        yield day, DayHash(count, digest.hexdigest())
