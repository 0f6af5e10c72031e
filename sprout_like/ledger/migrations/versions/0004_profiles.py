"""What directives cost and are worth, measured by `sprout-like calibrate`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "profiles",
        sa.Column("profile_id", sa.String(32), primary_key=True),
        sa.Column("created_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("family", sa.String()),
        sa.Column("hardware", sa.String(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("meter", sa.String(), nullable=False),
        sa.Column("energy_method", sa.String(), nullable=False),
        sa.Column("catalogue_version", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("ended", sa.String(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
    )
    op.create_table(
        "profile_cells",
        sa.Column("profile_id", sa.String(32), sa.ForeignKey("profiles.profile_id"), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("directive", sa.String(), nullable=False),
        sa.Column("bin_task", sa.String(), nullable=False),
        sa.Column("bin_prompt_tokens", sa.String(), nullable=False),
        sa.Column("bin_limit_tokens", sa.String(), nullable=False),
        sa.Column("bin_batch_size", sa.String(), nullable=False),
        sa.Column("knobs", sa.JSON(), nullable=False),
        sa.Column("lossless", sa.Boolean(), nullable=False),
        sa.Column("batch_size", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("energy_j_mean", sa.Double()),
        sa.Column("energy_j_sd", sa.Double()),
        sa.Column("energy_j_n", sa.Integer()),
        sa.Column("time_s_mean", sa.Double(), nullable=False),
        sa.Column("time_s_sd", sa.Double()),
        sa.Column("time_s_n", sa.Integer(), nullable=False),
        sa.Column("energy_per_token_j_mean", sa.Double()),
        sa.Column("energy_per_token_j_sd", sa.Double()),
        sa.Column("energy_per_token_j_n", sa.Integer()),
        sa.Column("time_per_token_s_mean", sa.Double()),
        sa.Column("time_per_token_s_sd", sa.Double()),
        sa.Column("time_per_token_s_n", sa.Integer()),
        sa.Column("new_tokens_mean", sa.Double()),
        sa.Column("new_tokens_sd", sa.Double()),
        sa.Column("new_tokens_n", sa.Integer()),
        sa.Column("energy_ratio_mean", sa.Double()),
        sa.Column("energy_ratio_sd", sa.Double()),
        sa.Column("energy_ratio_n", sa.Integer()),
        sa.Column("time_ratio_mean", sa.Double()),
        sa.Column("time_ratio_sd", sa.Double()),
        sa.Column("time_ratio_n", sa.Integer()),
        sa.Column("exact_share", sa.Double()),
        sa.Column("similarity_mean", sa.Double()),
        sa.Column("similarity_sd", sa.Double()),
        sa.Column("similarity_n", sa.Integer()),
        sa.Column("finish_reasons", sa.JSON(), nullable=False),
        sa.Column("reused_share", sa.Double(), nullable=False),
    )
