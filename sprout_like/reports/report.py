"""A report as data: what was used and emitted, saved and kept, and how it is known. No database and no terminal here.

Everything is in the order in which it is to be shown. Unknown is None, and grams of different kinds or factors are
never in one sum. The parts that answer for something (savings, quality, cost, jobs, counters, standards, method) are in
`statements`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from sprout_like.reports.interval import Figure
from sprout_like.reports.statements import (
    Cost,
    Device,
    Equivalence,
    Gap,
    JobLine,
    LocationBased,
    MarketBased,
    Method,
    Quality,
    Sci,
    Scope2,
    Site,
    Window,
    ZoneIntensity,
)

if TYPE_CHECKING:
    from sprout_like.reports.judging import Judging
    from sprout_like.reports.policies import PolicyLine
    from sprout_like.reports.saving import MeasuredSaving

__all__ = [
    "Cost",
    "Device",
    "Emission",
    "Equivalence",
    "Figure",
    "Gap",
    "Headline",
    "IntensityClass",
    "JobLine",
    "Line",
    "LocationBased",
    "MarketBased",
    "Method",
    "MixPoint",
    "Point",
    "Quality",
    "Report",
    "Savings",
    "Sci",
    "Scope2",
    "Site",
    "Span",
    "Usage",
    "Window",
    "ZoneIntensity",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which time the report is about.

    Attributes:
        since_utc, until_utc: the span asked for, its end exclusive; None leaves an end open.
        first_utc, last_utc: when its first and its last request began; None where there is none.
        period: as the user named it, e.g. `2026-03`; None where moments were given, or nothing.
    """

    since_utc: datetime | None
    until_utc: datetime | None
    first_utc: datetime | None
    last_utc: datetime | None
    period: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What some requests used; all of it may be added up, whatever the intensity was.

    Attributes:
        requests: how many. rows: of their batches, a request without one counted once. errors: those that raised.
        prompt_tokens, new_tokens: of the requests that know them; None where none does.
        duration_s: Σ of the requests' times.
        energy_j: at the IT equipment, of the requests that know it, in J. energy_unknown: requests that do not.
        embodied_g: their share of making the hardware, in g CO2e. embodied_unknown: requests without.
        idle_j: their share of the time between requests, in J, by their energy; None unless it was asked for.
    """

    requests: int
    rows: int
    errors: int
    prompt_tokens: int | None
    new_tokens: int | None
    duration_s: float | None
    energy_j: Figure
    energy_unknown: int
    embodied_g: Figure
    embodied_unknown: int
    idle_j: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission:
    """Operational emissions of one kind and one set of factors.

    Attributes:
        intensity_kind: `average` or `marginal`. intensity_factors: `direct` or `lifecycle`. Both None for the requests
            whose intensity is unknown, which have no grams.
        requests: how many.
        operational_g: energy × PUE × intensity, settled where it is, in g CO2e. carbon_unknown: requests without.
        intensity_g_per_kwh: mean over the energy used; None where unknown.
        logged_operational_g: as it was known when the requests were served, in g CO2e.
        stale: requests whose intensity was held beyond its span and is not settled.
        settled: requests whose intensity was replaced by what was published afterwards.
        provisional: requests whose grams do not rest on a published actual yet.
    """

    intensity_kind: str | None
    intensity_factors: str | None
    requests: int
    operational_g: Figure
    carbon_unknown: int
    intensity_g_per_kwh: float | None
    logged_operational_g: float | None
    stale: int
    settled: int
    provisional: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The sums of one purpose.

    Attributes:
        purpose: `request`, `job`, `baseline`, `evaluation` or `calibration`.
        usage: of all its requests. emissions: apart for each kind and factors.
    """

    purpose: str
    usage: Usage
    emissions: tuple[Emission, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The requests of one group that share purpose, kind and factors.

    Attributes:
        group: a value for each dimension of `Report.by`; None where the rows have none.
        purpose: as in `Headline`. usage, emission: of these requests.
    """

    group: tuple[str | None, ...]
    purpose: str
    usage: Usage
    emission: Emission


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The requests and items of jobs that began in one step of time, of one kind and factors.

    Attributes:
        start_utc: start of the hour or day.
        intensity_kind, intensity_factors: as in `Emission`.
        requests: how many. energy_j, operational_g: sums of what is known, in J and g CO2e; None where nothing is.
        intensity_g_per_kwh: mean over the energy used; None where unknown.
    """

    start_utc: datetime
    intensity_kind: str | None
    intensity_factors: str | None
    requests: int
    energy_j: float | None
    operational_g: float | None
    intensity_g_per_kwh: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MixPoint:
    """The requests that one directive served in one step of time.

    Attributes:
        start_utc: start of the hour or day. directive: its name. requests: how many. energy_j: in J; None: unknown.
    """

    start_utc: datetime
    directive: str
    requests: int
    energy_j: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntensityClass:
    """The requests that one directive served while the intensity was in one class.

    Attributes:
        intensity_kind, intensity_factors: of the intensity.
        low_g_per_kwh, high_g_per_kwh: bounds of the class, the upper one exclusive. What counts is the mean of the hour
            over the energy that the requests alike in all other respects used.
        directive: its name. requests: how many.
    """

    intensity_kind: str
    intensity_factors: str
    low_g_per_kwh: float
    high_g_per_kwh: float
    directive: str
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """What was saved, measured and modelled; these are two claims and never one sum.

    Attributes:
        measured: against the randomised control group, with 95 % intervals, by policy version; empty where there is no
            such group of two or more.
        overall: likewise, of all policy versions together; empty where there is but one.
        modelled: against `full` in the same bins, by model; empty where the policy is not the contextual one.
        judging: what evaluations cost, which both bear; empty where there were none.
    """

    measured: tuple[MeasuredSaving, ...] = ()
    overall: tuple[MeasuredSaving, ...] = ()
    modelled: tuple[PolicyLine, ...] = ()
    judging: tuple[Judging, ...] = ()

    @property
    def all_measured(self) -> tuple[MeasuredSaving, ...]:
        """Of all policy versions together, then of each."""
        return (*self.overall, *self.measured)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report's content.

    Attributes:
        version: of sprout-like, as the arithmetic may change with it.
        span: which time it is about.
        by: dimensions of `lines`, e.g. `("day", "tag:team")`; empty where only the headlines were asked for.
        headlines: a line per purpose: requests, items of jobs, then the others.
        lines: the groups: by purpose, then in order of time or the largest energy first.
        step: of `points` and `mix`.
        points: served work over time. mix: the directives of requests over time.
        classes: the directives of requests by intensity.
        savings: measured and modelled, apart.
        quality: what judges found, against the floor.
        costs: per 1,000 requests and per token.
        jobs: with their windows, the latest first. zones: intensities of the zones of these windows.
        devices: the counters, and where their energy went.
        sci: Software Carbon Intensity. scope2: GHG Protocol; None where no energy is known. site: PUE, water, price.
        equivalences: only by factors with a source.
        method: sources, factors, gaps.
    """

    version: str
    span: Span
    by: tuple[str, ...]
    headlines: tuple[Headline, ...]
    lines: tuple[Line, ...]
    step: Literal["hour", "day"]
    points: tuple[Point, ...]
    mix: tuple[MixPoint, ...]
    classes: tuple[IntensityClass, ...]
    savings: Savings
    quality: tuple[Quality, ...]
    costs: tuple[Cost, ...]
    jobs: tuple[JobLine, ...]
    zones: tuple[ZoneIntensity, ...]
    devices: tuple[Device, ...]
    sci: tuple[Sci, ...]
    scope2: Scope2 | None
    site: Site
    equivalences: tuple[Equivalence, ...]
    method: Method

    @property
    def empty(self) -> bool:
        """Whether there is no request in the span."""
        return not self.headlines
