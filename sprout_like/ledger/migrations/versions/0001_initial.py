"""Requests and energy accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "requests",
        sa.Column("request_id", sa.String(32), primary_key=True),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("started_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("queue_s", sa.Double()),
        sa.Column("engine_s", sa.Double()),
        sa.Column("compile_s", sa.Double()),
        sa.Column("first_token_s", sa.Double()),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("error_type", sa.String()),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("family", sa.String()),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("task", sa.String()),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("batch_size", sa.Integer()),
        sa.Column("prompt_tokens", sa.Integer()),
        sa.Column("instruction_tokens", sa.Integer()),
        sa.Column("new_tokens", sa.Integer()),
        sa.Column("limit_tokens", sa.Integer()),
        sa.Column("finish_reason", sa.String()),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("intensity_g_per_kwh", sa.Double()),
        sa.Column("intensity_kind", sa.String()),
        sa.Column("intensity_factors", sa.String()),
        sa.Column("intensity_status", sa.String()),
        sa.Column("intensity_source", sa.String()),
        sa.Column("intensity_start_utc", sa.DateTime(timezone=True)),
        sa.Column("intensity_stale", sa.Boolean()),
        sa.Column("intensity_reason", sa.String()),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("policy_version", sa.String(), nullable=False),
        sa.Column("catalogue_version", sa.String(), nullable=False),
        sa.Column("directive", sa.String(), nullable=False),
        sa.Column("propensity", sa.Double()),
        sa.Column("decision_reason", sa.String()),
        sa.Column("decision_group", sa.String()),
        sa.Column("candidates", sa.String(), nullable=False),
        sa.Column("energy_j", sa.Double()),
        sa.Column("gpu_j", sa.Double()),
        sa.Column("cpu_j", sa.Double()),
        sa.Column("dram_j", sa.Double()),
        sa.Column("energy_by_device_j", sa.JSON(), nullable=False),
        sa.Column("energy_method", sa.String(), nullable=False),
        sa.Column("energy_uncertainty_j", sa.Double()),
        sa.Column("meter", sa.String(), nullable=False),
        sa.Column("account_id", sa.String()),
        sa.Column("pue", sa.Double(), nullable=False),
        sa.Column("operational_g", sa.Double()),
        sa.Column("embodied_g", sa.Double()),
        sa.Column("overhead_s", sa.Double(), nullable=False),
    )
    op.create_index("ix_requests_started_utc", "requests", ["started_utc"])
    op.create_table(
        "energy_accounts",
        sa.Column("account_id", sa.String(), primary_key=True),
        sa.Column("device_id", sa.String(), primary_key=True),
        sa.Column("device_name", sa.String(), nullable=False),
        sa.Column("component", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("meter", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("started_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counter_j", sa.Double(), nullable=False),
        sa.Column("requests_j", sa.Double(), nullable=False),
        sa.Column("requests_n", sa.Integer(), nullable=False),
        sa.Column("elsewhere_j", sa.Double(), nullable=False),
        sa.Column("overhead_j", sa.Double(), nullable=False),
        sa.Column("idle_j", sa.Double(), nullable=False),
    )
