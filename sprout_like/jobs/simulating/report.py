"""What a simulation tells, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sprout_like.jobs.planning.order import TINY_S
from sprout_like.jobs.simulating.asked import Asked
from sprout_like.jobs.simulating.execution import Outcome

if TYPE_CHECKING:
    from sprout_like.jobs.simulating.run import Order

__all__ = ["Figures", "Report", "Share", "as_json", "as_text", "figures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A policy on the jobs of one deadline, or on all of them.

    Attributes:
        hours: from submission to deadline; None for all jobs.
        g: emitted, in g CO2e; None where there is no such schedule.
        saving_pct: against running at once; None where that emits nothing, or `g` is None.
        of_optimum_pct: saving as a share of the optimum's; None where that saves nothing.
        missed: deadlines. missed_by_s: the worst of them; 0 for none.
    """

    hours: float | None
    jobs_n: int
    g: float | None
    saving_pct: float | None
    of_optimum_pct: float | None
    missed: int
    missed_by_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A policy: on all jobs, and by deadline. starts: how often a model was loaded; None for the optimum."""

    policy: str
    all: Share
    by_deadline: tuple[Share, ...]
    starts: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A simulation. forecast_every_h: how often a new forecast was made; in between the last one was mended."""

    order: Order
    start_utc: datetime
    end_utc: datetime
    jobs_n: int
    work_h: float
    forecast_every_h: float
    figures: tuple[Figures, ...]
    wall_s: float

    def of(self, policy: str) -> Figures:
        """The figures of that policy.

        Raises:
            KeyError: there is none of that name.
        """
        return {each.policy: each for each in self.figures}[policy]

    def to_data(self) -> dict[str, Any]:
        """As it is written to JSON."""
        arguments = {
            key: [str(each) for each in value] if key == "traces" else _plain(value)
            for key, value in asdict(self.order).items()
        }
        return {
            "zones": list(self.order.names),
            "start_utc": self.start_utc.isoformat(),
            "end_utc": self.end_utc.isoformat(),
            "jobs": self.jobs_n,
            "work_h": self.work_h,
            "forecast_every_h": self.forecast_every_h,
            "policies": {each.policy: _policy(each) for each in self.figures},
            "arguments": arguments,
            "wall_s": self.wall_s,
        }


def figures(
    policy: str,
    jobs: Sequence[Asked],
    found: Outcome | list[float] | None,
    at_once_g: Sequence[float],
    least_g: Sequence[float] | None,
) -> Figures:
    """A policy's figures, from what came of it, or from what each job emits at best; None where nothing is known."""
    grams = found.g if isinstance(found, Outcome) else found
    hours = [round((job.due_s - job.arrival_s) / 3600, 2) for job in jobs]

    def share(wanted: float | None) -> Share:
        some = [number for number, each in enumerate(hours) if wanted in (None, each)]
        over_s = [found.end_s[n] - jobs[n].due_s for n in some] if isinstance(found, Outcome) else []
        first = sum(at_once_g[n] for n in some)
        own = None if grams is None else sum(grams[n] for n in some)
        best = None if least_g is None else sum(least_g[n] for n in some)
        return Share(
            hours=wanted,
            jobs_n=len(some),
            g=own,
            saving_pct=100 * (first - own) / first if own is not None and first > 0 else None,
            of_optimum_pct=100 * (first - own) / (first - best)
            if own is not None and best is not None and first > best
            else None,
            missed=sum(each > TINY_S * 10 for each in over_s),
            missed_by_s=max([0.0, *over_s]) if any(each > TINY_S * 10 for each in over_s) else 0.0,
        )

    return Figures(
        policy=policy,
        all=share(None),
        by_deadline=tuple(share(each) for each in sorted(set(hours))) if len(set(hours)) <= 12 else (),
        starts=found.starts if isinstance(found, Outcome) else None,
    )


def as_json(report: Report) -> str:
    """All figures."""
    return json.dumps(report.to_data(), allow_nan=False, indent=2) + "\n"


def as_text(report: Report) -> str:
    """A table and a few lines."""
    order = report.order
    hours = [share.hours for share in report.figures[0].by_deadline]
    head = "".join(f"{f'{each:g} h':>8}" for each in hours if each is not None)
    lines = [
        f"{report.jobs_n} jobs, {report.work_h:.0f} h of work, {', '.join(order.names)}, "
        f"{report.start_utc:%Y-%m-%d %H:%M} to {report.end_utc:%Y-%m-%d %H:%M} UTC",
        "",
        f"{'':20}{'saved':>8}{'of optimum':>12}{'missed':>8}{'starts':>8}   of the optimum's saving, by deadline",
        f"{'':59}{head}",
    ]
    for each in report.figures:
        starts = "" if each.starts is None else str(each.starts)
        missed = "" if each.starts is None else str(each.all.missed)
        parts = "".join(f"{_percent(share.of_optimum_pct):>8}" for share in each.by_deadline)
        lines.append(
            f"{each.policy:20}{_percent(each.all.saving_pct):>8}{_percent(each.all.of_optimum_pct):>12}"
            f"{missed:>8}{starts:>8}   {parts}"
        )
    lines += [
        "",
        "the planner sees: the past of the trace, the actual of the slot that runs, told one second after it begins,",
        "and a forecast from both; sources that tell it later leave less to see",
        f"optimum: a bound from perfect foresight, no policy can save more; took {report.wall_s:.1f} s",
    ]
    return "\n".join(line.rstrip() for line in lines)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} %"


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _policy(each: Figures) -> dict[str, Any]:
    data = asdict(each)
    data.pop("policy")
    return {"starts": data["starts"], **data["all"], "by_deadline": data["by_deadline"]}
