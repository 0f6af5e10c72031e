"""Fakes for tests, ours and yours: scripted sources, a clock set by hand, and each API on loopback, traps included."""

from grid.testing.eia import LoopbackEia
from grid.testing.electricity_maps import LoopbackElectricityMaps
from grid.testing.energy_charts import LoopbackEnergyCharts
from grid.testing.entsoe import LoopbackEntsoe
from grid.testing.fakes import NOON, ManualClock, ScriptedSource, reading
from grid.testing.loopback import Answer, Asked, Loopback, Point
from grid.testing.uk import LoopbackUK
from grid.testing.watttime import LoopbackWattTime

__all__ = [
    "NOON",
    "Answer",
    "Asked",
    "Loopback",
    "LoopbackEia",
    "LoopbackElectricityMaps",
    "LoopbackEnergyCharts",
    "LoopbackEntsoe",
    "LoopbackUK",
    "LoopbackWattTime",
    "ManualClock",
    "Point",
    "ScriptedSource",
    "reading",
]
