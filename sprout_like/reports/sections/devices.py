"""The devices' counters beside what was booked, from the closed account periods of the span, added up by the database.

What `ledger check` proves row by row is only shown here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Select, case, func, or_, select

from sprout_like.ledger.schema import AccountRow
from sprout_like.reports.report import Device
from sprout_like.reports.sections.span import within
from sprout_like.reports.sections.sums import ratio, size

__all__ = ["read_devices"]

_PARTS: Final = ("requests_j", "elsewhere_j", "overhead_j", "idle_j")
_SUMS: Final = ("counter_j", *_PARTS)
_NAMES: Final = ("device_name", "component", "method", "meter")
_KEY: Final = (AccountRow.host, AccountRow.device_id)

_ROUNDING: Final = 1e-9
"""Share of a counter below which a gap comes of the order in which a database adds up: it would tell ledgers of the
same rows apart."""

_Key = tuple[str | None, str]


def read_devices(engine: Engine, *, since_utc: datetime | None, until_utc: datetime | None) -> tuple[Device, ...]:
    """By device, those with the largest counter first; a period counts where it begins.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    hours: defaultdict[_Key, list[Mapping[str, Any]]] = defaultdict(list)
    with engine.connect() as connection:
        query = within(_hours(connection), AccountRow.started_utc, since_utc=since_utc, until_utc=until_utc)
        for row in connection.execute(query).mappings():
            hours[row["host"], row["device_id"]].append({str(name): value for name, value in row.items()})
        of_host = _host_counters(connection, since_utc, until_utc) if hours else {}
    found = [_device(key, rows, of_host.get(key)) for key, rows in hours.items()]
    return tuple(sorted(found, key=lambda device: (-size(device.counter_j), device.host or "", device.device_id)))


def _hours(connection: Connection) -> Select[*tuple[Any, ...]]:
    """Sums per host, device and hour."""
    hour = _hour(connection).label("hour")
    names = [func.max(getattr(AccountRow, name)).label(name) for name in _NAMES]
    sums = [func.sum(getattr(AccountRow, name)).label(name) for name in _SUMS]
    return select(*_KEY, hour, func.count().label("accounts"), *names, *sums).group_by(*_KEY, "hour")


def _host_counters(connection: Connection, since_utc: datetime | None, until_utc: datetime | None) -> dict[_Key, float]:
    """How far the counters have come that all processes of a host read, in J, each stretch counted once."""
    start_j, end_j = AccountRow.host_from_j, AccountRow.host_to_j
    before_j = func.max(end_j).over(
        partition_by=(*_KEY, AccountRow.host_counter_id), order_by=(start_j, end_j), rows=(None, -1)
    )
    new_j = case((or_(before_j.is_(None), before_j <= start_j), end_j - start_j), (before_j < end_j, end_j - before_j))
    stretches = within(
        select(*_KEY, new_j.label("new_j")).where(AccountRow.host_counter_id.is_not(None)),
        AccountRow.started_utc,
        since_utc=since_utc,
        until_utc=until_utc,
    ).subquery()
    key = (stretches.c.host, stretches.c.device_id)
    rows = connection.execute(select(*key, func.sum(stretches.c.new_j)).group_by(*key))
    return {(host, device_id): total_j for host, device_id, total_j in rows if total_j is not None}


def _hour(connection: Connection) -> ColumnElement[Any]:
    if connection.dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", AccountRow.started_utc), "YYYY-MM-DD HH24")
    return func.substr(AccountRow.started_utc, 1, 13)


def _device(key: _Key, hours: Iterable[Mapping[str, Any]], host_counter_j: float | None) -> Device:
    of = sorted(hours, key=lambda hour: str(hour["hour"]))
    sums = {name: math.fsum(hour[name] for hour in of) for name in _SUMS}
    gap_j = _gap_j(sums)
    shares = [(abs(share), str(hour["hour"]), share) for hour in of if (share := _gap_share(hour)) is not None]
    worst = max(shares, default=None)
    named = of[-1]
    return Device(
        device_id=key[1],
        host=key[0],
        device_name=named["device_name"],
        component=named["component"],
        method=named["method"],
        meter=named["meter"],
        accounts=sum(int(hour["accounts"]) for hour in of),
        **sums,
        host_counter_j=host_counter_j,
        gap_j=gap_j,
        gap_share=ratio(gap_j, sums["counter_j"]),
        worst_hour_utc=None if worst is None else datetime.strptime(worst[1], "%Y-%m-%d %H").replace(tzinfo=UTC),
        worst_hour_share=None if worst is None else worst[2],
    )


def _gap_share(hour: Mapping[str, Any]) -> float | None:
    return ratio(_gap_j(hour), hour["counter_j"])


def _gap_j(sums: Mapping[str, Any]) -> float:
    gap_j = math.fsum((*(sums[name] for name in _PARTS), -sums["counter_j"]))
    return 0.0 if abs(gap_j) <= _ROUNDING * abs(sums["counter_j"]) else gap_j
