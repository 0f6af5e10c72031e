"""What repeats in requests is stored once: `requests` becomes a view of four tables.

Rows move in pages, in one transaction: where it ends half way, nothing has happened. SQLite keeps the room of the old
table in the file, for rows to come, until somebody runs VACUUM.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

PAGE = 5000

PERIOD = (
    "session_id", "account_id", "model", "family", "engine", "zone", "policy", "policy_version", "catalogue_version",
    "meter", "pue", "intensity_g_per_kwh", "intensity_kind", "intensity_factors", "intensity_status",
    "intensity_source", "intensity_start_utc", "intensity_stale", "intensity_reason",
)  # fmt: skip
CONTEXT = (
    "call", "purpose", "status", "error_type", "variant", "task", "inferred_task", "reuse", "finish_reason",
    "directive", "decision_reason", "decision_group", "candidates", "energy_method",
)  # fmt: skip
SETTLEMENT = (
    "settled_g_per_kwh", "settled_kind", "settled_factors", "settled_status", "settled_source", "settled_utc",
)  # fmt: skip
OWN = (
    "started_utc", "duration_s", "queue_s", "engine_s", "prepare_s", "compile_s", "first_token_s", "propensity",
    "energy_j", "gpu_j", "cpu_j", "dram_j", "energy_uncertainty_j", "operational_g", "embodied_g", "overhead_s",
    "settled_operational_g", "batch_size", "prompt_tokens", "instruction_tokens", "reused_tokens", "new_tokens",
    "limit_tokens", "caller_limit_tokens", "request_id",
)  # fmt: skip
JSON = ("tags", "knob_counts", "energy_by_device_j")
MOST_TAGS = 512

TABLES = ("request_rows", "request_contexts", "request_periods", "request_settlements")


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        # Whoever writes waits: a row that came, or was settled, behind the page that is moved would go with the table.
        op.execute("LOCK TABLE requests IN SHARE ROW EXCLUSIVE MODE")
    _create_tables()
    _Mover(connection).move()
    grants = _grants(connection)
    op.drop_table("requests")
    _create_view(connection)
    _mark_stale_hours(connection)
    for grantee, privilege in grants:
        if privilege == "SELECT":
            op.execute(f"GRANT SELECT ON requests TO {grantee}")
        op.execute(f"GRANT {privilege} ON {', '.join(TABLES)} TO {grantee}")


def _create_tables() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "request_rows",
        sa.Column("started_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("context_id", key, nullable=False),
        sa.Column("period_id", key, nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("queue_s", sa.Double()),
        sa.Column("engine_s", sa.Double()),
        sa.Column("prepare_s", sa.Double()),
        sa.Column("compile_s", sa.Double()),
        sa.Column("first_token_s", sa.Double()),
        sa.Column("propensity", sa.Double()),
        sa.Column("energy_j", sa.Double()),
        sa.Column("gpu_j", sa.Double()),
        sa.Column("cpu_j", sa.Double()),
        sa.Column("dram_j", sa.Double()),
        sa.Column("energy_uncertainty_j", sa.Double()),
        sa.Column("operational_g", sa.Double()),
        sa.Column("embodied_g", sa.Double()),
        sa.Column("overhead_s", sa.Double(), nullable=False),
        sa.Column("settlement_id", key),
        sa.Column("settled_operational_g", sa.Double()),
        sa.Column("batch_size", sa.Integer()),
        sa.Column("prompt_tokens", sa.Integer()),
        sa.Column("instruction_tokens", sa.Integer()),
        sa.Column("reused_tokens", sa.Integer()),
        sa.Column("new_tokens", sa.Integer()),
        sa.Column("limit_tokens", sa.Integer()),
        sa.Column("caller_limit_tokens", sa.Integer()),
        sa.Column("request_id", sa.String(32), primary_key=True),
        sa.Column("tags", sa.JSON()),
        sa.Column("knob_counts", sa.JSON()),
        sa.Column("energy_by_device_j", sa.JSON()),
    )
    op.create_index("ix_request_rows_started_utc", "request_rows", ["started_utc"])
    op.create_table(
        "request_contexts",
        sa.Column("context_id", key, primary_key=True, autoincrement=False),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("error_type", sa.String()),
        sa.Column("variant", sa.String()),
        sa.Column("task", sa.String()),
        sa.Column("inferred_task", sa.String()),
        sa.Column("reuse", sa.String()),
        sa.Column("finish_reason", sa.String()),
        sa.Column("directive", sa.String(), nullable=False),
        sa.Column("decision_reason", sa.String()),
        sa.Column("decision_group", sa.String()),
        sa.Column("candidates", sa.String(), nullable=False),
        sa.Column("energy_method", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
    )
    op.create_table(
        "request_periods",
        sa.Column("period_id", key, primary_key=True, autoincrement=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String()),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("family", sa.String()),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("policy_version", sa.String(), nullable=False),
        sa.Column("catalogue_version", sa.String(), nullable=False),
        sa.Column("meter", sa.String(), nullable=False),
        sa.Column("pue", sa.Double(), nullable=False),
        sa.Column("intensity_g_per_kwh", sa.Double()),
        sa.Column("intensity_kind", sa.String()),
        sa.Column("intensity_factors", sa.String()),
        sa.Column("intensity_status", sa.String()),
        sa.Column("intensity_source", sa.String()),
        sa.Column("intensity_start_utc", sa.DateTime(timezone=True)),
        sa.Column("intensity_stale", sa.Boolean()),
        sa.Column("intensity_reason", sa.String()),
        sa.Column("devices", sa.String()),
    )
    op.create_table(
        "request_settlements",
        sa.Column("settlement_id", key, primary_key=True, autoincrement=False),
        sa.Column("settled_g_per_kwh", sa.Double()),
        sa.Column("settled_kind", sa.String()),
        sa.Column("settled_factors", sa.String()),
        sa.Column("settled_status", sa.String()),
        sa.Column("settled_source", sa.String()),
        sa.Column("settled_utc", sa.DateTime(timezone=True)),
    )


class _Mover:
    """Values travel as the driver has them, JSON as text: nothing is rounded or rewritten on the way."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._keys: dict[tuple[str, tuple[Any, ...]], int] = {}
        self._tags: set[str] = set()
        self._new: dict[str, list[dict[str, Any]]] = {}

    def move(self) -> None:
        columns = [*OWN, *PERIOD, *CONTEXT, *SETTLEMENT, *(f"CAST({name} AS TEXT) AS {name}" for name in JSON)]
        query = f"SELECT {', '.join(columns)} FROM requests"  # noqa: S608 - names from above
        page = sa.text(f"{query} WHERE request_id > :last ORDER BY request_id LIMIT {PAGE}")
        last = ""
        while old := self._connection.execute(page, {"last": last}).mappings().all():
            self._new = {table: [] for table in TABLES}
            for row in old:
                self._take_apart(dict(row))
            for table, rows in self._new.items():
                if rows:
                    values = ", ".join(f":{name}" for name in rows[0])
                    insert = f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({values})"  # noqa: S608 - as above
                    self._connection.execute(sa.text(insert), rows)
            last = old[-1]["request_id"]

    def _take_apart(self, row: Mapping[str, Any]) -> None:
        tags = json.dumps(json.loads(row["tags"]), sort_keys=True, separators=(",", ":"))
        if len(self._tags) < MOST_TAGS:
            self._tags.add(tags)
        shared = tags in self._tags
        devices = _devices(row)
        context = (*(row[name] for name in CONTEXT), tags if shared else "{}")
        period = (*(row[name] for name in PERIOD), devices)
        settlement = tuple(row[name] for name in SETTLEMENT)
        self._new["request_rows"].append(
            {name: row[name] for name in OWN}
            | {
                "context_id": self._key("request_contexts", "context_id", (*CONTEXT, "tags"), context),
                "period_id": self._key("request_periods", "period_id", (*PERIOD, "devices"), period),
                "settlement_id": None
                if all(value is None for value in settlement)
                else self._key("request_settlements", "settlement_id", SETTLEMENT, settlement),
                "tags": None if shared else row["tags"],
                "knob_counts": None if json.loads(row["knob_counts"]) == {} else row["knob_counts"],
                "energy_by_device_j": row["energy_by_device_j"] if devices is None else None,
            }
        )

    def _key(self, table: str, key: str, names: tuple[str, ...], values: tuple[Any, ...]) -> int:
        """The key of a part, which is inserted where it is new; two of the same key would break the primary key."""
        found = self._keys.get((table, values))
        if found is None:
            text = json.dumps(values, default=str)
            found = int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 1
            self._keys[table, values] = found
            self._new[table].append({key: found, **dict(zip(names, values, strict=True))})
        return found


