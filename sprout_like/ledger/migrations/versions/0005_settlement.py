"""What sources said about the intensity, and what requests are settled by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "intensities",
        sa.Column("zone", sa.String(), primary_key=True),
        sa.Column("source", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("factors", sa.String(), primary_key=True),
        sa.Column("status", sa.String(), primary_key=True),
        sa.Column("start_utc", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("end_utc", sa.DateTime(timezone=True), nullable=False),
        sa.Column("g_per_kwh", sa.Double(), nullable=False),
        sa.Column("fetched_at_utc", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("requests", sa.Column("settled_g_per_kwh", sa.Double()))
    op.add_column("requests", sa.Column("settled_kind", sa.String()))
    op.add_column("requests", sa.Column("settled_factors", sa.String()))
    op.add_column("requests", sa.Column("settled_status", sa.String()))
    op.add_column("requests", sa.Column("settled_source", sa.String()))
    op.add_column("requests", sa.Column("settled_operational_g", sa.Double()))
    op.add_column("requests", sa.Column("settled_utc", sa.DateTime(timezone=True)))
