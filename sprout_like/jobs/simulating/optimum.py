"""The optimum with perfect foresight, as a bound that no policy can beat.

Each job on workers of its own: in one zone the least with a start after every break (`grid.windows`), or what is below
every schedule in which the worker may stay loaded too (`staying`), whichever is less. In several zones, where a job may
run in all of them at once, the cheapest time in any of them and one start-up.

All jobs on one station a zone: a linear programme. x is the work done on a job in a slot, at most the time that the
slot shares with the job's own; l the time in a slot for which the station is loaded, at least the work in it; s the
starts in a slot. A station that works in a slot began in it or in the one before, or was loaded through all of that.
Work may be cut as finely as one likes, starts may be fractions and take no time, and the jobs to come are known too,
so the least of the programme is below what any policy emits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, vstack

from grid.intensity import Series
from grid.windows import WindowPlan, Work, plan_many
from grid.windows.work import JOULES_PER_KWH
from sprout_like.jobs.planning.order import TINY_S
from sprout_like.jobs.planning.outlook import Floats
from sprout_like.jobs.simulating.asked import Asked
from sprout_like.jobs.simulating.execution import Machine
from sprout_like.jobs.simulating.staying import ENOUGH, staying_loaded_g
from sprout_like.jobs.simulating.zone import Zone

__all__ = ["least_alone_g", "least_shared_g"]


def least_alone_g(
    jobs: Sequence[Asked], zones: Sequence[Zone], machine: Machine, start_utc: datetime
) -> list[float] | None:
    """What each job emits at least on workers of its own, in g; None where one cannot be in time."""
    if len(zones) > 1:
        if any(job.work_s + machine.load_s > job.due_s - job.arrival_s + TINY_S for job in jobs):
            return None
        return [_relaxed_g(job, zones, machine) for job in jobs]
    works = [
        Work(
            duration_s=job.work_s,
            power_w=machine.power_w,
            earliest_utc=start_utc + timedelta(seconds=job.arrival_s),
            deadline_utc=start_utc + timedelta(seconds=job.due_s),
            interruptible=True,
            start_up_s=machine.load_s,
            start_up_j=machine.load_j,
        )
        for job in jobs
    ]
    plans = plan_many(works, Series(zones[0].readings[zones[0].first :]))
    grams = [plan.emitted_g for plan in plans if isinstance(plan, WindowPlan)]
    if len(grams) < len(jobs):
        return None
    return [_least_g(job, zones[0], machine, known_g) for job, known_g in zip(jobs, grams, strict=True)]


def _least_g(job: Asked, zone: Zone, machine: Machine, known_g: float) -> float:
    """On a worker of its own, which may stay loaded; known_g: the least with a start after every break."""
    below_g = _relaxed_g(job, [zone], machine)
    if below_g < ENOUGH * known_g:
        _, slot, room_s = _shared([job], zone.edge_s)
        below_g = max(below_g, staying_loaded_g(job.work_s, room_s, zone.g_per_kwh[slot], machine, known_g))
    return min(known_g, below_g)


def _relaxed_g(job: Asked, zones: Sequence[Zone], machine: Machine) -> float:
    edges = zones[0].edge_s
    _, slot, most = _shared([job], edges)
    rates = np.concatenate([zone.g_per_kwh[slot] for zone in zones])
    order = np.argsort(rates)
    room = np.tile(most, len(zones))[order]
    taken = np.clip(job.work_s - (np.cumsum(room) - room), 0.0, room)
    joules = machine.power_w * taken @ rates[order] + machine.load_j * rates.min()
    return float(joules) / JOULES_PER_KWH


def least_shared_g(jobs: Sequence[Asked], zones: Sequence[Zone], machine: Machine) -> list[float] | None:
    """What each job emits in the optimum on one station a zone, in g; None where a deadline cannot be kept.

    Starts and idling are shared out by work.
    """
    count, slots = len(jobs), len(zones[0].g_per_kwh)
    edges, lengths = zones[0].edge_s, np.diff(zones[0].edge_s)
    job, slot, most = _shared(jobs, edges)
    rate = np.concatenate([zone.g_per_kwh for zone in zones]) / JOULES_PER_KWH
    cells = len(zones) * slots
    # Columns: the work of each job in each slot, zone by zone; then loaded time; then starts.
    place = np.concatenate([slot + number * slots for number in range(len(zones))])
    work, x = np.arange(len(place)), len(place)
    before = np.maximum(np.arange(cells) - 1, np.arange(cells) // slots * slots)
    cost = np.concatenate(
        [
            (machine.power_w - machine.idle_w) * rate[place],
            machine.idle_w * rate,
            machine.load_j * np.minimum(rate, rate[before]),
        ]
    )
    done = coo_array((np.ones(x), (np.tile(job, len(zones)), work)), shape=(count, x + 2 * cells))
    cell = np.arange(cells)
    within = _matrix([(place, work, 1.0), (cell, x + cell, -1.0)], (cells, x + 2 * cells))
    share = 1.0 / np.tile(lengths, len(zones))
    later = np.flatnonzero(before != cell)
    begun = _matrix(
        [
            (cell, x + cell, share),
            (later, x + before[later], -share[before[later]]),
            (cell, x + cells + cell, -1.0),
            (later, x + cells + before[later], -1.0),
        ],
        (cells, x + 2 * cells),
    )
    upper = np.concatenate([np.tile(most, len(zones)), np.tile(lengths, len(zones)), np.full(cells, np.inf)])
    found = linprog(
        cost,
        A_ub=vstack([within, begun]),
        b_ub=np.zeros(2 * cells),
        A_eq=csr_array(done),
        b_eq=np.array([each.work_s for each in jobs]),
        bounds=np.stack([np.zeros(len(cost)), upper], axis=1),
        method="highs",
    )
    if found.status == 2:
        return None
    if found.status != 0:
        raise ArithmeticError(f"the optimum was not found: {found.message}")
    own = np.bincount(np.tile(job, len(zones)), machine.power_w * rate[place] * found.x[:x], minlength=count)
    grams: list[float] = (own * (float(found.fun) / float(own.sum()))).tolist()
    return grams


def _shared(jobs: Sequence[Asked], edges: Floats) -> tuple[np.ndarray, np.ndarray, Floats]:
    """Jobs and the slots that they may use, and the time that these share."""
    numbers, slots, most = [], [], []
    for number, each in enumerate(jobs):
        first = max(int(np.searchsorted(edges, each.arrival_s, side="right")) - 1, 0)
        last = min(int(np.searchsorted(edges, each.due_s)), len(edges) - 1)
        own = np.arange(first, last)
        numbers.append(np.full(len(own), number))
        slots.append(own)
        most.append(np.minimum(edges[own + 1], each.due_s) - np.maximum(edges[own], each.arrival_s))
    return np.concatenate(numbers), np.concatenate(slots), np.concatenate(most)


def _matrix(parts: Sequence[tuple[np.ndarray, np.ndarray, Floats | float]], shape: tuple[int, int]) -> csr_array:
    rows, columns = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    values = np.concatenate([np.broadcast_to(part[2], len(part[0])) for part in parts])
    return csr_array((values, (rows, columns)), shape=shape)
