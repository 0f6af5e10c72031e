"""A source that follows a script, a clock set by hand, and readings made up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from grid.clock import slot_start
from grid.errors import NoData, SourceError
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

    It answers for any known zone. It has a forecast where `forecasts` are given, and a history where `histories` are;
    of a series it gives what touches the span that is asked for, and raises `NoData` where nothing does.

    Args:
        answers: what `latest` returns or raises, call by call; at least one.
        slot_s: length of the slots that figures are for, in s.
        name: its name.
        kind, factors: what it says of itself, and what figures are.
        forecasts: what `forecast` plays, call by call.
        histories: what `history` plays, call by call.

    Attributes:
        asked: how often `latest` was called.
        spans_asked: the spans that `forecast` and `history` were asked for, in order.
        closed: whether `close` was called.
    """

    def __init__(
        self,
        *answers: Intensity | float | Exception,
        slot_s: float = 1800.0,
        name: str = "scripted",
        kind: Kind = "average",
        factors: Factors = "direct",
        forecasts: Sequence[Series | Exception] = (),
        histories: Sequence[Series | Exception] = (),
    ) -> None:
        self.name = name
        self.slot_s = slot_s
        self.kind: Kind = kind
        self.factors: Factors = factors
        self.asked = 0
        self.spans_asked: list[tuple[Capability, datetime, datetime]] = []
        self.closed = False
        self._answers = answers
        self._scripts: dict[Capability, Sequence[Series | Exception]] = {"forecast": forecasts, "history": histories}

    @property
    def can(self) -> frozenset[Capability]:
        """`latest`, and what there is a script for."""
        scripted: frozenset[Capability] = frozenset(name for name, script in self._scripts.items() if script)
        return scripted | {"latest"}

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
        return reading(
            answer,
            zone=zone,
            start_utc=start_utc,
            slot_s=self.slot_s,
            kind=self.kind,
            factors=self.factors,
            source=self.name,
        )

    def forecast(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """The next of `forecasts`."""
        return self._play("forecast", zone, start_utc, end_utc)

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """The next of `histories`."""
        return self._play("history", zone, start_utc, end_utc)

    def close(self) -> None:
        """Remember it."""
        self.closed = True

    def _play(self, capability: Capability, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        self.check_zone(zone)
        script = self._scripts[capability]
        if not script:
            raise SourceError(f"{self.name}: it has no {capability}")
        played = sum(asked == capability for asked, _, _ in self.spans_asked)
        self.spans_asked.append((capability, start_utc, end_utc))
        answer = script[min(played, len(script) - 1)]
        if isinstance(answer, Exception):
            raise answer
        series = answer.between(start_utc, end_utc)
        if not len(series):
            raise NoData(f"{self.name}: no {capability} from {start_utc} to {end_utc}")
        return series
