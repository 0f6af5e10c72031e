"""The least that one job emits on a worker of its own in one zone, where the worker may also stay loaded in a break.

A mixed integer programme, by slot: x is the work, y the time that the worker loads, f the share of the slot in which
it is on (loads, works or idles), and s, a whole number, the starts that begin in it. It works and loads only while it
is on; if it is on in a slot, it began in it or in the one before, or was on through all of that; what it loads is
time of starts in that slot or so many before as a start may last. Every schedule meets all of that, so the least of
the programme is below what any of them emits; starts may also be fractions, which makes it quicker and no higher.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import block_array, csr_array, diags_array, eye_array

from grid.windows.work import JOULES_PER_KWH
from sprout_like.jobs.planning.outlook import Floats
from sprout_like.jobs.simulating.execution import Machine

__all__ = ["ENOUGH", "staying_loaded_g"]

ENOUGH = 0.999
"""A bound that is so near to a schedule that is known is not made any sharper."""


def staying_loaded_g(work_s: float, room_s: Floats, g_per_kwh: Floats, machine: Machine, known_g: float) -> float:
    """No more than any schedule emits that is in time, in g.

    Args:
        work_s: time of the work; it fits, with a start.
        room_s: time in each slot, one slot after the other, in which it may be done; above 0.
        g_per_kwh: of each slot.
        machine: what the worker draws.
        known_g: what some schedule emits.

    Raises:
        ArithmeticError: the programme was not solved.
    """
    least_g = _least_g(work_s, room_s, g_per_kwh, machine, whole=False)
    if least_g < ENOUGH * known_g:
        least_g = max(least_g, _least_g(work_s, room_s, g_per_kwh, machine, whole=True))
    return least_g


def _least_g(work_s: float, room_s: Floats, g_per_kwh: Floats, machine: Machine, *, whole: bool) -> float:
    slots = len(room_s)
    rate = g_per_kwh / JOULES_PER_KWH
    load_w = machine.load_j / machine.load_s if machine.load_s else 0.0
    cost = np.concatenate(
        [
            (machine.power_w - machine.idle_w) * rate,
            (load_w - machine.idle_w) * rate,
            machine.idle_w * rate * room_s,
            np.zeros(slots),
        ]
    )
    found: OptimizeResult = milp(
        cost,
        constraints=_rules(work_s, room_s, machine.load_s),
        bounds=Bounds(0.0, np.concatenate([room_s, room_s, np.ones(slots), np.full(slots, np.inf)])),
        integrality=np.repeat([0, int(whole)], [3 * slots, slots]),
        options={"mip_rel_gap": 1 - ENOUGH} if whole else {},
    )
    if found.status != 0:
        raise ArithmeticError(f"the optimum of a job was not found: {found.message}")
    # Of whole numbers the best that was found is a little above the least; what was proved is not.
    return float(found.mip_dual_bound if whole else found.fun)


def _rules(work_s: float, room_s: Floats, load_s: float) -> LinearConstraint:
    slots = len(room_s)
    one, before = eye_array(slots, format="csr"), eye_array(slots, k=-1, format="csr")
    shortest_s = float(room_s[1:-1].min()) if slots > 2 else math.inf
    lasts = min(math.ceil(load_s / shortest_s), slots) if slots > 2 else slots
    since = sum((eye_array(slots, k=-ago, format="csr") for ago in range(1, lasts + 1)), one)
    row = csr_array(np.ones((1, slots)))
    matrix = block_array(
        [
            [one, one, -diags_array(room_s), None],
            [None, None, one - before, -(one + before)],
            [None, one, None, -load_s * since],
            [row, None, None, None],
            [None, row, None, -load_s * row],
            [None, None, None, row],
        ],
        format="csr",
    )
    low = np.concatenate([np.full(3 * slots, -np.inf), [work_s, 0.0, 1.0]])
    high = np.concatenate([np.zeros(3 * slots), [work_s, 0.0, np.inf]])
    return LinearConstraint(matrix, low, high)
