"""The sums of requests per hour and group, read from the rows themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    Select,
    String,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)

from sprout_like.ledger.best_known import FACTORS, KIND, OPERATIONAL_G, PROVISIONAL, SETTLED
from sprout_like.ledger.columns import UtcStamp
from sprout_like.ledger.rollups.spans import FIRST, LAST, Span
from sprout_like.ledger.schema import RequestRow
from sprout_like.ledger.schema_rollups import Whole

__all__ = ["SPANS_MOST", "live", "within"]

SPANS_MOST: Final = 50
"""How many spans a query names at most; SQLite takes no condition of more than 1,000 parts."""


_ENERGY_J: Final = RequestRow.energy_j


def live(dialect: str) -> Select[*tuple[Any, ...]]:
    """Query for one line per UTC hour and group, of all rows; add conditions with `where`.

    Args:
        dialect: `sqlite` or `postgresql`.
    """
    keys: dict[str, Any] = {
        "hour_utc": _hour(dialect),
        **{name: getattr(RequestRow, name) for name in ("purpose", "call", "status", "model", "family", "variant")},
        "engine": RequestRow.engine,
        "task": func.coalesce(RequestRow.task, RequestRow.inferred_task),
        "tags": _tags(dialect),
        **{name: getattr(RequestRow, name) for name in ("directive", "policy", "policy_version", "catalogue_version")},
        "decision_group": RequestRow.decision_group,
        "drawn": type_coerce(RequestRow.propensity.is_not(None), Boolean),
        "zone": RequestRow.zone,
        "kind": KIND,
        "factors": FACTORS,
        **{name: getattr(RequestRow, name) for name in ("energy_method", "meter", "pue")},
    }
    sums: dict[str, Any] = {
        "requests_n": type_coerce(func.count(), Whole),
        "rows_n": _whole(func.coalesce(RequestRow.batch_size, 1)),
        "errors_n": _count(RequestRow.status == "error"),
        "prompt_tokens": _whole(RequestRow.prompt_tokens),
        "new_tokens": _whole(RequestRow.new_tokens),
        "duration_s": _sum(RequestRow.duration_s),
        "engine_s": _sum(RequestRow.engine_s),
        "overhead_s": _sum(RequestRow.overhead_s),
        "energy_j": _sum(_ENERGY_J),
        "energy_known_n": type_coerce(func.count(_ENERGY_J), Whole),
        "gpu_j": _sum(RequestRow.gpu_j),
        "cpu_j": _sum(RequestRow.cpu_j),
        "dram_j": _sum(RequestRow.dram_j),
        "uncertainty_j": _sum(RequestRow.energy_uncertainty_j),
        "uncertainty_squares": _sum(RequestRow.energy_uncertainty_j * RequestRow.energy_uncertainty_j),
        "uncertainty_known_n": type_coerce(func.count(RequestRow.energy_uncertainty_j), Whole),
        "operational_g": _sum(OPERATIONAL_G),
        "carbon_known_n": type_coerce(func.count(OPERATIONAL_G), Whole),
        "embodied_g": _sum(RequestRow.embodied_g),
        "embodied_known_n": type_coerce(func.count(RequestRow.embodied_g), Whole),
        "logged_operational_g": _sum(RequestRow.operational_g),
        "stale_n": _count(and_(RequestRow.intensity_stale.is_(True), ~SETTLED)),
        "settled_n": _count(SETTLED),
        "provisional_n": _count(PROVISIONAL),
        "energy_squares": _sum(_ENERGY_J * _ENERGY_J),
        "carbon_squares": _sum(OPERATIONAL_G * OPERATIONAL_G),
        "energy_carbon": _sum(_ENERGY_J * OPERATIONAL_G),
    }
    labelled = [value.label(name) for name, value in {**keys, **sums}.items()]
    # By place: an expression with bound values in it is not the same twice to PostgreSQL.
    return select(*labelled).group_by(*(literal_column(str(place)) for place in range(1, len(keys) + 1)))


def within(column: Any, spans: Sequence[Span]) -> ColumnElement[bool]:
    """Whether it lies in one of the spans, ends that are open left out."""
    conditions = []
    for span in spans:
        ends = [column >= span.start_utc] if span.start_utc != FIRST else []
        ends += [column < span.end_utc] if span.end_utc != LAST else []
        if not ends:
            return and_(True)
        conditions.append(and_(*ends))
    return or_(false(), *conditions)


def _hour(dialect: str) -> ColumnElement[Any]:
    if dialect == "postgresql":
        return type_coerce(func.date_trunc("hour", RequestRow.started_utc, "UTC"), UtcStamp)
    return type_coerce(func.substr(RequestRow.started_utc, 1, 13).concat(":00:00.000000"), UtcStamp)


def _tags(dialect: str) -> ColumnElement[str]:
    """The tags as JSON text, keys in order of code points, whatever order the caller gave them in.

    What SQL cannot decode stays as it was written: NUL and the halves of surrogate pairs, which Python's JSON escapes.
    """
    written = cast(RequestRow.tags, Text) if dialect == "postgresql" else type_coerce(RequestRow.tags, Text)
    if dialect == "postgresql":
        each = func.json_each_text(RequestRow.tags).table_valued("key", "value", name="tag")
        pair = cast(func.to_json(each.c.key), Text).concat(":").concat(cast(func.to_json(each.c.value), Text))
        ordered = func.string_agg(pair, literal_column("',' ORDER BY tag.key COLLATE \"C\""))
        sorted_tags: ColumnElement[Any] = select(literal_column("'{'").concat(ordered).concat("}")).scalar_subquery()
        holds = func.strpos
    else:
        each = func.json_each(RequestRow.tags).table_valued("key", "value", name="tag")
        in_order = select(each.c.key, each.c.value).order_by(each.c.key).subquery()
        sorted_tags = select(func.json_group_object(in_order.c.key, in_order.c.value)).scalar_subquery()
        holds = func.instr
    as_written = holds(written, ",") == 0
    for undecodable in ("\\u0000", "\\ud"):
        as_written = as_written | (holds(written, undecodable) > 0)
    return type_coerce(case((as_written, written), else_=sorted_tags), String)


def _sum(value: Any) -> ColumnElement[Any]:
    return type_coerce(func.sum(value), Double)


def _whole(value: Any) -> ColumnElement[Any]:
    return type_coerce(func.sum(value), Whole)


def _count(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return type_coerce(func.sum(case((condition, 1), else_=0)), Whole)
