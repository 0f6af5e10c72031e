"""Alembic's entry point; `sprout_like.ledger.migrate` hands it an open connection, already in a transaction."""

from __future__ import annotations

from alembic import context

from sprout_like.ledger.migrate import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite cannot alter columns in place
)
with context.begin_transaction():
    context.run_migrations()
