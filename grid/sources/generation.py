"""From what the plants of a zone fed in, fuel by fuel and hour by hour, to the zone's intensity.

Some providers know no intensity, only generation per fuel. The intensity made of it is that of what is *generated* in
the zone; imports and exports are not in it. What storage gives back is left out: it was counted, with the fuel it came
from, when it was generated.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from grid.clock import UtcNow, slot_start
from grid.errors import BadData, NoData
from grid.fuels import Fuel, mix_g_per_kwh
from grid.intensity import Factors, Intensity, Series

__all__ = ["HOUR", "FedIn", "GenerationMix", "figure"]

HOUR = timedelta(hours=1)

# What is asked for at once: short enough for one page and for the time limit, and a fuel that is reported no longer
# spoils no more than this.
_CHUNK = timedelta(days=7)
# What is asked for before it, to know the fuels of the zone: one that has gone silent lately is missed, not forgotten.
_LEAD = timedelta(days=2)

# The contiguous United States have never generated more than about 0.75 TW: a larger figure is an error of unit.
_MAX_MW = 1e6

# A plant that stands still draws power, so that net generation may be a little below zero. These are the figures down
# to which Electricity Maps takes that for the reason (electricitymaps-contrib, parsers/EIA.py); what is lower is a
# mistake of the provider's. For hydro, any is pumping (EIA, "About the hourly electric grid monitor").
_STATION_USE_MW: Mapping[Fuel, float] = MappingProxyType(
    {
        "coal": -50,
        "gas": -20,
        "hydro": -_MAX_MW,
        "lignite": -50,
        "solar": -100,
        "unknown": -50,
        "wind": -20,
        "wind-offshore": -20,
    }
)
_STATION_USE_OF_OTHERS_MW = -10


# Python's own float() reads more than providers write: `1_000`, `nan`, digits of other scripts.
_FIGURE = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?|[-+]?\.[0-9]+")


def figure(text: str) -> float | None:
    """The number that a text says; infinite where it is larger than a float; None where it says none."""
    return float(text) if _FIGURE.fullmatch(text.strip()) else None


@dataclass(frozen=True, slots=True)
class FedIn:
    """What one group of plants fed in over one hour.

    Attributes:
        plants: the group as the provider tells it from others; two groups may burn the same fuel.
        fuel: what they burn.
        start_utc: start of the hour.
        mw: mean power, net, in MW; None where the provider does not know it.
    """

    plants: str
    fuel: Fuel
    start_utc: datetime
    mw: float | None


class GenerationMix:
    """Intensities of a zone from its generation.

    An hour counts only when every group of plants that the same answer tells of has a figure for it: a group that is
    late leaves the hour unknown, and never a mix without it. Each answer spans the two days before what is asked for,
    so that a group which has just fallen silent is missed.

    Args:
        name: the source's name.
        factors: what the intensities count.
        ask: gets what was fed in, in hours that touch a span of a zone.
        now_utc: the clock that stamps when a figure was fetched.
        oldest: how old the end of the latest hour may be.
        since_utc: the provider has nothing before.
    """

    def __init__(
        self,
        *,
        name: str,
        factors: Factors,
        ask: Callable[[str, datetime, datetime], Iterable[FedIn]],
        now_utc: UtcNow,
        oldest: timedelta,
        since_utc: datetime,
    ) -> None:
        self._name = name
        self._factors = factors
        self._ask = ask
        self._now_utc = now_utc
        self._oldest = oldest
        self._since_utc = since_utc

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The newest hour that is known whole.

        Raises:
            NoData: there is none, or it ended too long ago.
        """
        readings = self._readings(zone, now_utc - self._oldest, slot_start(now_utc, HOUR) + HOUR)
        newest = Series.of_answer(readings).last_before(now_utc)
        if newest is None or newest.end_utc < now_utc - self._oldest:
            hours = self._oldest / HOUR
            raise NoData(f"{self._name}: for {zone}, no hour of the last {hours:.0f} is known for every fuel")
        return newest

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """The hours that touch [start_utc, end_utc) and are known whole.

        Raises:
            NoData: there is none.
        """
        found: list[Intensity] = []
        nothing: NoData | None = None
        first = slot_start(max(start_utc, self._since_utc), HOUR)
        until = min(end_utc, self._now_utc())
        while first < until:
            last = min(first + _CHUNK, slot_start(until, HOUR) + HOUR)
            try:
                found += [one for one in self._readings(zone, first, last) if first <= one.start_utc < last]
            except NoData as exc:
                nothing = nothing or exc
            first = last
        series = Series.of_answer(found).between(start_utc, end_utc)
        if not len(series):
            said = f"{self._name}: for {zone}, no hour from {start_utc} to {end_utc} is known for every fuel"
            raise nothing or NoData(said)
        return series

    def _readings(self, zone: str, start_utc: datetime, end_utc: datetime) -> list[Intensity]:
        fed_in = self._ask(zone, slot_start(start_utc - _LEAD, HOUR), end_utc)
        fetched_at_utc = self._now_utc()
        readings = []
        for hour_utc, mix in self._whole_mixes(zone, fed_in).items():
            g_per_kwh = mix_g_per_kwh(mix, self._factors)
            if g_per_kwh is not None:
                readings.append(
                    Intensity(
                        zone=zone,
                        start_utc=hour_utc,
                        end_utc=hour_utc + HOUR,
                        g_per_kwh=g_per_kwh,
                        kind="average",
                        factors=self._factors,
                        status="actual",
                        source=self._name,
                        fetched_at_utc=fetched_at_utc,
                    )
                )
        return readings

    def _whole_mixes(self, zone: str, fed_in: Iterable[FedIn]) -> dict[datetime, dict[Fuel, float]]:
        """The hours that are known for every group of plants, and what each fuel gave in them, in MW."""
        fuels: dict[str, Fuel] = {}
        hours: dict[str, dict[datetime, float | None]] = defaultdict(dict)
        for one in fed_in:
            if one.mw is not None and not -_MAX_MW <= one.mw <= _MAX_MW:  # false for NaN too
                raise BadData(f"{self._name}: {one.plants} of {zone} fed in {one.mw:g} MW at {one.start_utc}")
            fuels[one.plants] = one.fuel
            known = hours[one.plants].setdefault(one.start_utc, one.mw)
            if known != one.mw:
                raise BadData(f"{self._name}: two different figures for {one.plants} of {zone} at {one.start_utc}")
        mixes: dict[datetime, dict[Fuel, float]] = {}
        for hour_utc in set[datetime]().union(*hours.values()):
            mix: dict[Fuel, float] = defaultdict(float)
            for plants, by_hour in hours.items():
                mw = _generated_mw(fuels[plants], by_hour.get(hour_utc))
                if mw is None:
                    break
                mix[fuels[plants]] += mw
            else:
                mixes[hour_utc] = mix
        return mixes


def _generated_mw(fuel: Fuel, net_mw: float | None) -> float | None:
    """What counts as generation of a net figure; None where that cannot be told."""
    if net_mw is None or net_mw < _STATION_USE_MW.get(fuel, _STATION_USE_OF_OTHERS_MW):
        return None
    return max(0.0, net_mw)
