"""The slots in which a station is on or off, and what each costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grid.windows.work import JOULES_PER_KWH
from sprout_like.jobs.planning.data import Station
from sprout_like.jobs.planning.outlook import Floats, Outlook

__all__ = ["Grain", "Slots"]

Ints = NDArray[np.intp]

# Lengths that divide an hour or a day, so that slots meet the edges of most outlooks.
_LENGTHS_S = tuple(60.0 * minutes for minutes in (5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440))
# Units of work in a slot: fewer where there is much work, to bound the effort.
_UNITS, _FEWER_UNITS, _MUCH_WORK_SLOTS = 15, 5, 50
_MOST_WORK_SLOTS = 400
_PARTS = 15
# What lies further ahead is known less well, and is planned again before it comes: coarser slots do.
_MIDDLE_S = 96 * 3600.0
_COARSER = (4, 12)
_LEAST_SLOT_S = 1.0
# Not to prefer a later slot that is cheaper by rounding alone.
_TILT = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Grain:
    """How fine slots are.

    Attributes:
        slot_s: length of the slots up to `fine_s`; coarser from there on.
        also_s: moments at which slots begin too.
        unit_s: the quantum in which work is counted.
        parts: into how many a slot is cut where a stretch begins or ends; 0 where there is much work.
    """

    slot_s: float
    fine_s: float
    unit_s: float
    parts: int = 0
    also_s: tuple[float, ...] = ()

    @classmethod
    def of(cls, work_s: float, least_slot_s: float, fine_s: float, also_s: tuple[float, ...]) -> Grain:
        """As fine as so much work allows."""
        wanted = max(work_s / _MOST_WORK_SLOTS, least_slot_s)
        slot_s = next((each for each in _LENGTHS_S if each >= wanted), math.ceil(wanted / 86400) * 86400.0)
        units, parts = (_UNITS, _PARTS) if work_s <= _MUCH_WORK_SLOTS * slot_s else (_FEWER_UNITS, 0)
        return cls(slot_s=slot_s, fine_s=fine_s, unit_s=slot_s / units, parts=parts, also_s=also_s)


@dataclass(frozen=True, slots=True)
class Slots:
    """Each array has an entry for each slot, but `edge_s`, which has one more.

    Attributes:
        unit_s: the quantum in which work is counted.
        edge_s: where slots begin and end, in s from now.
        units: whole units of work in a slot.
        on_g: what a slot emits in which the station works. idle_g: in which it stays loaded and does nothing.
        landing: the edge that follows when a station that begins to load with the slot is ready.
        ready_s: when it is ready. load_g: what loading emits.
        landing_units: work from then to the landing. landing_g: what that emits.
    """

    unit_s: float
    edge_s: Floats
    units: Ints
    on_g: Floats
    idle_g: Floats
    landing: Ints
    ready_s: Floats
    load_g: Floats
    landing_units: Ints
    landing_g: Floats

    @classmethod
    def of(
        cls,
        station: Station,
        outlook: Outlook,
        grain: Grain,
        *,
        clock_s: float,
        end_s: float,
        factor: Callable[[Floats], Floats] | None = None,
    ) -> Slots:
        """Slots from now to `end_s` at least.

        Args:
            station: whose draw they are for.
            outlook: of its zone.
            grain: how fine they are.
            clock_s: now, on a clock at whose multiples of a slot's length slots begin.
            end_s: where the last one may end.
            factor: on the costs of slots that begin at these times, to tell near-equal ones apart; None for none.
        """
        edges = _edges(grain, clock_s, end_s)
        unit_s = grain.unit_s
        lengths = np.diff(edges)
        per_s = (station.power_w / JOULES_PER_KWH, station.idle_w / JOULES_PER_KWH)
        ready = edges[:-1] + station.load_s
        landing = np.maximum(np.searchsorted(edges, ready - 1e-6), np.arange(1, len(edges)))
        inside = landing < len(edges)
        until = edges[np.minimum(landing, len(edges) - 1)]
        worked = np.maximum(until - ready, 0.0)
        load_g = station.load_j / JOULES_PER_KWH * _mean(outlook, edges[:-1], ready)
        landing_g = per_s[0] * outlook.integral(ready, np.maximum(until, ready))
        later = 1.0 + _TILT * edges[:-1] / edges[-1]
        if factor is not None:
            later = later * factor(edges[:-1])
        sums = outlook.integral(edges[:-1], edges[1:])
        return cls(
            unit_s,
            edges,
            _whole(lengths / unit_s),
            per_s[0] * sums * later,
            per_s[1] * sums * later,
            np.where(inside, landing, len(edges)),
            ready,
            load_g * later,
            _whole(worked / unit_s),
            # For whole units alone: else the few seconds over would make loading late look cheaper.
            landing_g * later * np.minimum(1.0, _whole(worked / unit_s) * unit_s / np.maximum(worked, 1.0)),
        )


def _edges(grain: Grain, clock_s: float, end_s: float) -> Floats:
    parts, begin = [np.array([0.0])], 0.0
    for until_s, times in ((grain.fine_s, 1), (max(_MIDDLE_S, grain.fine_s), _COARSER[0]), (math.inf, _COARSER[1])):
        step = grain.slot_s * times
        if end_s > begin:
            stop = min(end_s + step, until_s)
            edges = np.arange(math.floor((clock_s + begin) / step) + 1, (clock_s + stop) / step + 1e-9) * step - clock_s
            parts.append(edges)
            begin = float(edges[-1]) if len(edges) else begin
    found = np.unique(np.concatenate([*parts, [each for each in grain.also_s if 0 < each < end_s]]))
    kept: Floats = found[np.append(True, np.diff(found) >= _LEAST_SLOT_S)]
    return kept


def _whole(units: Floats) -> Ints:
    return np.floor(units + 1e-6).astype(np.intp)


def _mean(outlook: Outlook, start_s: Floats, end_s: Floats) -> Floats:
    """Mean intensity of stretches, or the intensity at their start where they have no length."""
    end_s = np.maximum(end_s, start_s + 1.0)
    mean: Floats = outlook.integral(start_s, end_s) / (end_s - start_s)
    return mean
