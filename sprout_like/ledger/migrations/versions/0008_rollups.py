"""Sums of requests per hour and group, and the hours in which they no longer hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

# Triggers, so that the mark is in the transaction of the rows whoever writes them: an older release, or a hand.
_SQLITE_MARK = """
INSERT INTO stale_hours (hour_utc, session_id)
VALUES (substr({row}.started_utc, 1, 13) || ':00:00.000000', {row}.session_id)
ON CONFLICT (hour_utc, session_id) DO UPDATE SET claim = NULL WHERE claim IS NOT NULL;
"""

# DO UPDATE locks the mark also where nothing is to be updated: whoever adds the hour up finds it locked until the rows
# are committed. Its owner's rights, so that those who may only write requests need no others.
_POSTGRES_MARKS = """
CREATE OR REPLACE FUNCTION sprout_mark_stale_hours() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO stale_hours (hour_utc, session_id)
        SELECT DISTINCT date_trunc('hour', started_utc, 'UTC'), session_id FROM new_rows ORDER BY 1, 2
        ON CONFLICT (hour_utc, session_id) DO UPDATE SET claim = NULL WHERE stale_hours.claim IS NOT NULL;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO stale_hours (hour_utc, session_id)
        SELECT date_trunc('hour', started_utc, 'UTC'), session_id FROM new_rows
        UNION SELECT date_trunc('hour', started_utc, 'UTC'), session_id FROM old_rows ORDER BY 1, 2
        ON CONFLICT (hour_utc, session_id) DO UPDATE SET claim = NULL WHERE stale_hours.claim IS NOT NULL;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO stale_hours (hour_utc, session_id)
        SELECT DISTINCT date_trunc('hour', started_utc, 'UTC'), session_id FROM old_rows ORDER BY 1, 2
        ON CONFLICT (hour_utc, session_id) DO UPDATE SET claim = NULL WHERE stale_hours.claim IS NOT NULL;
    ELSE
        INSERT INTO stale_hours (hour_utc, session_id) SELECT DISTINCT hour_utc, '' FROM request_hours ORDER BY 1
        ON CONFLICT (hour_utc, session_id) DO UPDATE SET claim = NULL WHERE stale_hours.claim IS NOT NULL;
    END IF;
    RETURN NULL;
END $$
"""

_POSTGRES_EVENTS = {
    "insert": "REFERENCING NEW TABLE AS new_rows",
    "update": "REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows",
    "delete": "REFERENCING OLD TABLE AS old_rows",
    "truncate": "",
}


def upgrade() -> None:
    op.create_table(
        "request_groups",
        sa.Column("group_ref", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("family", sa.String()),
        sa.Column("variant", sa.String()),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("task", sa.String()),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("directive", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("policy_version", sa.String(), nullable=False),
        sa.Column("catalogue_version", sa.String(), nullable=False),
        sa.Column("decision_group", sa.String()),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("kind", sa.String()),
        sa.Column("factors", sa.String()),
        sa.Column("energy_method", sa.String(), nullable=False),
        sa.Column("meter", sa.String(), nullable=False),
        sa.Column("pue", sa.Double(), nullable=False),
    )
    for table, start in (("request_hours", "hour_utc"), ("request_days", "day_utc")):
        op.create_table(
            table,
            sa.Column(start, sa.DateTime(timezone=True), primary_key=True),
            sa.Column("group_ref", sa.BigInteger(), sa.ForeignKey("request_groups.group_ref"), primary_key=True),
            sa.Column("requests_n", sa.BigInteger(), nullable=False),
            sa.Column("rows_n", sa.BigInteger()),
            sa.Column("errors_n", sa.BigInteger(), nullable=False),
            sa.Column("prompt_tokens", sa.BigInteger()),
            sa.Column("new_tokens", sa.BigInteger()),
            sa.Column("duration_s", sa.Double(), nullable=False),
            sa.Column("engine_s", sa.Double()),
            sa.Column("overhead_s", sa.Double(), nullable=False),
            sa.Column("energy_j", sa.Double()),
            sa.Column("energy_known_n", sa.BigInteger(), nullable=False),
            sa.Column("gpu_j", sa.Double()),
            sa.Column("cpu_j", sa.Double()),
            sa.Column("dram_j", sa.Double()),
            sa.Column("uncertainty_j", sa.Double()),
            sa.Column("uncertainty_squares", sa.Double()),
            sa.Column("uncertainty_known_n", sa.BigInteger(), nullable=False),
            sa.Column("operational_g", sa.Double()),
            sa.Column("carbon_known_n", sa.BigInteger(), nullable=False),
            sa.Column("embodied_g", sa.Double()),
            sa.Column("embodied_known_n", sa.BigInteger(), nullable=False),
            sa.Column("logged_operational_g", sa.Double()),
            sa.Column("stale_n", sa.BigInteger(), nullable=False),
            sa.Column("settled_n", sa.BigInteger(), nullable=False),
            sa.Column("provisional_n", sa.BigInteger(), nullable=False),
            sa.Column("energy_squares", sa.Double()),
            sa.Column("carbon_squares", sa.Double()),
            sa.Column("energy_carbon", sa.Double()),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "stale_hours",
        sa.Column("hour_utc", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("session_id", sa.String(), primary_key=True),
        sa.Column("claim", sa.BigInteger()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stale_days",
        sa.Column("day_utc", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("claim", sa.BigInteger()),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgres_triggers()


def _sqlite_triggers() -> None:
    execute = op.get_bind().exec_driver_sql
    for event, rows in (("insert", ("NEW",)), ("update", ("OLD", "NEW")), ("delete", ("OLD",))):
        name = f"requests_stale_{event}"
        marks = "".join(_SQLITE_MARK.format(row=row) for row in rows)
        execute(f"DROP TRIGGER IF EXISTS {name}")
        execute(f"CREATE TRIGGER {name} AFTER {event} ON requests BEGIN {marks} END")
    execute(
        "INSERT INTO stale_hours (hour_utc, session_id) "
        "SELECT DISTINCT substr(started_utc, 1, 13) || ':00:00.000000', '' FROM requests"
    )


def _postgres_triggers() -> None:
    execute = op.get_bind().exec_driver_sql
    schema = execute("SELECT quote_ident(current_schema())").scalar_one()
    execute(_POSTGRES_MARKS.format(schema=schema))
    for event, tables in _POSTGRES_EVENTS.items():
        name = f"requests_stale_{event}"
        execute(f"DROP TRIGGER IF EXISTS {name} ON requests")
        execute(
            f"CREATE TRIGGER {name} AFTER {event} ON requests {tables} "
            "FOR EACH STATEMENT EXECUTE FUNCTION sprout_mark_stale_hours()"
        )
    execute(
        "INSERT INTO stale_hours (hour_utc, session_id) "
        "SELECT DISTINCT date_trunc('hour', started_utc, 'UTC'), '' FROM requests"
    )