def _devices(row: Mapping[str, Any]) -> str | None:
    """Energies by device as JSON with a mark in place of each value; None where one is not the value of a part."""
    parts = {"$g": row["gpu_j"], "$c": row["cpu_j"], "$d": row["dram_j"]}
    found = []
    for name, energy_j in json.loads(row["energy_by_device_j"]).items():
        mark = next((mark for mark, part in parts.items() if part is not None and part == energy_j), None)
        if mark is None or (energy_j != 0 and not 1e-9 <= abs(energy_j) < 1e15):
            return None
        found.append(json.dumps(name).replace("$", "\\u0024") + ":" + mark)
    return "{" + ",".join(found) + "}"


def _mark_stale_hours(connection: sa.Connection) -> None:
    """The triggers of 0008 went with the table; they are made again on the one that rows are written to now."""
    execute = connection.exec_driver_sql
    if not sa.inspect(connection).has_table("stale_hours"):
        return
    if connection.dialect.name == "sqlite":
        for event, rows in (("insert", ("NEW",)), ("update", ("OLD", "NEW")), ("delete", ("OLD",))):
            marks = "".join(SQLITE_MARK.format(row=row) for row in rows)
            execute(f"CREATE TRIGGER requests_stale_{event} AFTER {event} ON request_rows BEGIN {marks} END")
        return
    schema = execute("SELECT quote_ident(current_schema())").scalar_one()
    old, new = (POSTGRES_HOURS.format(rows=rows) for rows in ("old_rows", "new_rows"))
    execute(POSTGRES_MARKS.format(schema=schema, old=old, new=new, mark=POSTGRES_MARK))
    for event, tables in POSTGRES_EVENTS.items():
        execute(
            f"CREATE TRIGGER requests_stale_{event} AFTER {event} ON request_rows {tables} "
            "FOR EACH STATEMENT EXECUTE FUNCTION sprout_mark_stale_hours()"
        )


