"""From files to figures: one simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Final

from grid import ZoneError, resolve_zone
from sprout_like.errors import SettingError
from sprout_like.jobs.simulating.asked import Asked, generated, read_jobs
from sprout_like.jobs.simulating.execution import Machine, Outcome, executed_alone, executed_shared
from sprout_like.jobs.simulating.optimum import least_alone_g, least_shared_g
from sprout_like.jobs.simulating.policies import AtLast, AtOnce, Low, Planned
from sprout_like.jobs.simulating.report import Figures, Report, figures
from sprout_like.jobs.simulating.zone import Zone, read_zone

__all__ = ["Order", "simulate"]

_PERCENTILE: Final = 30.0
_MOST_JOBS: Final = 1_000_000
_MOST_FORECASTS: Final = 3000
"""In one simulation: a quarter of a year gets one every hour, a whole year one every three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for; named as on the command line.

    Attributes:
        traces: of the zones, the home zone's first. zones: their names; empty to take them from the files' names, up
            to the first underscore or dot.
        jobs: how many to make up, or the file that holds them.
        deadline_hours, duration_hours: of jobs that are made up, in equal shares.
        start: when the simulation begins; None: after two weeks of the trace, or a quarter of a shorter one.
        days: how long it is; None: to the end of the shortest trace.
        power_w: draw at work. idle_w: loaded, with nothing to do. start_up_s: time of a start, at the power of work.
        margin: time kept free before a deadline, as a share of the work due by then.
        column: of the traces.
        shared: whether all jobs share one worker a zone; else each has workers of its own, as in a cluster with room.

    Raises:
        SettingError: a figure outside its range.
    """

    traces: tuple[Path, ...]
    zones: tuple[str, ...] = ()
    jobs: int | Path = 1000
    deadline_hours: tuple[float, ...] = (6.0, 12.0, 24.0, 48.0)
    duration_hours: tuple[float, ...] = (0.5, 1.0, 2.0)
    start: datetime | None = None
    days: float | None = None
    power_w: float = 300.0
    idle_w: float = 60.0
    start_up_s: float = 60.0
    margin: float = 0.1
    column: str = "direct_g_per_kwh"
    shared: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.traces:
            raise SettingError("--trace", "there is none", "Give at least one file")
        if self.zones and len(self.zones) != len(self.traces):
            said = f"{len(self.zones)} for {len(self.traces)} traces"
            raise SettingError("--zone", said, "Give one for each --trace, in the same order, or none")
        names = self.names
        if len(set(names)) < len(names):
            raise SettingError("--zone", f"a zone comes twice in {', '.join(names)}", "Give each zone one trace")
        if isinstance(self.jobs, int) and not 1 <= self.jobs <= _MOST_JOBS:
            raise SettingError("--jobs", f"it is {self.jobs}", f"Give 1 to {_MOST_JOBS}, or a file")
        for option, values in (("--deadline-hours", self.deadline_hours), ("--duration-hours", self.duration_hours)):
            if not values or not all(0 < value < 1e4 for value in values):
                raise SettingError(option, f"it is {_list(values)}", "Give hours above 0, such as 6,12,24")
        for option, value, least in (
            ("--power-w", self.power_w, 1e-9),
            ("--idle-w", self.idle_w, 0.0),
            ("--start-up-s", self.start_up_s, 0.0),
            ("--days", 1.0 if self.days is None else self.days, 1e-9),
        ):
            if not least <= value < 1e9:
                raise SettingError(option, f"it is {value:g}", f"Give {'more than 0' if least else '0 or more'}")
        longest_h, shortest_h = max(self.duration_hours), min(self.deadline_hours)
        if isinstance(self.jobs, int) and longest_h * 3600 + self.start_up_s > shortest_h * 3600:
            said = (
                f"the longest is {longest_h:g} h, with {self.start_up_s:g} s to load, in a deadline of {shortest_h:g} h"
            )
            raise SettingError("--duration-hours", said, "Give durations that fit every deadline")
        if self.idle_w > self.power_w:
            raise SettingError("--idle-w", f"it is {self.idle_w:g}, above the power at work", "Give less")
        if not 0 <= self.margin <= 1:
            raise SettingError("--margin", f"it is {self.margin:g}", "Give a share from 0 to 1")
        if self.seed < 0:
            raise SettingError("--seed", f"it is {self.seed}", "Give 0 or more")

    @property
    def names(self) -> tuple[str, ...]:
        """The zones' names."""
        return self.zones or tuple(path.name.partition("_")[0].partition(".")[0] for path in self.traces)


