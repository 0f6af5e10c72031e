"""Jobs that can wait: their items and answers, who runs them, and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.String(32), primary_key=True),
        sa.Column("submitted_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("earliest_utc", sa.DateTime(timezone=True)),
        sa.Column("engine", sa.String()),
        sa.Column("task", sa.String()),
        sa.Column("policy", sa.String()),
        sa.Column("zones", sa.JSON(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("items_n", sa.Integer(), nullable=False),
        sa.Column("out", sa.String()),
        sa.Column("schedule_id", sa.String(32)),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("finished_utc", sa.DateTime(timezone=True)),
        sa.Column("planned_g", sa.Double()),
        sa.Column("at_once_g", sa.Double()),
        sa.Column("limit_tokens", sa.BigInteger(), nullable=False),
        sa.Column("done_n", sa.Integer(), nullable=False),
        sa.Column("failed_n", sa.Integer(), nullable=False),
        sa.Column("done_tokens", sa.BigInteger(), nullable=False),
        sa.Column("done_limit_tokens", sa.BigInteger(), nullable=False),
        sa.Column("failed_limit_tokens", sa.BigInteger(), nullable=False),
        sa.Column("energy_j", sa.Double()),
        sa.Column("operational_g", sa.Double()),
        sa.Column("forgotten_utc", sa.DateTime(timezone=True)),
        sa.Column("delivered_utc", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "job_items",
        sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.job_id"), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lost_n", sa.Integer(), nullable=False),
        sa.Column("not_before_utc", sa.DateTime(timezone=True)),
        sa.Column("token", sa.String(32)),
        sa.Column("until_utc", sa.DateTime(timezone=True)),
        sa.Column("worker_id", sa.String()),
        sa.Column("error", sa.String()),
        sa.Column("finished_utc", sa.DateTime(timezone=True)),
        sa.Column("answer", sa.String()),
        sa.Column("request_id", sa.String(32)),
        sa.Column("directive", sa.String()),
        sa.Column("prompt_tokens", sa.Integer()),
        sa.Column("new_tokens", sa.Integer()),
        sa.Column("finish_reason", sa.String()),
        sa.Column("energy_j", sa.Double()),
        sa.Column("energy_method", sa.String()),
        sa.Column("operational_g", sa.Double()),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("own_id", sa.String()),
        sa.Column("task", sa.String()),
        sa.Column("messages", sa.JSON()),
        sa.Column("template", sa.JSON()),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("limit_tokens", sa.Integer(), nullable=False),
    )
    op.create_index("ix_job_items_turn", "job_items", ["job_id", "state", "turn"])
    op.create_table(
        "job_runs",
        sa.Column("run_id", sa.String(32), primary_key=True),
        sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.job_id"), nullable=False),
        sa.Column("worker_id", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("started_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("items_n", sa.Integer(), nullable=False),
        sa.Column("new_tokens", sa.BigInteger(), nullable=False),
        sa.Column("energy_j", sa.Double()),
        sa.Column("operational_g", sa.Double()),
    )
    op.create_index("ix_job_runs_job_id", "job_runs", ["job_id"])
    op.create_table(
        "job_plans",
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.job_id"), nullable=False),
        sa.Column("worker_id", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("start_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_utc", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "job_schedules",
        sa.Column("schedule_id", sa.String(32), primary_key=True),
        sa.Column("cron", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("within_s", sa.Double(), nullable=False),
        sa.Column("next_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("job", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "job_schedule_items",
        sa.Column("schedule_id", sa.String(32), sa.ForeignKey("job_schedules.schedule_id"), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("own_id", sa.String()),
        sa.Column("task", sa.String()),
        sa.Column("messages", sa.JSON()),
        sa.Column("template", sa.JSON()),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("limit_tokens", sa.Integer(), nullable=False),
    )
    op.create_table(
        "workers",
        sa.Column("worker_id", sa.String(), primary_key=True),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("schema", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch_size", sa.Integer(), nullable=False),
        sa.Column("pace_tokens_per_s", sa.Double()),
        sa.Column("power_w", sa.Double()),
        sa.Column("load_s", sa.Double()),
        sa.Column("load_j", sa.Double()),
        sa.Column("idle_w", sa.Double()),
        sa.Column("outlook", sa.JSON(), nullable=False),
        sa.Column("stop_asked", sa.Boolean(), nullable=False),
    )
