"""When a station is on: the slots that emit least, by dynamic programming over slots, state and work done.

States are off, idle (loaded, nothing runs) and on. From an edge to the next, a station that is loaded works or idles,
one that is off stays off or begins to load; it may stop at any edge. So whether to stay loaded through a gap or to load
again after it is part of the search. Exact for the given slots and units (Bellman, Dynamic Programming, 1957).

Where there is little work, a whole slot is much of it. Then a station may also stop after a part of a slot, or begin
to load so late that it works in the last part of one; else a low that lacks a few seconds would be given up for a
whole dirty slot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sprout_like.jobs.planning.outlook import Floats
from sprout_like.jobs.planning.slots import Ints, Slots

__all__ = ["Stretch", "always_on", "cheapest_stretches"]

_OFF, _IDLE, _ON = range(3)
# How an edge at which the station is off can be come to as well: it stopped within the slot, and was idle or on before.
_STOPPED = {_IDLE: 3, _ON: 4}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of work without a break, in s from now.

    Attributes:
        start_s: where loading begins, or work where the model is still loaded. ready_s: where work begins.
        loads: whether it begins with loading.
    """

    start_s: float
    ready_s: float
    end_s: float
    loads: bool


def always_on(slots: Slots, most: Ints, *, loaded: bool) -> Ints:
    """Units done at each edge by a station that is on from now on, where no more than `most` can have been done."""
    done = np.zeros(len(slots.edge_s), dtype=np.intp)
    begin = 0
    if not loaded:
        begin = int(slots.landing[0])
        if begin >= len(done):
            return done
        done[begin] = min(slots.landing_units[0], most[begin])
    for slot in range(begin, len(slots.units)):
        done[slot + 1] = min(done[slot] + slots.units[slot], most[slot + 1])
    return done


def cheapest_stretches(slots: Slots, least: Ints, most: Ints, *, loaded: bool, parts: int = 0) -> list[Stretch]:
    """The stretches of work that emit least.

    Args:
        slots: the slots and what they cost.
        least: units that must be done by each edge, never more than a station that is always on has done by then.
        most: units that can have been done by each edge, as the others are not there yet; at least `least`.
        loaded: whether the model is loaded now.
        parts: into how many a slot is cut of which a station may work some before it stops, or after it has loaded.
    """
    return _Program(slots, least, most, loaded=loaded, parts=parts).solved()


