"""A query that is run when its rows are asked for, and only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, Select
from sqlalchemy.exc import SQLAlchemyError

from sprout_like.errors import SettingError
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.faults import as_startup_error

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Selection"]

_AT_A_TIME: Final = 1000


class Selection:
    """Rows of a ledger; each of `rows`, `frame` and a loop over it runs the query anew.

    Args:
        engine: of the ledger. build: makes the query; its columns are the rows' names.
    """

    def __init__(self, engine: Engine, build: Callable[[], Select[*tuple[Any, ...]]]) -> None:
        self._engine = engine
        self._build = build

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.rows()

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row as a dict, fetched as it is asked for: a million rows need no more memory than a thousand.

        Raises:
            LedgerError: the database went away.
        """
        statement = self._build()
        names = list(statement.selected_columns.keys())
        with self._reading() as connection, closing(connection.execute(statement)) as found:
            for row in found:
                yield dict(zip(names, row, strict=True))

    def frame(self) -> DataFrame:
        """All rows as a pandas frame, a column's type that of the ledger's column, whatever it holds.

        Raises:
            SettingError: pandas is missing.
            LedgerError: the database went away.
        """
        try:
            from sprout_like.ledger.querying.frame import frame_of
        except ImportError as exc:
            raise SettingError("pandas", "pandas cannot be imported", 'pip install "sprout-like[pandas]"') from exc
        statement = self._build()
        types = {name: column.type for name, column in statement.selected_columns.items()}
        with self._reading() as connection, closing(connection.execute(statement)) as found:
            return frame_of(types, found)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        engine = build_engine(self._engine.url)  # its own, as questions that overlap end in any order
        try:
            with engine.connect() as connection:
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql("PRAGMA query_only=ON")
                    yield connection.execution_options(yield_per=_AT_A_TIME)
                else:
                    yield connection.execution_options(yield_per=_AT_A_TIME, postgresql_readonly=True)
        except SQLAlchemyError as exc:
            raise as_startup_error(exc, engine.url) from exc
        finally:
            engine.dispose()
            self._engine.dispose()  # what sums were looked up by