SQLITE_MARK = """
INSERT INTO stale_hours (hour_utc, session_id)
VALUES (
    substr({row}.started_utc, 1, 13) || ':00:00.000000',
    coalesce((SELECT session_id FROM request_periods WHERE period_id = {row}.period_id), '')
)
ON CONFLICT (hour_utc, session_id) DO UPDATE SET claim = NULL WHERE claim IS NOT NULL;
"""

POSTGRES_HOURS = """
SELECT date_trunc('hour', started_utc, 'UTC'), coalesce(session_id, '')
FROM {rows} LEFT JOIN request_periods USING (period_id)"""

POSTGRES_MARK = "ON CONFLICT (hour_utc, session_id) DO UPDATE SET claim = NULL WHERE stale_hours.claim IS NOT NULL;"

# The owner's rights, and a lock on each mark until the rows are committed: see 0008.
POSTGRES_MARKS = """
CREATE OR REPLACE FUNCTION sprout_mark_stale_hours() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO stale_hours (hour_utc, session_id) {new} GROUP BY 1, 2 ORDER BY 1, 2 {mark}
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO stale_hours (hour_utc, session_id) {new} UNION {old} ORDER BY 1, 2 {mark}
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO stale_hours (hour_utc, session_id) {old} GROUP BY 1, 2 ORDER BY 1, 2 {mark}
    ELSE
        INSERT INTO stale_hours (hour_utc, session_id) SELECT DISTINCT hour_utc, '' FROM request_hours ORDER BY 1 {mark}
    END IF;
    RETURN NULL;
END $$
"""

POSTGRES_EVENTS = {
    "insert": "REFERENCING NEW TABLE AS new_rows",
    "update": "REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows",
    "delete": "REFERENCING OLD TABLE AS old_rows",
    "truncate": "",
}