class _Program:
    def __init__(self, slots: Slots, least: Ints, most: Ints, *, loaded: bool, parts: int) -> None:
        self._slots, self._least, self._most, self._parts = slots, least, most, parts
        count, width = len(slots.units), int(most[-1]) + 1
        self._values = np.full((3, width), np.inf)
        self._values[_OFF, 0] = 0.0
        if loaded:
            self._values[_IDLE, 0] = 0.0
        self._done = np.arange(width)
        # How each state at each edge was come to: the state before, and the slot at which loading began or -1.
        self._before = np.zeros((count + 1, 3, width), dtype=np.int8)
        self._begun = np.full((count + 1, width), -1, dtype=np.int32)
        self._from = np.zeros((count + 1, width), dtype=np.int32)
        # Units of a part of a slot, worked after loading or before a stop; 0 for a whole one.
        self._after, self._until = (np.zeros((count + 1, width), dtype=np.int16) for _ in range(2))
        self._shares: dict[int, Floats] = {}
        self._parts_of: dict[int, tuple[Ints, Ints, Floats]] = {}
        self._landing: dict[int, list[tuple[int, Ints | None, Floats, Ints]]] = {}

    def solved(self) -> list[Stretch]:
        for slot in range(len(self._slots.units)):
            self._step(slot)
        return self._back()

    def _step(self, slot: int) -> None:
        slots, edge = self._slots, slot + 1
        off, idle, on = self._values
        landing = int(slots.landing[slot])
        if landing <= len(slots.units):
            units = int(slots.landing_units[slot])
            cost = slots.load_g[slot] + slots.landing_g[slot] * self._share(units)
            # Nothing is done while it loads: what must be by an edge in between is done before.
            done = np.where(self._done < self._least[landing - 1], np.inf, off)
            value, origin = self._advanced(done, units, cost, landing)
            after: Ints | None = None
            if self._parts and units > 1:
                ended, part = self._in_part(done, units, slots.landing_g[slot], landing)
                ended += slots.load_g[slot]
                better = ended < value
                value = np.where(better, ended, value)
                origin = np.where(better, self._done - part, origin)
                after = np.where(better, part, 0)
            self._landing.setdefault(landing, []).append((slot, after, value, origin))
        loaded = np.minimum(on, idle)
        was_idle = idle < on
        units = int(slots.units[slot])
        value, origin = self._advanced(loaded, units, slots.on_g[slot] * self._share(units), edge)
        state = np.where(was_idle[origin], _IDLE, _ON)
        for start, after, landed, from_done in self._landing.pop(edge, ()):
            better = landed < value
            if not better.any():
                continue
            value = np.where(better, landed, value)
            origin = np.where(better, from_done, origin)
            state = np.where(better, _OFF, state)
            self._begun[edge, better] = start
            self._after[edge, better] = 0 if after is None else after[better]
        self._before[edge, _OFF] = np.where(off <= loaded, _OFF, np.where(was_idle, _IDLE, _ON))
        stopped = np.minimum(off, loaded)
        if self._parts and units > 1:
            ended, part = self._in_part(loaded, units, slots.on_g[slot], edge)
            better = ended < stopped
            if better.any():
                stopped = np.where(better, ended, stopped)
                idled = was_idle[(self._done - part)[better]]
                self._before[edge, _OFF, better] = np.where(idled, _STOPPED[_IDLE], _STOPPED[_ON])
                self._until[edge, better] = part[better]
        self._before[edge, _IDLE] = np.where(was_idle, _IDLE, _ON)
        self._before[edge, _ON] = state
        self._from[edge] = origin
        self._values = np.empty_like(self._values)
        self._values[_OFF] = stopped
        np.add(loaded, slots.idle_g[slot], out=self._values[_IDLE])
        self._values[_ON] = value
        self._values[:, : self._least[edge]] = np.inf

    def _in_part(self, values: Floats, units: int, cost_g: float, edge: int) -> tuple[Floats, Ints]:
        """Values after the best part of that many units, at that part of the cost, and how many units that is."""
        if units not in self._parts_of:
            parts = np.arange(1, units, -(-units // self._parts))
            # What is below no work at all is looked up in the entry behind the last, which is infinite.
            before = self._done - parts[:, np.newaxis]
            self._parts_of[units] = (parts, np.where(before < 0, len(self._done), before), parts / units)
        parts, before, shares = self._parts_of[units]
        ways = np.append(values, np.inf)[before] + (cost_g * shares)[:, np.newaxis]
        best = ways.argmin(axis=0)
        value = ways[best, self._done]
        value[self._most[edge] + 1 :] = np.inf
        return value, parts[best]

    def _share(self, units: int) -> Floats:
        """The part of so many units that is left to do: of a slot in which the work ends, only that is paid."""
        if units not in self._shares:
            self._shares[units] = np.minimum(1.0, (self._most[-1] - self._done) / max(units, 1))
        return self._shares[units]

    def _advanced(self, values: Floats, units: int, cost: Floats, edge: int) -> tuple[Floats, Ints]:
        """Values after that many units more at a cost, and how much was done before; no more is done than can be."""
        width, most = len(values), int(self._most[edge])
        paid = values + cost
        moved = np.full(width, np.inf)
        origin = np.maximum(self._done - units, 0)
        moved[units : most + 1] = paid[: max(0, most + 1 - units)]
        tail = max(0, most - units)
        best = tail + int(np.argmin(paid[tail : most + 1]))
        moved[most], origin[most] = paid[best], best
        return moved, origin

    def _back(self) -> list[Stretch]:
        slots, edge, done = self._slots, len(self._slots.units), len(self._done) - 1
        state = int(np.argmin(self._values[:, done]))
        found: list[Stretch] = []
        while edge > 0:
            before = int(self._before[edge, state, done])
            if state == _ON:
                start = int(self._begun[edge, done])
                part_s = slots.unit_s * int(self._after[edge, done])
                end_s = float(slots.edge_s[edge])
                done = int(self._from[edge, done])
                if start >= 0:
                    begin, ready_s = float(slots.edge_s[start]), float(slots.ready_s[start])
                    later_s = end_s - part_s - ready_s if part_s else 0.0
                    found.append(Stretch(begin + later_s, ready_s + later_s, end_s, True))
                    edge = start
                else:
                    edge -= 1
                    begin = float(slots.edge_s[edge])
                    found.append(Stretch(begin, begin, end_s, False))
            else:
                if before in _STOPPED.values():
                    begin, part = float(slots.edge_s[edge - 1]), int(self._until[edge, done])
                    found.append(Stretch(begin, begin, begin + part * slots.unit_s, False))
                    before = _IDLE if before == _STOPPED[_IDLE] else _ON
                    done -= part
                edge -= 1
            state = before
        return _joined(found[::-1])


def _joined(stretches: list[Stretch]) -> list[Stretch]:
    """Stretches that follow one another without loading, as one."""
    joined: list[Stretch] = []
    for each in stretches:
        if joined and not each.loads and each.start_s == joined[-1].end_s:
            joined[-1] = replace(joined[-1], end_s=each.end_s)
        else:
            joined.append(each)
    return joined
