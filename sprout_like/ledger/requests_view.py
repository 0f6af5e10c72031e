"""The view `requests`: the tables under it put together again, with exactly the columns of a `RequestRecord`.

All joins are LEFT JOINs on primary keys: where a query uses no column of a table, databases leave out its join.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import DDL, event

from sprout_like.ledger.columns import Base
from sprout_like.ledger.schema_requests import ContextRow, PeriodRow, RequestRow, SettlementRow, StoredRequestRow

__all__ = ["requests_view"]

_TABLES: Final = {
    name: row.__table__
    for name, row in (("r", StoredRequestRow), ("c", ContextRow), ("p", PeriodRow), ("s", SettlementRow))
}

_PARTS: Final = {"$g": "r.gpu_j", "$c": "r.cpu_j", "$d": "r.dram_j"}

_FROM: Final = """\
FROM request_rows AS r
LEFT JOIN request_contexts AS c ON c.context_id = r.context_id
LEFT JOIN request_periods AS p ON p.period_id = r.period_id
LEFT JOIN request_settlements AS s ON s.settlement_id = r.settlement_id"""

_COLUMNS: Final = tuple(RequestRow.__table__.columns.keys())

_AS_TEXT: Final = {
    # 17 digits tell every double; 20 leave room for a last digit that SQLite before 3.43 does not get right.
    "sqlite": "printf('%!.20g', {})",
    # It writes 15 for 15.0, which would come back as an int.
    "postgresql": r"coalesce(regexp_replace({}::text, '^(-?\d+)$', '\1.0'), '')",
}
"""A double as JSON; nothing reads what it makes of NULL."""

_AS_JSON: Final = {"sqlite": "{}", "postgresql": "({})::json"}


def requests_view(dialect: str) -> str:
    """The statement that makes the view on `sqlite` or `postgresql`."""
    columns = ",\n    ".join(f"{_expression(name, dialect)} AS {name}" for name in _COLUMNS)
    return f"""\
CREATE VIEW requests AS SELECT
    {columns}
{_FROM}"""


def _expression(name: str, dialect: str) -> str:
    json = _AS_JSON[dialect].format
    if name == "tags":
        return "coalesce(r.tags, c.tags)"
    if name == "knob_counts":
        none = json("'{}'")
        return f"coalesce(r.knob_counts, {none})"
    if name == "energy_by_device_j":
        text = "p.devices"
        for mark, column in _PARTS.items():
            text = f"replace({text}, '{mark}', {_AS_TEXT[dialect].format(column)})"
        return f"coalesce(r.energy_by_device_j, {json(text)})"
    (alias,) = (alias for alias, table in _TABLES.items() if name in table.columns)
    return f"{alias}.{name}"


for _dialect in _AS_JSON:
    # DDL formats its text with %.
    _ddl = DDL(requests_view(_dialect).replace("%", "%%")).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
    event.listen(Base.metadata, "after_create", _ddl)
