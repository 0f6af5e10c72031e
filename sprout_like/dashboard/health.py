"""Whether sources and meters work and rows come in, in the doctor's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import Engine, func, select

from sprout_like.dashboard.grid_now import GridNow
from sprout_like.doctor.finding import Finding, State
from sprout_like.doctor.meter import look_at_meter
from sprout_like.errors import MeterError, SettingError
from sprout_like.ledger.begun import first_and_last_utc
from sprout_like.ledger.rollups.facts import facts
from sprout_like.reports.figures import percent
from sprout_like.settings import Settings

__all__ = ["grid_findings", "ledger_findings", "machine_meters", "meter_findings"]

_MEANING: Final = {
    "measured": "measured",
    "apportioned": "shares of measured windows",
    "estimated": "estimated by a power model",
    "none": "unknown",
}


def grid_findings(now: GridNow) -> Iterator[Finding]:
    """Of the source, and of its forecast."""
    if now.source is None:
        yield Finding("grid", "fail", now.reason or "no source", "Correct SPROUT_GRID or SPROUT_ZONE")
        return
    name, reading = f"{now.source}, zone {now.zone}", now.reading
    if reading is None:
        yield Finding("grid", "fail", f"{name}: {now.reason or 'no reading'}; carbon is unknown", "sprout-like doctor")
        return
    found = f"{name}: {reading.g_per_kwh:g} g/kWh ({reading.kind}, {reading.factors}, {reading.status})"
    if reading.status == "static":
        yield Finding("grid", "warn", f"{found}, the same at every hour: no directive follows the grid")
    elif now.reason:
        yield Finding("grid", "warn", f"{found}; {now.reason}", "sprout-like doctor" if now.stale else None)
    else:
        yield Finding("grid", "ok", found)
    if not now.ahead:
        yield Finding("forecast", "warn", now.ahead_reason or "none of the reading's kind and factors")
    else:
        yield Finding("forecast", "ok", now.ahead_reason or f"to {now.ahead[-1].end_utc:%Y-%m-%d %H:%M} UTC")


def ledger_findings(engine: Engine, name: str) -> Iterator[Finding]:
    """When the last row came in."""
    with engine.connect() as connection:
        _, last_utc = first_and_last_utc(connection)
    if last_utc is None:
        yield Finding("ledger", "ok", f"{name}: no request so far")
    else:
        yield Finding("ledger", "ok", f"{name}: the last request came in at {last_utc:%Y-%m-%d %H:%M} UTC")


def meter_findings(engine: Engine, since_utc: object) -> Iterator[Finding]:
    """How the energy of the requests since then is known, by meter."""
    of = facts(engine, since_utc=since_utc).c  # type: ignore[arg-type]
    keys = (of.meter, of.energy_method)
    query = select(*keys, func.sum(of.requests_n)).where(of.purpose == "request").group_by(*keys).order_by(*keys)
    with engine.connect() as connection:
        rows = [(str(meter), str(method), int(count)) for meter, method, count in connection.execute(query)]
    for name in sorted({meter for meter, _, _ in rows}):
        counts = {method: count for meter, method, count in rows if meter == name}
        total = sum(counts.values())
        shares = ", ".join(f"{percent(n / total)} {_MEANING.get(method, method)}" for method, n in counts.items())
        state: State = "warn" if counts.keys() & {"none", "estimated"} else "ok"
        yield Finding("energy", state, f"{name}, requests of the last 24 h: {shares}")


def machine_meters(settings: Settings) -> Sequence[Finding]:
    """The meter that a request on this machine would have, which others of the ledger need not share."""
    try:
        found = list(look_at_meter(settings, passed_over=False))
    except (MeterError, SettingError) as exc:
        return [Finding("meter", "fail", str(exc), "Set SPROUT_METER=auto")]
    return [replace(finding, found=f"this machine: {finding.found}") for finding in found]
