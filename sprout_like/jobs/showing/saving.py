"""What a job saves against running at once, modelled: nobody ran it twice. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from grid import Intensity
from sprout_like.carbon import operational_g
from sprout_like.jobs.job import Job, Run
from sprout_like.settlement.figures import Group
from sprout_like.settlement.published import Published

__all__ = ["SoFar", "at_once_span", "saved_share", "so_far"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoFar:
    """The runs of a job, against the same energy drawn at once.

    Attributes:
        emitted_g: by the runs of which both sides are known. at_once_g: by the same runs had they begun at once; both
            None where there is no such run.
        known_n: how many runs these are. runs_n: of so many.
    """

    emitted_g: float | None
    at_once_g: float | None
    known_n: int
    runs_n: int


def saved_share(emitted_g: float | None, at_once_g: float | None) -> float | None:
    """1 - emitted / at once; None where either is unknown, or nothing would have been emitted."""
    return None if emitted_g is None or not at_once_g else 1 - emitted_g / at_once_g


def at_once_span(job: Job, runs: Iterable[Run]) -> tuple[datetime, datetime]:
    """When a job would have run, had it begun as soon as it was allowed to and taken as long as its runs did."""
    start_utc = max(job.submitted_utc, job.earliest_utc or job.submitted_utc)
    return start_utc, start_utc + sum((run.ended_utc - run.started_utc for run in runs), timedelta())


def so_far(job: Job, runs: Sequence[Run], readings: Iterable[Intensity], *, pue: float) -> SoFar:
    """What the runs emitted, and what their energy would have emitted at once, in the zones in which they were.

    at_once_g = Σ over runs of energy_j / 3.6e6 × PUE × mean intensity of the run's zone over `at_once_span`

    Args:
        job: whose runs they are.
        runs: in order.
        readings: published intensities that touch that span, of any zones and sources. A zone of which two kinds or
            factors were published counts as unknown: they are never mixed in one sum.
        pue: of the site.
    """
    published = list(readings)
    start_utc, end_utc = at_once_span(job, runs)
    intensities = {zone: _mean(published, zone, start_utc, end_utc) for zone in {run.zone for run in runs}}
    pairs = [
        (run.operational_g, at_once_g)
        for run in runs
        if run.operational_g is not None
        and (at_once_g := operational_g(run.energy_j, intensities[run.zone], pue)) is not None
    ]
    return SoFar(
        emitted_g=sum(emitted for emitted, _ in pairs) if pairs else None,
        at_once_g=sum(at_once for _, at_once in pairs) if pairs else None,
        known_n=len(pairs),
        runs_n=len(runs),
    )


def _mean(readings: Sequence[Intensity], zone: str, start_utc: datetime, end_utc: datetime) -> float | None:
    mine = [reading for reading in readings if reading.zone == zone]
    groups = {Group(zone, reading.kind, reading.factors) for reading in mine}
    if len(groups) != 1:
        return None
    figure = Published(mine, estimated=True).over(groups.pop(), start_utc, end_utc)
    return None if figure is None else figure.g_per_kwh