def _grants(connection: sa.Connection) -> list[tuple[str, str]]:
    """Who else than the owner may do what with the requests; on PostgreSQL, a new table starts without."""
    if connection.dialect.name != "postgresql":
        return []
    query = """
        SELECT grantee, privilege_type FROM information_schema.role_table_grants
        WHERE table_schema = current_schema() AND table_name = 'requests' AND grantee <> current_user
    """
    quote = connection.dialect.identifier_preparer.quote
    return [
        (grantee if grantee == "PUBLIC" else quote(grantee), privilege)
        for grantee, privilege in connection.execute(sa.text(query))
    ]


def _create_view(connection: sa.Connection) -> None:
    as_text, as_json = DIALECT[connection.dialect.name]
    devices = "p.devices"
    for mark, part in (("$g", "r.gpu_j"), ("$c", "r.cpu_j"), ("$d", "r.dram_j")):
        devices = f"replace({devices}, '{mark}', {as_text.format(part)})"
    view = VIEW.format(none=as_json.format("'{}'"), devices=as_json.format(devices))
    connection.exec_driver_sql(view)


DIALECT = {
    "sqlite": ("printf('%!.20g', {})", "{}"),
    "postgresql": (r"coalesce(regexp_replace({}::text, '^(-?\d+)$', '\1.0'), '')", "({})::json"),
}
"""How a double becomes text, and text JSON."""

VIEW = """\
CREATE VIEW requests AS SELECT
    r.request_id AS request_id,
    p.session_id AS session_id,
    r.started_utc AS started_utc,
    r.duration_s AS duration_s,
    r.queue_s AS queue_s,
    r.engine_s AS engine_s,
    r.prepare_s AS prepare_s,
    r.compile_s AS compile_s,
    r.first_token_s AS first_token_s,
    c.call AS call,
    c.purpose AS purpose,
    c.status AS status,
    c.error_type AS error_type,
    p.model AS model,
    p.family AS family,
    c.variant AS variant,
    p.engine AS engine,
    c.task AS task,
    c.inferred_task AS inferred_task,
    coalesce(r.tags, c.tags) AS tags,
    r.batch_size AS batch_size,
    r.prompt_tokens AS prompt_tokens,
    r.instruction_tokens AS instruction_tokens,
    c.reuse AS reuse,
    r.reused_tokens AS reused_tokens,
    r.new_tokens AS new_tokens,
    r.limit_tokens AS limit_tokens,
    r.caller_limit_tokens AS caller_limit_tokens,
    c.finish_reason AS finish_reason,
    coalesce(r.knob_counts, {none}) AS knob_counts,
    p.zone AS zone,
    p.intensity_g_per_kwh AS intensity_g_per_kwh,
    p.intensity_kind AS intensity_kind,
    p.intensity_factors AS intensity_factors,
    p.intensity_status AS intensity_status,
    p.intensity_source AS intensity_source,
    p.intensity_start_utc AS intensity_start_utc,
    p.intensity_stale AS intensity_stale,
    p.intensity_reason AS intensity_reason,
    p.policy AS policy,
    p.policy_version AS policy_version,
    p.catalogue_version AS catalogue_version,
    c.directive AS directive,
    r.propensity AS propensity,
    c.decision_reason AS decision_reason,
    c.decision_group AS decision_group,
    c.candidates AS candidates,
    r.energy_j AS energy_j,
    r.gpu_j AS gpu_j,
    r.cpu_j AS cpu_j,
    r.dram_j AS dram_j,
    coalesce(r.energy_by_device_j, {devices}) AS energy_by_device_j,
    c.energy_method AS energy_method,
    r.energy_uncertainty_j AS energy_uncertainty_j,
    p.meter AS meter,
    p.account_id AS account_id,
    p.pue AS pue,
    r.operational_g AS operational_g,
    r.embodied_g AS embodied_g,
    r.overhead_s AS overhead_s,
    s.settled_g_per_kwh AS settled_g_per_kwh,
    s.settled_kind AS settled_kind,
    s.settled_factors AS settled_factors,
    s.settled_status AS settled_status,
    s.settled_source AS settled_source,
    r.settled_operational_g AS settled_operational_g,
    s.settled_utc AS settled_utc
FROM request_rows AS r
LEFT JOIN request_contexts AS c ON c.context_id = r.context_id
LEFT JOIN request_periods AS p ON p.period_id = r.period_id
LEFT JOIN request_settlements AS s ON s.settlement_id = r.settlement_id"""
