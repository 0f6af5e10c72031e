"""What the knobs did to a request."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("requests", sa.Column("prepare_s", sa.Double()))
    op.add_column("requests", sa.Column("variant", sa.String()))
    op.add_column("requests", sa.Column("reuse", sa.String()))
    op.add_column("requests", sa.Column("reused_tokens", sa.Integer()))
    op.add_column("requests", sa.Column("knob_counts", sa.JSON(), nullable=False, server_default="{}"))
