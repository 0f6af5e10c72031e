"""Which machine an energy account is of, and which stretch of a counter that several processes read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("energy_accounts", sa.Column("host", sa.String()))
    op.add_column("energy_accounts", sa.Column("host_counter_id", sa.String()))
    op.add_column("energy_accounts", sa.Column("host_from_j", sa.Double()))
    op.add_column("energy_accounts", sa.Column("host_to_j", sa.Double()))
