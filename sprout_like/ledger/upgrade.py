"""Runs the migrations. The only place that needs Alembic, which costs more to load than all else of a start."""

from __future__ import annotations

import logging
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from sprout_like.errors import LedgerVersionError, SettingError
from sprout_like.ledger.address import public_name
from sprout_like.ledger.migrate import HEAD, MIGRATIONS, foreign_tables, schema_version

__all__ = ["upgrade"]

_LOG: Final = logging.getLogger(__name__)


def upgrade(connection: Connection) -> None:
    """Bring the schema to this release's, in the connection's transaction.

    Raises:
        LedgerVersionError: it is newer than this release.
        SettingError: the database holds tables of the same names that are not ours.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    version = schema_version(connection)
    name = public_name(connection.engine.url)
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    if version is None:
        taken = foreign_tables(connection)
        if taken:
            raise SettingError(
                "ledger", f"{name} holds tables that are not ours ({', '.join(taken)})", "Give it a database of its own"
            )
    elif version not in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}:
        raise LedgerVersionError(
            f"ledger: {name} has schema {version}, which this release does not know (its newest is {HEAD}). "
            "A newer sprout-like wrote it: pip install --upgrade sprout-like, or give another database"
        )
    else:
        _LOG.warning(
            "ledger: %s is brought from schema %s to %s, which takes minutes where it holds millions of requests. "
            "Nothing has changed if it is interrupted",
            name,
            version,
            HEAD,
        )
    command.upgrade(config, "head")
