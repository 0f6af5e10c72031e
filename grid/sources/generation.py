"""From what the plants of a zone fed in, fuel by fuel and hour by hour, to the zone's intensity.

Some providers know no intensity, only generation per fuel. The intensity made of it is that of what is *generated* in
the zone; imports and exports are not in it. What storage gives back is left out: it was counted, with the fuel it came
from, when it was generated.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

from grid.clock import UtcNow, slot_start
from grid.errors import BadData, NoData
from grid.fuels import Fuel, mix_g_per_kwh
from grid.intensity import Factors, Intensity, Series

__all__ = ["HOUR", "FedIn", "GenerationMix", "figure"]

HOUR = timedelta(hours=1)

_DAY = timedelta(days=1)
# What is asked for at once: short enough for one page and for the time limit.
_CHUNK = timedelta(days=9)
# How many zones' silent plants are remembered, each for one day of questions.
_ROSTERS = 64

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

    An hour counts only when every group of plants that told anything in the time before it (`missed_for`) has a figure
    for it: a group that is late, or has fallen silent, leaves the hour unknown, and never a mix without it. Which hours
    are known does therefore not depend on where a question begins. A group that is silent for longer is taken to have
    been shut down.

    Args:
        name: the source's name.
        factors: what the intensities count.
        ask: gets what was fed in, in hours that touch a span of a zone; nothing of groups that told nothing.
        now_utc: the clock that stamps when a figure was fetched.
        oldest: how old the end of the latest hour may be.
        missed_for: how long a group that has fallen silent is missed. What it told is asked for once per zone and day.
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
        missed_for: timedelta,
        since_utc: datetime,
    ) -> None:
        self._name = name
        self._factors = factors
        self._ask = ask
        self._now_utc = now_utc
        self._oldest = oldest
        self._missed_for = missed_for
        self._since_utc = since_utc
        self._last_before = lru_cache(_ROSTERS)(self._ask_last_before)

    def latest(self, zone: str, now_utc: datetime) -> Intensity:
        """The newest hour that is known whole.

        Raises:
            NoData: there is none, or it ended too long ago; the message names what is missing.
        """
        readings, missing = self._readings(zone, now_utc - self._oldest, slot_start(now_utc, HOUR) + HOUR)
        newest = readings.last_before(now_utc)
        if newest is None or newest.end_utc < now_utc - self._oldest:
            hours = self._oldest / HOUR
            raise NoData(f"{self._name}: for {zone}, no hour of the last {hours:.0f} is known for every fuel{missing}")
        return newest

    def history(self, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
        """The hours that touch [start_utc, end_utc) and are known whole.

        Raises:
            NoData: there is none; the message names what is missing.
        """
        until, missing = min(end_utc, self._now_utc()), ""
        series = Series([])
        if start_utc < until:
            readings, missing = self._readings(zone, start_utc, until)
            series = readings.between(start_utc, end_utc)
        if not len(series):
            asked = f"from {start_utc} to {end_utc}"
            raise NoData(f"{self._name}: for {zone}, no hour {asked} is known for every fuel{missing}")
        return series

    def _readings(self, zone: str, start_utc: datetime, end_utc: datetime) -> tuple[Series, str]:
        """The hours of whole days that are known, and in words what is missing in others."""
        first_day = slot_start(start_utc, _DAY)
        fed_in = self._fed_in(zone, first_day, end_utc)
        try:
            last = self._last_before(zone, first_day)
        except NoData:
            last = {}
        fetched_at_utc = self._now_utc()
        mixes, missing = self._whole_mixes(zone, fed_in, last)
        readings = []
        for hour_utc, mix in mixes.items():
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
        return Series(readings), missing

    def _fed_in(self, zone: str, start_utc: datetime, end_utc: datetime) -> list[FedIn]:
        """What was fed in over a span, asked for in pieces, of which some may have nothing.

        Raises:
            NoData: none has anything.
        """
        found: list[FedIn] = []
        nothing = NoData(f"{self._name}: for {zone}, there is nothing from {start_utc} to {end_utc}")
        first = max(start_utc, self._since_utc)
        while first < end_utc:
            last = min(first + _CHUNK, slot_start(end_utc - timedelta.resolution, HOUR) + HOUR)
            try:
                found += [one for one in self._ask(zone, first, last) if first <= one.start_utc < last]
            except NoData as exc:
                nothing = exc
            first = last
        if not found:
            raise nothing
        return found

    def _ask_last_before(self, zone: str, day_utc: datetime) -> Mapping[str, FedIn]:
        """What each group of plants told last before a day."""
        fed_in = self._fed_in(zone, day_utc - self._missed_for, day_utc)
        return {one.plants: one for one in sorted(fed_in, key=lambda one: one.start_utc)}

    def _whole_mixes(
        self, zone: str, fed_in: Iterable[FedIn], last_before: Mapping[str, FedIn]
    ) -> tuple[dict[datetime, dict[Fuel, float]], str]:
        """What each fuel gave in the hours that are known for every group, in MW; and what is missing in others."""
        hours: dict[datetime, dict[str, FedIn]] = defaultdict(dict)
        for one in fed_in:
            if one.mw is not None and not -_MAX_MW <= one.mw <= _MAX_MW:  # false for NaN too
                raise BadData(f"{self._name}: {one.plants} of {zone} fed in {one.mw:g} MW at {one.start_utc}")
            if hours[one.start_utc].setdefault(one.plants, one) != one:
                raise BadData(f"{self._name}: two different figures for {one.plants} of {zone} at {one.start_utc}")
        mixes: dict[datetime, dict[Fuel, float]] = {}
        missing: Counter[str] = Counter()
        last = dict(last_before)
        for hour_utc, told in sorted(hours.items()):
            last |= told
            mix: dict[Fuel, float] = defaultdict(float)
            whole = True
            for plants, group in last.items():
                mw = _generated_mw(told[plants]) if plants in told else None
                if mw is not None:
                    mix[group.fuel] += mw
                elif hour_utc - group.start_utc <= self._missed_for:
                    missing[f"{group.fuel} ({plants})"] += 1
                    whole = False
            if whole:
                mixes[hour_utc] = mix
        most = ", ".join(name for name, _ in missing.most_common(3))
        return mixes, f"; missing: {most}" if most else ""


def _generated_mw(told: FedIn) -> float | None:
    """What counts as generation of a net figure; None where that cannot be told."""
    if told.mw is None or told.mw < _STATION_USE_MW.get(told.fuel, _STATION_USE_OF_OTHERS_MW):
        return None
    return max(0.0, told.mw)
