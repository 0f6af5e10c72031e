"""Moments as people read them: in the machine's own zone, or in UTC where they ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["Times", "in_words"]

# A tick every so many hours; from a day on, at local midnight.
_STEPS_H = (1, 2, 3, 6, 12, 24, 48, 7 * 24, 14 * 24, 28 * 24)
# Every zone in use is off UTC by a multiple of this, so full local hours lie on this raster.
_RASTER = timedelta(minutes=15)
_UTC = "UTC"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Times:
    """How moments are written.

    Attributes:
        utc: in UTC; otherwise in the machine's own zone, with its offset at that moment.
    """

    utc: bool = False

    def moment(self, when_utc: datetime) -> str:
        """Day, time and offset."""
        return f"{self._at(when_utc):%Y-%m-%d %H:%M} {self.offset(when_utc)}"

    def short(self, when_utc: datetime) -> str:
        """Day and time, where the year and the offset are clear."""
        return f"{self._at(when_utc):%d %b %H:%M}"

    def span(self, start_utc: datetime, end_utc: datetime) -> str:
        """From when to when; in UTC too, where the machine's zone is another."""
        start, end = self._at(start_utc), self._at(end_utc)
        end_form = "%H:%M" if start.date() == end.date() else "%Y-%m-%d %H:%M"
        first, last = self.offset(start_utc), self.offset(end_utc)
        changed = "" if first == last else f" {first}"
        text = f"{start:%Y-%m-%d %H:%M}{changed} to {end:{end_form}} {last}"
        if first == last == _UTC:
            return text
        return f"{text} ({Times(utc=True).span(start_utc, end_utc)})"

    def offset(self, when_utc: datetime) -> str:
        """`UTC`, or `UTC+05:30`."""
        local = self._at(when_utc)
        return f"{_UTC}{local.isoformat()[-6:]}" if local.utcoffset() else _UTC

    def offsets(self, start_utc: datetime, end_utc: datetime) -> str:
        """The offset, or both where the clocks change in between."""
        first, last = self.offset(start_utc), self.offset(end_utc)
        return first if first == last else f"{first}, then {last}"

    def ticks(self, start_utc: datetime, end_utc: datetime, most: int) -> Iterator[tuple[datetime, str]]:
        """Full local hours or midnights in [start_utc, end_utc), at most about `most`, each with its label."""
        hours = (end_utc - start_utc) / timedelta(hours=1)
        step = next((step for step in _STEPS_H if hours <= step * most), _STEPS_H[-1])
        when = start_utc + (_EPOCH - start_utc) % _RASTER
        while when < end_utc:
            local = self._at(when)
            if not local.minute and not (local.toordinal() * 24 + local.hour) % step:
                yield when, f"{local:%d %b}" if step >= 24 else f"{local:%H:%M}"
            when += _RASTER

    def _at(self, when_utc: datetime) -> datetime:
        return when_utc.astimezone(UTC if self.utc else None)


def in_words(seconds: float) -> str:
    """A length of time to two figures or so: `45 s`, `12 min`, `1.5 h`, `30 h`, `9 d`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200 and seconds != 3600:
        return f"{seconds / 60:.0f} min"
    value, unit = (seconds / 86400, "d") if seconds >= 5 * 86400 else (seconds / 3600, "h")
    return f"{round(value, 1):g} {unit}"
