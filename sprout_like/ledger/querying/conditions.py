"""From what a user asks of rows to columns and conditions: names are checked, values are bound."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any, Final

from sqlalchemy import JSON, ColumnElement, String, cast, func, select, type_coerce

from sprout_like.errors import SettingError

__all__ = ["TAG", "Columns", "check_name", "conditions", "moment", "span"]

TAG: Final = "tag:"

_SINGLE: Final = (str, bytes, bool, int, float, datetime)


class Columns:
    """Columns by name, those of tags among them: `tag:team` is the tag `team`.

    Args:
        columns: by name. tags: the column with the tags; None where there are none. dialect: of the database.
    """

    def __init__(self, columns: Mapping[str, Any], *, tags: Any = None, dialect: str = "") -> None:
        self._columns = columns
        self._tags = tags
        self._dialect = dialect

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def get(self, name: str, argument: str) -> ColumnElement[Any]:
        """The column of that name.

        Raises:
            SettingError: there is none; the message names the argument and the nearest name.
        """
        if self._tags is not None and name.startswith(TAG):
            return self._tag(name.removeprefix(TAG))
        check_name(name, self._columns, argument)
        column: ColumnElement[Any] = self._columns[name]
        return column

    def _tag(self, name: str) -> ColumnElement[Any]:
        tag: ColumnElement[Any]
        if self._dialect == "sqlite":
            # A path, as `json_extract` takes it, would have to be written as the key is: with its letters escaped.
            each = func.json_each(type_coerce(self._tags, String)).table_valued("key", "value")
            tag = select(type_coerce(each.c.value, String)).where(each.c.key == name).limit(1).scalar_subquery()
        else:
            tags = self._tags if isinstance(self._tags.type, JSON) else cast(self._tags, JSON)
            tag = tags[name].as_string()
        return tag


def check_name(name: str, known: Iterable[str], argument: str) -> None:
    """See that a column has that name.

    Raises:
        SettingError: none has; the message names the argument and the nearest name.
    """
    names = tuple(known)
    if name not in names:
        near = get_close_matches(str(name), names, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names)}"
        raise SettingError(argument, f"there is no column {name!r}", hint)


def conditions(columns: Columns, where: Mapping[str, object] | None) -> list[ColumnElement[bool]]:
    """One condition per name: equal to a value, unknown (None), or one of several values, None among them or not.

    Raises:
        SettingError: there is no such column.
    """
    found: list[ColumnElement[bool]] = []
    for name, wanted in (where or {}).items():
        column = columns.get(name, "where")
        if wanted is None:
            found.append(column.is_(None))
        elif isinstance(wanted, _SINGLE) or not isinstance(wanted, Collection):
            found.append(column == wanted)
        else:
            among = column.in_([value for value in wanted if value is not None])
            found.append(among | column.is_(None) if None in wanted else among)
    return found


def span(column: Any, since_utc: datetime | None, until_utc: datetime | None) -> list[ColumnElement[bool]]:
    """The conditions for a moment from `since_utc` on and before `until_utc`."""
    found = [] if since_utc is None else [column >= since_utc]
    return found if until_utc is None else [*found, column < until_utc]


def moment(value: datetime | date | str | None, argument: str) -> datetime | None:
    """A moment in UTC; a text or a date without an offset is UTC, as in the commands.

    Raises:
        SettingError: a `datetime` without time zone, or a text that is no moment.
    """
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise SettingError(argument, f"{value!r} is not a moment", "Write 2026-03-01 or 2026-03-01T18:30") from None
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if value.tzinfo is None:
        raise SettingError(argument, f"{value} has no time zone", "Give one, as in datetime(2026, 3, 1, tzinfo=UTC)")
    return value.astimezone(UTC)
