"""From a ledger's rows to the parts that become lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Engine, Select, String, case, func, select, type_coerce

from sprout_like.exports.codecarbon.lines import Part
from sprout_like.ledger.best_known import FACTORS, KIND, OPERATIONAL_G
from sprout_like.ledger.schema import RequestRow

__all__ = ["Per", "parts"]

Per = Literal["request", "session", "day"]

_AT_A_TIME: Final = 1000


def parts(
    engine: Engine, *, per: Per, since_utc: datetime | None, until_utc: datetime | None, known_only: bool = False
) -> Iterator[Part]:
    """Requests, or sums over those of a session or of a UTC day, in the order of time; fetched as they are asked for.

    Args:
        engine: of a ledger.
        per: what a part stands for.
        since_utc: the first moment.
        until_utc: the moment after the last.
        known_only: leave out requests of unknown energy or unknown grams.
    """
    wanted: list[ColumnElement[bool]] = []
    if since_utc is not None:
        wanted.append(RequestRow.started_utc >= since_utc)
    if until_utc is not None:
        wanted.append(RequestRow.started_utc < until_utc)
    if known_only:
        wanted += (RequestRow.energy_j.is_not(None), OPERATIONAL_G.is_not(None))
    run = _day(engine) if per == "day" else RequestRow.session_id
    query = _single(wanted) if per == "request" else _grouped(run, wanted)
    with (
        engine.connect().execution_options(yield_per=_AT_A_TIME) as connection,
        closing(connection.execute(query)) as found,
    ):
        for row in found:
            part = Part._make((*row, per == "request"))
            yield part._replace(ended_utc=part.ended_utc + timedelta(seconds=part.duration_s)) if part.alone else part


def _single(wanted: Iterable[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    query = select(
        RequestRow.request_id,
        RequestRow.started_utc,
        RequestRow.duration_s,
        RequestRow.zone,
        KIND,
        FACTORS,
        RequestRow.pue,
        *(energy_j * RequestRow.pue for energy_j in _energies()),
        OPERATIONAL_G,
    )
    return query.where(*wanted).order_by(RequestRow.started_utc, RequestRow.request_id)


def _grouped(run: Any, wanted: Iterable[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    query = select(
        run.label("run"),
        RequestRow.zone,
        KIND.label("kind"),
        FACTORS.label("factors"),
        # Sums of some requests that know a figure and some that do not would pass for the figure of all.
        RequestRow.energy_j.is_(None).label("no_energy"),
        OPERATIONAL_G.is_(None).label("no_carbon"),
        RequestRow.started_utc,
        RequestRow.duration_s,
        RequestRow.pue,
        *((energy_j * RequestRow.pue).label(energy_j.key) for energy_j in _energies()),
        OPERATIONAL_G.label("operational_g"),
    )
    of = query.where(*wanted).subquery().c
    same_pue = case((func.min(of.pue) == func.max(of.pue), func.min(of.pue)))
    sums = [_whole_sum(of[energy_j.key]) for energy_j in _energies()]
    keys = (of.run, of.zone, of.kind, of.factors, of.no_energy, of.no_carbon)
    return (
        select(
            of.run,
            func.max(of.started_utc),
            func.sum(of.duration_s),
            of.zone,
            of.kind,
            of.factors,
            same_pue,
            *sums,
            func.sum(of.operational_g),
        )
        .group_by(*keys)
        .order_by(func.min(of.started_utc), *(key.nulls_first() for key in keys))
    )


def _whole_sum(column: Any) -> Any:
    """The sum where every row knows it; a device's part may be unknown where the whole is not."""
    return case((func.count(column) == func.count(), func.sum(column)))


def _energies() -> tuple[Any, ...]:
    return (RequestRow.cpu_j, RequestRow.gpu_j, RequestRow.dram_j, RequestRow.energy_j)


def _day(engine: Engine) -> Any:
    if engine.dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", RequestRow.started_utc), "YYYY-MM-DD")
    return func.substr(type_coerce(RequestRow.started_utc, String), 1, 10)