def simulate(order: Order) -> Report:
    """Read the files and run every policy on the same jobs.

    Raises:
        JobError, GridError: a file that cannot be read, or does not hold what is asked for.
    """
    began = perf_counter()
    zones = _zones(order)
    home, end_s = zones[0], float(zones[0].edge_s[-1])
    start_utc = home.readings[home.first].start_utc
    jobs = _jobs(order, start_utc, end_s)
    machine = Machine(
        power_w=order.power_w,
        load_s=order.start_up_s,
        load_j=order.start_up_s * order.power_w,
        idle_w=order.idle_w,
    )
    told = _compared(order, jobs, zones, machine, start_utc)
    return Report(
        order=order,
        start_utc=start_utc,
        end_utc=start_utc + timedelta(seconds=end_s),
        jobs_n=len(jobs),
        work_h=sum(job.work_s for job in jobs) / 3600,
        forecast_every_h=home.every * float(home.edge_s[1]) / 3600,
        figures=told,
        wall_s=perf_counter() - began,
    )


def _compared(
    order: Order, jobs: Sequence[Asked], zones: Sequence[Zone], machine: Machine, start_utc: datetime
) -> tuple[Figures, ...]:
    margin, home = order.margin, zones[:1]
    run = executed_shared if order.shared else executed_alone

    def least(where: Sequence[Zone]) -> list[float] | None:
        if order.shared:
            return least_shared_g(jobs, where, machine)
        return least_alone_g(jobs, where, machine, start_utc)

    def planned(where: Sequence[Zone]) -> Outcome:
        return run(lambda some: Planned(some, where, machine, margin, start_utc), jobs, where, machine)

    low = Low(zones[0], _PERCENTILE)
    first, best = run(AtOnce, jobs, home, machine), least(home)
    found = {
        "at once": first,
        "at the deadline": run(lambda some: AtLast(some, machine, margin), jobs, home, machine),
        "wait awhile": run(lambda some: AtLast(some, machine, margin, low), jobs, home, machine),
        "planned": planned(home),
        "optimum": best,
    }
    told = [figures(name, jobs, each, first.g, best) for name, each in found.items()]
    if len(zones) > 1:
        best = least(zones)
        told.append(figures("planned, all zones", jobs, planned(zones), first.g, best))
        told.append(figures("optimum, all zones", jobs, best, first.g, best))
    return tuple(told)


def _check_zone_in_name(path: Path, name: str) -> None:
    try:
        resolve_zone(name)
    except ZoneError as exc:
        said = f"it is not given, and the name of {path} begins with none"
        raise SettingError("--zone", said, "Give one for each --trace, such as --zone GB") from exc


def _zones(order: Order) -> list[Zone]:
    if not order.zones:
        for path, name in zip(order.traces, order.names, strict=True):
            _check_zone_in_name(path, name)
    zones = [
        read_zone(
            path,
            name=name,
            column=order.column,
            start_utc=order.start,
            days=order.days,
            most_forecasts=_MOST_FORECASTS // len(order.traces),
        )
        for path, name in zip(order.traces, order.names, strict=True)
    ]
    home = zones[0]
    for zone, path in zip(zones[1:], order.traces[1:], strict=True):
        same = len(zone.edge_s) == len(home.edge_s) and bool((zone.edge_s == home.edge_s).all())
        if not same or zone.readings[zone.first].start_utc != home.readings[home.first].start_utc:
            raise SettingError(
                "--trace",
                f"{path} and {order.traces[0]} do not have the same slots in the time to simulate",
                "Give traces of one year and one length of slot, or --start and --days",
            )
    return zones


def _jobs(order: Order, start_utc: datetime, end_s: float) -> list[Asked]:
    if isinstance(order.jobs, Path):
        return read_jobs(order.jobs, start_utc, start_utc + timedelta(seconds=end_s))
    return generated(
        order.jobs,
        span_s=end_s,
        deadlines_s=[3600 * each for each in order.deadline_hours],
        durations_s=[3600 * each for each in order.duration_hours],
        load_s=order.start_up_s,
        seed=order.seed,
    )


def _list(values: Sequence[float]) -> str:
    return ",".join(f"{value:g}" for value in values) or "empty"
