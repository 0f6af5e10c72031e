"""What a job saves against running at once, modelled: nobody ran it twice. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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
    """When a job would have run, had it begun as soon as it was allowed to and had no zone waited in between.

    It has the length of the time in which any of its runs were under way, in the zone that took longest.
    """
    start_utc = max(job.submitted_utc, job.earliest_utc or job.submitted_utc)
    return start_utc, max((end_utc for _, (_, end_utc) in _at_once(start_utc, runs)), default=start_utc)


def so_far(job: Job, runs: Sequence[Run], readings: Iterable[Intensity], *, pue: float) -> SoFar:
    """What the runs emitted, and what their energy would have emitted at once, in the zones in which they were.

    at_once_g = Σ over runs of energy_j / 3.6e6 × PUE × mean intensity of the run's zone over the run's span at once

    At once, each zone's runs keep their lengths and overlap as they did, and the time in which none of them was under
    way is left out; so what ran at once has saved nothing, however many workers ran it.

    Args:
        job: whose runs they are.
        runs: in order.
        readings: published intensities that touch `at_once_span`, of any zones and sources. A zone of which two kinds
            or factors were published counts as unknown: they are never mixed in one sum.
        pue: of the site.
    """
    kept = list(readings)
    published = {zone: _of_zone(kept, zone) for zone in {run.zone for run in runs}}
    start_utc, _ = at_once_span(job, runs)
    pairs = [
        (run.operational_g, at_once_g)
        for run, span in _at_once(start_utc, runs)
        if run.operational_g is not None
        and (at_once_g := operational_g(run.energy_j, published[run.zone](*span), pue)) is not None
    ]
    return SoFar(
        emitted_g=sum(emitted for emitted, _ in pairs) if pairs else None,
        at_once_g=sum(at_once for _, at_once in pairs) if pairs else None,
        known_n=len(pairs),
        runs_n=len(runs),
    )


def _at_once(start_utc: datetime, runs: Iterable[Run]) -> Iterator[tuple[Run, tuple[datetime, datetime]]]:
    """Each run with its span, had each zone begun then and not waited."""
    # Zone by zone, as the plan's own figure for at once has them run beside each other.
    gaps: dict[str, timedelta] = {}
    reached: dict[str, datetime] = {}
    for run in sorted(runs, key=lambda run: run.started_utc):
        if run.zone not in reached:
            # May be negative: clocks of hosts differ a little.
            gaps[run.zone] = run.started_utc - start_utc
        else:
            gaps[run.zone] += max(run.started_utc - reached[run.zone], timedelta())
        reached[run.zone] = max(run.ended_utc, reached.get(run.zone, run.ended_utc))
        yield run, (run.started_utc - gaps[run.zone], run.ended_utc - gaps[run.zone])


def _of_zone(readings: Iterable[Intensity], zone: str) -> Callable[[datetime, datetime], float | None]:
    """Mean intensity of the zone over a span, in g/kWh."""
    mine = [reading for reading in readings if reading.zone == zone]
    groups = {Group(zone, reading.kind, reading.factors) for reading in mine}
    group = groups.pop() if len(groups) == 1 else None
    published = Published(mine, estimated=True)

    def mean_g_per_kwh(start_utc: datetime, end_utc: datetime) -> float | None:
        figure = None if group is None else published.over(group, start_utc, end_utc)
        return None if figure is None else figure.g_per_kwh

    return mean_g_per_kwh
