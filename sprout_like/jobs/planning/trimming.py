"""Time that is switched on and not needed, off where it is dirtiest."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sprout_like.jobs.planning.data import Station
from sprout_like.jobs.planning.outlook import Floats, Outlook
from sprout_like.jobs.planning.program import Stretch

__all__ = ["trimmed"]

# Left over, so that no job is late by rounding.
_KEPT_S = 0.1


def trimmed(
    station: Station,
    outlook: Outlook,
    stretches: Sequence[Stretch],
    *,
    work_s: float,
    needed: Sequence[tuple[float, float]],
    from_s: float,
) -> list[Stretch]:
    """The stretches without what they hold more than the work.

    Slots and units round up, so stretches are longer than the work; and as work fills them in order of time, it would
    be the end of the last one that stays unused, however clean that is. So seconds are taken off the beginnings and
    ends of stretches, again and again where a second emits most, until no more than the work is left. None is taken
    off where the work that is due by a later moment would not fit before that any more.

    Args:
        station: whose draw it is.
        outlook: of its zone.
        stretches: in order of time, each with an end.
        work_s: all that is to be done.
        needed: moments, and work that must fit before each.
        from_s: nothing is taken off before that.
    """
    ready = np.array([each.ready_s for each in stretches])
    end = np.array([each.end_s for each in stretches])
    loads = np.array([each.loads for each in stretches])
    # What a second off saves: beside a gap in which the model stays loaded, the station idles instead.
    stays = np.concatenate((loads[1:] == 0, [False]))
    ends_w, begins_w = (station.power_w - station.idle_w * each for each in (stays, ~loads))
    moments = np.array(sorted(needed)).reshape(-1, 2)
    by = moments[:, :1]
    spare = np.maximum(np.minimum(end, by) - ready, 0.0).sum(axis=1) - moments[:, 1] - _KEPT_S
    over_s = float((end - ready).sum()) - work_s - _KEPT_S
    # Between these, a second saves as much as the next one: as much is taken off at a time.
    edges = np.unique(np.concatenate(([from_s], outlook.edges_s, by[:, 0])))
    for _ in range(2 * len(edges) + 2 * len(stretches)):
        if over_s <= _KEPT_S:
            break
        most_s = np.minimum(end - ready, over_s)
        before, after = np.searchsorted(edges, end) - 1, np.searchsorted(edges, ready, side="right")
        end_s = np.minimum(most_s, end - edges[np.maximum(before, 0)])
        start_s = np.minimum(most_s, edges[np.minimum(after, len(edges) - 1)] - ready)
        # Ends before beginnings, late before early: between equals, what would stay unused anyhow.
        cut_s = np.concatenate((end_s[::-1], start_s[::-1]))
        begin_s = np.concatenate(((end - end_s)[::-1], ready[::-1]))
        least = np.append(np.minimum.accumulate(spare[::-1])[::-1], math.inf)
        cut_s = np.minimum(cut_s, least[np.searchsorted(by[:, 0], begin_s, side="right")])
        # Where less is taken off an end than to the edge, it begins later.
        begin_s[: len(end)] = end[::-1] - cut_s[: len(end)]
        cut_s = np.where(begin_s < from_s, 0.0, cut_s)
        rate = np.concatenate((ends_w[::-1], begins_w[::-1])) * _mean(outlook, begin_s, cut_s)
        place = int(np.argmax(np.where(cut_s > _KEPT_S, rate, -math.inf)))
        taken_s = float(cut_s[place])
        if taken_s <= _KEPT_S:
            break
        index = len(stretches) - 1 - place % len(stretches)
        if place < len(stretches):
            end[index] -= taken_s
        else:
            ready[index] += taken_s
        spare[by[:, 0] > begin_s[place]] -= taken_s
        over_s -= taken_s
    return _cut(stretches, ready, end, station.load_s)


def _mean(outlook: Outlook, start_s: Floats, length_s: Floats) -> Floats:
    length_s = np.maximum(length_s, 1.0)
    mean: Floats = outlook.integral(start_s, start_s + length_s) / length_s
    return mean


def _cut(stretches: Sequence[Stretch], ready: Floats, end: Floats, load_s: float) -> list[Stretch]:
    """Those of which something is left; one that found the model loaded by another that is gone loads it itself."""
    found: list[Stretch] = []
    loads = False
    for each, ready_s, end_s in zip(stretches, ready.tolist(), end.tolist(), strict=True):
        loads |= each.loads
        if end_s - ready_s <= _KEPT_S:
            continue
        found.append(Stretch(ready_s - load_s if loads else ready_s, ready_s, end_s, loads))
        loads = False
    return found
