"""A source that follows a script, a clock set by hand, and readings made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from grid.clock import slot_start
from grid.errors import SourceError
from grid.intensity import Factors, Intensity, Kind, Series, Status
from grid.source import Capability
from grid.zones import check_known

__all__ = ["NOON", "ManualClock", "ScriptedSource", "reading"]

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def reading(
    g_per_kwh: float,
    *,
    zone: str = "GB",
    start_utc: datetime = NOON,
    slot_s: float = 1800.0,
    kind: Kind = "average",
    factors: Factors = "direct",
    status: Status = "actual",
    source: str = "scripted",
) -> Intensity:
    """A reading that was fetched when its span began."""
    return Intensity(
        zone=zone,
        start_utc=start_utc,
        end_utc=start_utc + timedelta(seconds=slot_s),
        g_per_kwh=g_per_kwh,
        kind=kind,
        factors=factors,
        status=status,
        source=source,
        fetched_at_utc=start_utc,
    )


class ManualClock:
    """A clock that stands still until it is moved; call it for the time."""

    def __init__(self, now_utc: datetime = NOON) -> None:
        self.now_utc = now_utc

    def __call__(self) -> datetime:
        """The time it was set to."""
        return self.now_utc

    def advance(self, seconds: float) -> None:
        """Move it on, or back where `seconds` is negative."""
        self.now_utc += timedelta(seconds=seconds)


class ScriptedSource:
    """Plays its answers in order and repeats the last: a reading, a figure for the slot that holds now, or an error.

    It can give the latest reading only, for any known zone.

    Args:
        answers: what `latest` returns or raises, call by call; at least one.
        slot_s: length of the slots that figures are for, in s.

    Attributes:
        asked: how often `latest` was called.
        closed: whether `close` was called.
    """

    can: frozenset[Capability] = frozenset({"latest"})
    kind: Kind = "average"
    factors: Factors = "direct"

    def __init__(self, *answers: Intensity | float | Exception, slot_s: float = 1800.0, name: str = "scripted") -> None:
        self.name = name
        self.slot_s = slot_s
        self.asked = 0
        self.closed = False
        self._answers = answers

    def check_zone(self, zone: str) -> None:
        """Accept every known zone."""
        check_known(zone)

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The next answer."""
        self.check_zone(zone)
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Intensity):
            return answer
        start_utc = slot_start(now_utc, timedelta(seconds=self.slot_s))
        return reading(answer, zone=zone, start_utc=start_utc, slot_s=self.slot_s, source=self.name)

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:  # noqa: ARG002
        """Raise: it is not among `can`."""
        raise SourceError(f"{self.name} has no forecast")

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:  # noqa: ARG002
        """Raise: it is not among `can`."""
        raise SourceError(f"{self.name} has no history")

    def close(self) -> None:
        """Remember it."""
        self.closed = True
