"""Policies, what they are judged by, and the class that a request was taken for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("requests", sa.Column("inferred_task", sa.String()))
    op.add_column("requests", sa.Column("caller_limit_tokens", sa.Integer()))
    op.create_table(
        "policies",
        sa.Column("policy_id", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer(), nullable=False, unique=True),
        sa.Column("created_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_utc", sa.DateTime(timezone=True)),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("catalogue_version", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("constraints", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("estimate", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
    )
    op.create_table(
        "evaluations",
        sa.Column("evaluation_id", sa.String(32), primary_key=True),
        sa.Column("started_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ended", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("catalogue_version", sa.String(), nullable=False),
        sa.Column("judge", sa.String(), nullable=False),
        sa.Column("prompts_n", sa.Integer(), nullable=False),
        sa.Column("verdicts_n", sa.Integer(), nullable=False),
        sa.Column("dropped_n", sa.Integer(), nullable=False),
        sa.Column("ties_n", sa.Integer(), nullable=False),
        sa.Column("first_n", sa.Integer(), nullable=False),
        sa.Column("second_n", sa.Integer(), nullable=False),
        sa.Column("dropped", sa.JSON(), nullable=False),
        sa.Column("energy_j", sa.Double()),
        sa.Column("operational_g", sa.Double()),
        sa.Column("embodied_g", sa.Double()),
        sa.Column("judge_energy_j", sa.Double()),
        sa.Column("judge_energy_method", sa.String(), nullable=False),
        sa.Column("judge_operational_g", sa.Double()),
        sa.Column("judge_tokens", sa.Integer()),
        sa.Column("judge_s", sa.Double(), nullable=False),
    )
    op.create_table(
        "verdicts",
        sa.Column("evaluation_id", sa.String(32), sa.ForeignKey("evaluations.evaluation_id"), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("judged_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prompt_number", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(32)),
        sa.Column("directive", sa.String(), nullable=False),
        sa.Column("bin_task", sa.String(), nullable=False),
        sa.Column("bin_prompt_tokens", sa.String(), nullable=False),
        sa.Column("bin_limit_tokens", sa.String(), nullable=False),
        sa.Column("bin_batch_size", sa.String(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("full_score", sa.Double(), nullable=False),
    )
    op.create_index("ix_verdicts_judged_utc", "verdicts", ["judged_utc"])
    op.create_table(
        "prompts",
        sa.Column("prompt_id", sa.String(32), primary_key=True),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("taken_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("catalogue_version", sa.String(), nullable=False),
        sa.Column("task", sa.String()),
        sa.Column("directive", sa.String(), nullable=False),
        sa.Column("messages", sa.JSON(), nullable=False),
        sa.Column("template", sa.JSON(), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("judged_utc", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_prompts_expires_utc", "prompts", ["expires_utc"])
