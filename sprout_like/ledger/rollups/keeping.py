"""Writes sums of hours and days, and the groups that they are of."""

from __future__ import annotations

import hashlib
import json
from collections import ChainMap
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from sprout_like.ledger.rollups.facts import DIMENSIONS, MEASURES
from sprout_like.ledger.rollups.spans import day_of
from sprout_like.ledger.schema import DayRow, GroupRow, HourRow, StaleDayRow

__all__ = ["Keeper"]

_KNOWN_MOST: Final = 100_000
_PAGE: Final = 500

_REF: Final = GroupRow.group_ref
_GROUP: Final = tuple(getattr(GroupRow, name) for name in DIMENSIONS[1:])

_Group = tuple[Any, ...]


def _hash(group: str) -> int:
    """63 bits: the chance that two of a million groups share one is 5e-8."""
    return int.from_bytes(hashlib.blake2b(group.encode(), digest_size=8).digest()) >> 1


class Keeper:
    """Knows which groups it has written.

    Args:
        dialect: `sqlite` or `postgresql`.
        make_ref: where to look first for a group's reference, from its values as JSON.
    """

    def __init__(self, dialect: str, *, make_ref: Callable[[str], int] = _hash) -> None:
        self._make_ref = make_ref
        make = postgresql.insert if dialect == "postgresql" else sqlite.insert
        self._insert_group = make(GroupRow).on_conflict_do_nothing()
        stale_day = make(StaleDayRow)
        self._mark_day = stale_day.on_conflict_do_update(index_elements=["day_utc"], set_={"claim": None})
        self._known: dict[_Group, int] = {}
        self._new: dict[_Group, int] = {}

    def keep_hours(self, connection: Connection, hours: Mapping[datetime, Sequence[Row[Any]]]) -> None:
        """Replace the sums of these hours by the lines, as `live` gives them; their days are stale then."""
        self._find(connection, dict.fromkeys(line[1 : len(DIMENSIONS)] for lines in hours.values() for line in lines))
        refs = ChainMap(self._new, self._known)
        rows = []
        for hour, lines in hours.items():
            connection.execute(delete(HourRow).where(HourRow.hour_utc == hour))
            for line in lines:
                sums = zip(MEASURES, line[len(DIMENSIONS) :], strict=True)
                rows.append({"hour_utc": hour, "group_ref": refs[line[1 : len(DIMENSIONS)]], **dict(sums)})
        if self._new:
            groups = [dict(zip(DIMENSIONS[1:], group, strict=True)) for group in self._new]
            values = [{"group_ref": ref, **group} for ref, group in zip(self._new.values(), groups, strict=True)]
            connection.execute(self._insert_group, values)
        if rows:
            connection.execute(insert(HourRow), rows)
        days = sorted({day_of(hour) for hour in hours})
        if days:
            connection.execute(self._mark_day, [{"day_utc": day} for day in days])

    def remember(self) -> None:
        """The groups written last are committed: they need not be written again."""
        if len(self._known) > _KNOWN_MOST:
            self._known.clear()
        self._known |= self._new
        self._new = {}

    def keep_day(self, connection: Connection, day: datetime, lines: Sequence[Row[Any]]) -> None:
        """Replace the sums of a day by the lines: reference of the group, then the measures."""
        connection.execute(delete(DayRow).where(DayRow.day_utc == day))
        if lines:
            connection.execute(insert(DayRow), [{"day_utc": day, **line._mapping} for line in lines])  # noqa: SLF001 - its public name, says SQLAlchemy

    def _find(self, connection: Connection, groups: Collection[_Group]) -> None:
        """Give a reference to each group that has none yet: its hash or, where another group has that, the next free.

        Nobody else adds groups meanwhile: who writes sums is alone.
        """
        wanted = {group: self._make_ref(_text(group)) for group in groups if group not in self._known}
        taken: dict[int, str] = {}
        while wanted:
            refs = sorted(set(wanted.values()))
            for start in range(0, len(refs), _PAGE):
                found = connection.execute(select(_REF, *_GROUP).where(_REF.in_(refs[start : start + _PAGE])))
                taken |= {ref: _text(group) for ref, *group in found}
            for group, ref in tuple(wanted.items()):
                if taken.setdefault(ref, _text(group)) == _text(group):
                    self._new[group] = ref
                    del wanted[group]
                else:
                    wanted[group] = ref + 1


def _text(group: Sequence[Any]) -> str:
    return json.dumps(list(group), separators=(",", ":"))
