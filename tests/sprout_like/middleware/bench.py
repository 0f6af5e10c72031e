"""The middleware with fakes at every edge."""

from __future__ import annotations

from random import Random
from typing import Any

from sprout_like import CarbonAware
from sprout_like.testing import FakeMeter, ManualClock, MemoryLedger, NullEngine

WATTS = 50.0


class Bench:
    """A `CarbonAware` on fakes: an engine that takes 2 s, a meter that draws 50 W, a ledger in memory."""

    def __init__(self, **parts: Any) -> None:
        self.clock = ManualClock()
        self.ledger = MemoryLedger()
        self.meter = FakeMeter(clock=self.clock, watts=WATTS)
        engine = parts.pop("engine", None) or NullEngine(on_run=lambda: self.clock.advance(2.0))
        defaults = {"grid": 250.0, "ledger": self.ledger, "meter": self.meter, "policy": "threshold", "rng": Random(1)}
        self.aware = CarbonAware(None, engine=engine, clock=self.clock, **{**defaults, **parts})
