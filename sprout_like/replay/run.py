"""From files to figures: one replay, and what is told of it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from sprout_like.errors import SettingError
from sprout_like.replay.mix_file import read_mix
from sprout_like.replay.requests_file import read_requests
from sprout_like.replay.trace_file import DIRECT, Trace, read_trace, year_of

if TYPE_CHECKING:
    from directives.replay import Context, Experiment, Outcome, Year

__all__ = ["Order", "Replayed", "prepare", "run"]

EMBODIED_G_PER_S: Final = 26356.568 / (5 * 365 * 24 * 3600)
"""Making the hardware of the published measurements, over five years: SPROUT's own constants."""

_PACKAGES: Final = ("sprout-like", "numpy", "scipy", "pyarrow")
_TOLD_THE_YEAR: Final = ("sprout", "oracle", "static")
_JUDGING: Final = ("contextual", "sprout", "oracle")
_MOST_PER_HOUR: Final = 1_000_000
"""Above which nothing more is learnt, and memory fills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for; named as on the command line.

    Raises:
        SettingError: a figure outside its range.
    """

    requests: Path
    trace: Path
    mix: Path
    policy: str
    start_hour: int = 0
    hours: int = 720
    floor_slack: float = 0.1
    mean_slack: float | None = None
    context: Context = "task"
    requests_per_hour: int = 10_000
    control_share: float = 0.005
    confidence: float = 0.996
    seed: int = 0
    column: str = DIRECT
    year_min: float | None = None
    year_max: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("start_hour", 0), ("hours", 1), ("requests_per_hour", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise SettingError(_option(name), f"it is {getattr(self, name)}", f"Give at least {least}")
        if self.requests_per_hour > _MOST_PER_HOUR:
            raise SettingError(
                "--requests-per-hour", f"it is {self.requests_per_hour}", f"Give at most {_MOST_PER_HOUR}"
            )
        for name in ("floor_slack", "mean_slack"):
            slack = getattr(self, name)
            if slack is not None and not 0 <= slack < 1:
                raise SettingError(_option(name), f"it is {slack}", "Give a share from 0 to below 1")
        if not 0 <= self.control_share <= 0.9:
            raise SettingError("--control-share", f"it is {self.control_share}", "Give a share from 0 to 0.9")
        if not 0.5 <= self.confidence < 1:
            raise SettingError("--confidence", f"it is {self.confidence}", "Give a probability from 0.5 to below 1")
        if (self.year_min is None) != (self.year_max is None):
            raise SettingError("--year-min", "it goes with --year-max", "Give both or neither")
        lowest, highest = self.year_min, self.year_max
        if lowest is not None and highest is not None and not 0 <= lowest < highest < math.inf:
            span = f"the year's intensities would be from {lowest:g} to {highest:g} g/kWh"
            raise SettingError("--year-min", span, "Give a lowest, from 0 on, below the highest, --year-max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A replay and its figures.

    Attributes:
        order: what was asked. experiment: what it was run on. outcome: what came of it.
        notes: what a reader of the figures should know.
        start: the first hour, as ISO 8601 in UTC. wall_s: time taken, reading included, in s.
    """

    order: Order
    experiment: Experiment
    outcome: Outcome
    notes: tuple[str, ...]
    start: str
    wall_s: float

    def to_data(self) -> dict[str, Any]:
        """As it is written to JSON."""
        outcome, names = self.outcome, self.experiment.prompts.directives
        return {
            "policy": self.order.policy,
            "saving_pct": outcome.saving_pct,
            "preference_pct": outcome.preference_pct,
            "hours_below_floor_pct": outcome.hours_below_pct(1 - self.order.floor_slack),
            "evaluations": len(outcome.evaluations),
            "evaluation_share_pct": outcome.evaluation_share_pct,
            "carbon_g": float(outcome.carbon_g.sum()),
            "evaluation_carbon_g": float(outcome.evaluation_g.sum()),
            "full_carbon_g": float(outcome.full_carbon_g.sum()),
            "wall_s": self.wall_s,
            "notes": list(self.notes),
            "arguments": {
                key: str(value) if isinstance(value, Path) else value for key, value in asdict(self.order).items()
            },
            "versions": {name: version for name in _PACKAGES if (version := _version(name)) is not None},
            "hourly": {
                "start_utc": self.start,
                "intensity_g_per_kwh": self.experiment.window.intensity_g_per_kwh.tolist(),
                "carbon_g": outcome.carbon_g.tolist(),
                "full_carbon_g": outcome.full_carbon_g.tolist(),
                "evaluation_carbon_g": outcome.evaluation_g.tolist(),
                "preference_pct": (100 * outcome.preference).tolist(),
                "shares": {name: outcome.shares[:, i].tolist() for i, name in enumerate(names)},
                "evaluated": [judged.hour for judged in outcome.evaluations],
            },
        }


def run(order: Order) -> Replayed:
    """Read the files and replay.

    Raises:
        NothingToLearn, SettingError, GridError, PolicyError, Infeasible: bad input.
    """
    from directives.replay import replay

    began = perf_counter()
    experiment, notes, start = prepare(order)
    outcome = replay(order.policy, experiment)
    return Replayed(
        order=order,
        experiment=experiment,
        outcome=outcome,
        notes=notes,
        start=start,
        wall_s=perf_counter() - began,
    )


def prepare(order: Order) -> tuple[Experiment, tuple[str, ...], str]:
    """Read the files; the experiment, notes on it, and the moment at which its window begins.

    Raises:
        NothingToLearn, SettingError, GridError: bad input.
    """
    from directives.replay import Experiment, Window

    trace = read_trace(order.trace, order.column, order.start_hour, order.hours)
    mix = read_mix(order.mix, order.hours)
    requests = read_requests(order.requests, mix.tasks)
    year, origin = _year(order, trace)
    notes = [f"{name} was measured but not judged, and is left out" for name in requests.unjudged]
    notes += [f"task {name} is not in the mix, and is left out" for name in requests.unasked]
    if order.policy == "contextual" and len(trace.past_g_per_kwh) < order.start_hour:
        past_h = len(trace.past_g_per_kwh)
        notes.append(f"only the {past_h} h before the window are known as its past; there is a gap in the trace before")
    if order.policy in _TOLD_THE_YEAR:
        notes.append(f"{order.policy} is told the year's lowest and highest intensity in advance, from {origin}")
    if order.policy in _JUDGING:
        notes.append("the energy of judging itself is not in the data; that of the answers judged is counted")
    experiment = Experiment(
        prompts=requests.prompts,
        window=Window(
            intensity_g_per_kwh=trace.g_per_kwh,
            past_g_per_kwh=trace.past_g_per_kwh,
            mix=mix.shares,
            requests_per_hour=order.requests_per_hour,
            embodied_g_per_s=EMBODIED_G_PER_S,
        ),
        year=year,
        floor_slack=order.floor_slack,
        mean_slack=order.mean_slack,
        context=order.context,
        control_share=order.control_share,
        confidence=order.confidence,
        seed=order.seed,
    )
    return experiment, tuple(notes), trace.start_utc.isoformat().replace("+00:00", "Z")


def _year(order: Order, trace: Trace) -> tuple[Year, str]:
    """What is known of the year, and where from."""
    from directives.replay import Year

    if order.year_min is not None and order.year_max is not None:
        mean = float(trace.all_g_per_kwh.mean())
        year = Year(lowest_g_per_kwh=order.year_min, highest_g_per_kwh=order.year_max, mean_g_per_kwh=mean)
        return year, "the command line"
    year, origin = year_of(trace)
    if order.policy in _TOLD_THE_YEAR and year.lowest_g_per_kwh >= year.highest_g_per_kwh:
        same = f"it is always {year.lowest_g_per_kwh:g} g/kWh in {origin}, and {order.policy} needs the year's extremes"
        raise SettingError("--trace", same, "Give them by --year-min and --year-max")
    return year, origin


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
