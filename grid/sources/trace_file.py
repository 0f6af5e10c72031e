"""Read a trace, a file of intensities over time, into a series; every bad cell is found here, at construction.

A file is CSV (`.csv`), CSV compressed by gzip (`.csv.gz`) or Parquet (`.parquet`), with these columns:

    time_utc            start of the slot: ISO 8601, or in Parquet a time stamp; one without an offset is UTC
    g_per_kwh           the figure, or `direct_g_per_kwh`, or `lifecycle_g_per_kwh`, or any column named by `column=`
    status              optional: actual, estimated, forecast or static
    estimated           optional, where there is no `status`: true means estimated, false means actual
    zone                optional: the same in every row

A figure that is empty, or null, is a gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import cast, get_args

from grid.clock import UtcNow, utc_now
from grid.errors import BadData, SourceSpecError, ZoneError
from grid.intensity import Factors, Intensity, Kind, Series, Status
from grid.sources.trace_csv import csv_table
from grid.sources.trace_parquet import parquet_table
from grid.sources.trace_rows import TraceRow, TraceTable
from grid.zones import check_known

__all__ = ["read_trace"]

_ESTIMATED: Mapping[str, Status] = {"true": "estimated", "false": "actual"}
_NAMED: Mapping[str, Factors] = {f"{word}_g_per_kwh": word for word in get_args(Factors)}


def read_trace(
    path: str | Path,
    *,
    zone: str | None = None,
    column: str | None = None,
    factors: Factors | None = None,
    kind: Kind = "average",
    status: Status = "actual",
    now_utc: UtcNow = utc_now,
) -> Series:
    """Read a trace file.

    A slot is as long as the smallest step between two stamps; a longer step is a gap, and stays one.

    Args:
        path: the file; which of the formats it has is told by its name.
        zone: the zone the figures are for; None where the file has a `zone` column.
        column: the column to read; None where there is only one to choose.
        factors: what the figures count, which also picks `direct_g_per_kwh` or `lifecycle_g_per_kwh`; where neither the
            column's name nor this says it, they are taken as `lifecycle`, as a static figure is.
        kind: `average` or `marginal`.
        status: of rows where the file does not say.
        now_utc: the clock that stamps when the file was read.

    Raises:
        SourceSpecError: the file cannot be read, or its columns leave open what to take.
        ZoneError: the file is for another zone than `zone`, or for several, or names an unknown one.
        BadData: a cell is not what its column says; the message has the file, the line and the cell.
    """
    path = Path(path)
    table = _table(path, column)
    rows = table.rows
    column, factors = _choice(path, table.header, column, factors)
    if len(rows) < 2:
        raise BadData(f"{path}: a trace needs two rows or more to tell how long a slot is, and this has {len(rows)}")
    zone = _zone(path, rows, zone)
    starts = [_stamp(row) for row in rows]
    steps = [after - before for before, after in pairwise(starts)]
    for row, step in zip(rows[1:], steps, strict=True):
        if step <= timedelta(0):
            raise row.bad("time_utc", "after the row before it")
    slot, read_at = min(steps), now_utc()
    readings = []
    for row, start in zip(rows, starts, strict=True):
        figure = _figure(row, column)
        if figure is None:
            continue
        try:
            reading = Intensity(
                zone=zone,
                start_utc=start,
                end_utc=start + slot,
                g_per_kwh=figure,
                kind=kind,
                factors=factors,
                status=_status(row, status),
                source=f"trace:{path.name}",
                fetched_at_utc=read_at,
            )
        except BadData as exc:
            raise BadData(f"{row.where}, column {column}: {exc}") from exc
        readings.append(reading)
    if not readings:
        raise BadData(f"{path}: column {column} holds no figure")
    return Series(readings)


def _table(path: Path, column: str | None) -> TraceTable:
    if path.suffix.lower() == ".parquet":
        figures = ["g_per_kwh", *_NAMED] if column is None else [column]
        table = parquet_table(path, {"time_utc", "status", "estimated", "zone", *figures})
    else:
        table = csv_table(path)
    if "time_utc" not in table.header:
        raise SourceSpecError(f"trace {path} has no column time_utc; its header is {_listed(table.header)}")
    return table


def _listed(header: Sequence[str]) -> str:
    return ", ".join(header) or "empty"


def _choice(path: Path, header: Sequence[str], column: str | None, factors: Factors | None) -> tuple[str, Factors]:
    if column is not None:
        wanted = [column]
    elif factors is not None:
        wanted = [f"{factors}_g_per_kwh", "g_per_kwh"]
    else:
        wanted = ["g_per_kwh", *_NAMED]
    present = [name for name in wanted if name in header]
    if not present:
        raise SourceSpecError(f"trace {path} has no column {' or '.join(wanted)}; its header is {_listed(header)}")
    if factors is None and len(present) > 1:
        pick = "pick one with column= or factors=, or by writing trace:FILE.csv?factors=direct"
        raise SourceSpecError(f"trace {path} has {' and '.join(present)}: {pick}")
    column = present[0]
    said = _NAMED.get(column)
    if factors is not None and said not in (None, factors):
        raise SourceSpecError(f"trace {path}: column {column} is {said}, and factors= asks for {factors}")
    return column, factors or said or "lifecycle"


def _zone(path: Path, rows: Sequence[TraceRow], zone: str | None) -> str:
    zones = {zone} if zone is not None else set()
    for row in rows:
        if "zone" in row.cells:
            if not isinstance(said := row.cells["zone"], str):
                raise row.bad("zone", "the name of a zone")
            zones.add(said)
    if not zones:
        raise SourceSpecError(f"trace {path} does not say which zone it is for: pass zone= or add a column zone")
    if len(zones) > 1:
        raise ZoneError(f"zone: trace {path} must be for one zone, and there are {', '.join(sorted(zones))}")
    check_known(only := zones.pop())
    return only


def _stamp(row: TraceRow) -> datetime:
    stamp = row.cells["time_utc"]
    if not isinstance(stamp, datetime):
        try:
            stamp = datetime.fromisoformat(cast("str", stamp))
        except (TypeError, ValueError) as exc:
            raise row.bad("time_utc", "an ISO 8601 time stamp") from exc
    if stamp.tzinfo is None:
        return stamp.replace(tzinfo=UTC)
    if stamp.utcoffset() != timedelta(0):
        raise row.bad("time_utc", "in UTC")
    return stamp


def _figure(row: TraceRow, column: str) -> float | None:
    figure = row.cells[column]
    if figure is None:
        return None
    if isinstance(figure, bool) or not isinstance(figure, str | int | float | Decimal):
        raise row.bad(column, "a figure in g/kWh")
    try:
        return float(figure)
    except ValueError as exc:
        raise row.bad(column, "a figure in g/kWh") from exc


def _status(row: TraceRow, default: Status) -> Status:
    if "status" in row.cells:
        if row.cells["status"] not in get_args(Status):
            raise row.bad("status", f"one of {', '.join(get_args(Status))}")
        return cast("Status", row.cells["status"])
    if "estimated" in row.cells:
        try:
            return _ESTIMATED[str(row.cells["estimated"]).lower()]
        except KeyError as exc:
            raise row.bad("estimated", "true or false") from exc
    return default
