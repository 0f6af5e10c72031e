"""Any sequence of answers, failures, restarts and clock jumps, and what may be seen of it."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from grid import BadData, Grid, Intensity, NoData, Series, SourceDown, SourceRefused
from grid.live.cache import DiskCache
from grid.live.fallback import FallbackSource
from grid.testing import ManualClock, ScriptedSource, reading

HOLD_S = 2 * 3600.0
FAULTS = (SourceDown("down", retry_after_s=7), BadData("null"), NoData("none"), SourceRefused("key"), KeyError("bug"))


class _Told(ScriptedSource):
    """Answers what it was told last, and keeps what it said."""

    def __init__(self, name: str, clock: ManualClock) -> None:
        super().__init__(name=name, forecasts=[NoData(name)], histories=[NoData(name)])
        self._clock = clock
        self.next: Intensity | Exception = SourceDown(f"{name}: not told")
        self.ahead: Series | Exception = NoData(f"{name}: not told")

    def latest(self, zone: str, now_utc: Any) -> Intensity:
        if isinstance(self.next, Exception):
            raise self.next
        return self.next

    def forecast(self, zone: str, start_utc: Any, end_utc: Any) -> Series:
        if isinstance(self.ahead, Exception):
            raise self.ahead
        return self.ahead


class GridStates(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.said: list[Intensity] = []

    @initialize()
    def start(self) -> None:
        self.members = [_Told("a", self.clock), _Told("b", self.clock)]
        cache = DiskCache(Path(self.folder.name), now_utc=self.clock)
        chain = FallbackSource(self.members)
        self.grid = Grid(chain, "GB", now_utc=self.clock, hold_s=HOLD_S, cache=cache, uniform=lambda: 0.5)

    @rule(
        member=st.sampled_from([0, 1]),
        g_per_kwh=st.floats(0, 5000),
        slots_ago=st.integers(-3, 12),
        kind=st.sampled_from(["average", "average", "average", "marginal"]),
        status=st.sampled_from(["actual", "estimated", "forecast", "static"]),
    )
    def answers(self, member: int, g_per_kwh: float, slots_ago: int, kind: Any, status: Any) -> None:
        start_utc = self.clock() - slots_ago * timedelta(minutes=30)
        source = self.members[member]
        source.next = reading(g_per_kwh, start_utc=start_utc, kind=kind, status=status, source=source.name)
        self.said.append(source.next)

    @rule(member=st.sampled_from([0, 1]), fault=st.sampled_from(FAULTS))
    def fails(self, member: int, fault: Exception) -> None:
        self.members[member].next = fault
        self.members[member].ahead = fault

    @rule(member=st.sampled_from([0, 1]), slots=st.integers(1, 50))
    def forecasts(self, member: int, slots: int) -> None:
        half_hour, name = timedelta(minutes=30), self.members[member].name
        starts = [self.clock() + n * half_hour for n in range(slots)]
        ahead = Series(reading(300, start_utc=start, status="forecast", source=name) for start in starts)
        self.members[member].ahead = ahead
        self.said += ahead

    @rule(seconds=st.sampled_from([-90_000, -600, 1, 60, 600, 1800, 7200, 90_000]))
    def moves(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def refreshes(self) -> None:
        self.grid.refresh_if_due()

    @precondition(lambda self: hasattr(self, "grid"))
    @rule()
    def restarts(self) -> None:
        self.grid.close()
        self.start()

    @invariant()
    def nothing_false_is_seen(self) -> None:
        if not hasattr(self, "grid"):
            return
        look, now_utc = self.grid.look(), self.clock()
        assert self.grid.next_due_s() >= 0
        if look.intensity is None:
            assert look.reason
            assert not look.stale
        else:
            seen = look.intensity
            assert any(self._same(seen, one) for one in self.said)
            assert (seen.kind, seen.factors) == ("average", "direct")
            assert seen.start_utc <= now_utc <= seen.end_utc + timedelta(seconds=HOLD_S)
            assert look.stale == (now_utc >= seen.end_utc and seen.status != "static")
            stands_in = str(look.reason).startswith("a forecast, as there is no reading")
            assert not stands_in or (seen.status == "forecast" and now_utc < seen.end_utc)
            assert (look.reason is None) == (not look.stale and not seen.passed_over and not stands_in)
        outlook = self.grid.outlook()
        if outlook.series is None:
            assert outlook.reason
        else:
            assert outlook.series[0].end_utc > now_utc
            assert len({(r.source, r.kind, r.factors) for r in outlook.series}) == 1

    @staticmethod
    def _same(seen: Intensity, said: Intensity) -> bool:
        return (seen.source, seen.start_utc, seen.g_per_kwh, seen.kind, seen.status) == (
            said.source,
            said.start_utc,
            said.g_per_kwh,
            said.kind,
            said.status,
        )

    def teardown(self) -> None:
        self.folder.cleanup()


TestGridStates = GridStates.TestCase
TestGridStates.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
