"""What a station does: legs of work, each of one job, and what they emit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grid.windows.work import JOULES_PER_KWH
from sprout_like.jobs.planning.data import Station
from sprout_like.jobs.planning.order import TINY_S, Piece
from sprout_like.jobs.planning.outlook import Outlook
from sprout_like.jobs.planning.program import Stretch

__all__ = ["Emitted", "Leg", "emitted", "legs_of"]


@dataclass(frozen=True, slots=True)
class Leg:
    """Work on one job without a break, in s from now.

    Attributes:
        start_s: where it begins, loading included. work_s: without loading. loads: whether it begins with loading.
    """

    number: int
    start_s: float
    end_s: float
    work_s: float
    loads: bool


@dataclass(frozen=True, slots=True)
class Emitted:
    """What legs emit. total_g: the unknown counted as the outlook's mean; by_job: None where any of it is unknown."""

    total_g: float
    by_job: dict[int, float | None]


def legs_of(pieces: Sequence[Piece], stretches: Sequence[Stretch], load_s: float) -> list[Leg]:
    """The legs of pieces that lie in these stretches; a stretch in which nothing is left to do is none."""
    legs: list[Leg] = []
    rest = list(reversed(pieces))
    loads = False
    for index, stretch in enumerate(stretches):
        loads |= stretch.loads
        end_s = stretches[index + 1].ready_s if index + 1 < len(stretches) else math.inf
        while rest and rest[-1].start_s < end_s - TINY_S:
            piece = rest.pop()
            start_s = piece.start_s - load_s if loads else piece.start_s
            legs.append(Leg(piece.number, start_s, piece.end_s, piece.end_s - piece.start_s, loads))
            loads = False
    return legs


def emitted(station: Station, outlook: Outlook, legs: Sequence[Leg]) -> Emitted:
    """What legs emit, each with the loading and the idling that come before it."""
    total, by_job = 0.0, dict[int, float | None]()
    before_s = 0.0
    for leg in legs:
        ready_s = leg.end_s - leg.work_s
        sums = station.power_w * outlook.integral(ready_s, leg.end_s)
        known = outlook.knows(ready_s if not leg.loads else leg.start_s, leg.end_s)
        if leg.loads:
            taken_s = max(ready_s - leg.start_s, 1.0)
            sums += station.load_j * outlook.integral(leg.start_s, leg.start_s + taken_s) / taken_s
        elif leg.start_s > before_s + TINY_S and station.idle_w:
            sums += station.idle_w * outlook.integral(before_s, leg.start_s)
            known = known and outlook.knows(before_s, leg.start_s)
        grams = float(sums) / JOULES_PER_KWH
        total += grams
        so_far = by_job.get(leg.number, 0.0)
        by_job[leg.number] = so_far + grams if known and not outlook.blind and so_far is not None else None
        before_s = leg.end_s
    return Emitted(total, by_job)
