"""Fakes for tests, ours and yours: scripted sources, a clock set by hand, and each API on loopback, traps included."""

from grid.testing.fakes import NOON, ManualClock, ScriptedSource, reading
from grid.testing.loopback import Answer, Asked, Loopback, Point
from grid.testing.uk import LoopbackUK

__all__ = [
    "NOON",
    "Answer",
    "Asked",
    "Loopback",
    "LoopbackUK",
    "ManualClock",
    "Point",
    "ScriptedSource",
    "reading",
]
