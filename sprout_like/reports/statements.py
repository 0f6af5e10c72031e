"""What a report answers for: quality, cost, jobs, counters, standards, method. Data alone; unknown is None."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sprout_like.reports.interval import Figure

__all__ = [
    "Cost",
    "Device",
    "Equivalence",
    "Gap",
    "JobLine",
    "LocationBased",
    "MarketBased",
    "Method",
    "Quality",
    "Sci",
    "Scope2",
    "Site",
    "Window",
    "ZoneIntensity",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What judges said of one directive's answers beside `full`'s, by the verdicts of the span.

    Attributes:
        model, catalogue_version: whose answers. judge: who judged; scales of judges differ. directive: its name.
        verdicts_n: pairs judged. score, full_score: mean scores of the directive's and of `full`'s answers.
        quality: the directive's mean score as a share of `full`'s, with a lower bound at `confidence` and no upper
            one; None where `full` scores nothing.
        floor: least quality that the policy may plan for; None where none is set.
        confidence: with which the bound holds.
        breaker: why everything is served `full`; None where it is not.
    """

    model: str
    catalogue_version: str
    judge: str
    directive: str
    verdicts_n: int
    score: float
    full_score: float
    quality: Figure
    floor: float | None
    confidence: float
    breaker: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What some number of requests or tokens took.

    Attributes:
        purpose: `request` or `job`. intensity_kind, intensity_factors: of the grams; None: intensity unknown.
        per: the unit, `1,000 requests` or `new token`. units: how many of them, of the requests that know their energy.
        energy_j, operational_g, embodied_g: per unit, in J and g CO2e.
        water_l: per unit, in l; None unless the setting `wue_l_per_kwh` is given.
        price: per unit, in `currency`; None unless the setting `price_per_kwh` is given.
        currency: as the user names it.
    """

    purpose: str
    intensity_kind: str | None
    intensity_factors: str | None
    per: str
    units: float
    energy_j: Figure
    operational_g: Figure
    embodied_g: Figure
    water_l: Figure
    price: Figure
    currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span in which a job ran, or is planned to.

    Attributes:
        state: `planned` or `run`. zone: where. start_utc, end_utc: the span.
        items_n: items; None where unknown. operational_g: emitted, or expected to be, in g CO2e.
    """

    state: Literal["planned", "run"]
    zone: str
    start_utc: datetime
    end_utc: datetime
    items_n: int | None
    operational_g: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """One job.

    Attributes:
        job_id, model, task, state: as in the ledger.
        submitted_utc, deadline_utc, finished_utc: moments; `finished_utc` is None while it goes on.
        items_n, done_n, failed_n: items in all, answered, and set aside.
        energy_j, operational_g: of the answers, in J and g CO2e; None where unknown.
        planned_saving: share of the emissions that the plan was to save against running at once; None: unknown.
        emitted_g, at_once_g: of the runs whose intensities are published, and of the same energy had they begun at
            once; None where there is none. saving: 1 - emitted / at once. known_runs, runs: how many these are, of all.
        windows: in order of time.
    """

    job_id: str
    model: str
    task: str | None
    state: str
    submitted_utc: datetime
    deadline_utc: datetime
    finished_utc: datetime | None
    items_n: int
    done_n: int
    failed_n: int
    energy_j: float | None
    operational_g: float | None
    planned_saving: float | None
    emitted_g: float | None
    at_once_g: float | None
    saving: float | None
    known_runs: int
    runs: int
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneIntensity:
    """The intensity of a zone in one slot, beside the windows of jobs.

    Attributes:
        zone, intensity_kind, intensity_factors: whose; the latter two are None for a forecast that says neither.
        status: `actual`, `estimated` or `forecast`.
        start_utc, end_utc: the slot. g_per_kwh: g CO2e per kWh.
    """

    zone: str
    intensity_kind: str | None
    intensity_factors: str | None
    status: str
    start_utc: datetime
    end_utc: datetime
    g_per_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device's counter over the closed account periods of the span, in J, and where it went.

    Attributes:
        device_id, device_name, component, method, meter: as in the ledger. host: the machine; None: not known.
        accounts: periods.
        counter_j: by the counter. requests_j, elsewhere_j, overhead_j, idle_j: its parts: requests of this ledger,
            those of others, loading and compiling, and the time between.
        gap_j: parts less counter. gap_share: of the counter; None where that is 0.
        worst_hour_utc, worst_hour_share: the hour in which it is largest; None where no hour has a counter above 0.
        host_counter_j: how far the counter has come that all processes of the host read; what it has beyond
            `counter_j` is in other ledgers, in accounts not closed yet, or lost. None where each reads its own.
    """

    device_id: str
    device_name: str
    component: str
    method: str
    meter: str
    accounts: int
    counter_j: float
    requests_j: float
    elsewhere_j: float
    overhead_j: float
    idle_j: float
    gap_j: float
    gap_share: float | None
    worst_hour_utc: datetime | None
    worst_hour_share: float | None
    host: str | None = None
    host_counter_j: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sci:
    """Software Carbon Intensity: (E × I + M) per R (ISO/IEC 21031:2024), of requests or of items of jobs.

    Attributes:
        purpose, intensity_kind, intensity_factors: whose.
        functional_unit: R: `request` or `1,000 new tokens`. units: how many, of the requests of known emissions.
        energy_kwh: E, per unit, PUE included. intensity_g_per_kwh: I, the mean over that energy.
        operational_g: O = E × I, per unit. embodied_g: M, per unit.
        score_g: O + M; None where either is unknown, as a score without M is none.
    """

    purpose: str
    intensity_kind: str
    intensity_factors: str
    functional_unit: str
    units: float
    energy_kwh: Figure
    intensity_g_per_kwh: float | None
    operational_g: Figure
    embodied_g: Figure
    score_g: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationBased:
    """Scope 2 by the grid's average.

    Attributes:
        intensity_factors: `direct` or `lifecycle`; the latter holds upstream emissions that the Protocol puts into
            scope 3. kwh: electricity behind it, PUE included. operational_g: g CO2e.
    """

    intensity_factors: str
    kwh: Figure
    operational_g: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketBased:
    """Scope 2 by contract.

    Attributes:
        g_per_kwh: the contract's factor. source: as the user states it. kwh: electricity, PUE included.
        operational_g: the product, in g CO2e.
    """

    g_per_kwh: float
    source: str
    kwh: Figure
    operational_g: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope2:
    """GHG Protocol, Scope 2 Guidance (2015): location-based and market-based beside each other, never added up.

    Attributes:
        location: emissions by average intensities, all purposes together, apart for each set of factors; marginal ones
            are not scope 2 and not here.
        market: by the user's contract, of all electricity known; None where the settings name none.
        kwh: all electricity known, PUE included. marginal_kwh, unknown_kwh: the parts of it whose intensity is
            marginal and unknown, of which no location-based figure is stated.
    """

    location: tuple[LocationBased, ...]
    market: MarketBased | None
    kwh: Figure
    marginal_kwh: float
    unknown_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Electricity, water and money of all purposes together.

    Attributes:
        meter_kwh: at the IT equipment. facility_kwh: PUE included. pues: as in the rows, rising.
        wue_l_per_kwh, wue_source: water per kWh of IT equipment, and who says so. water_l: in l.
        price_per_kwh, currency: as set. price: of `facility_kwh`.
        overhead_j, idle_j: loading, warm-up and compilation, and the time between requests, by the closed accounts of
            the span, in J; None where there is none. idle_shared: whether lines hold a share of it.
    """

    meter_kwh: Figure
    facility_kwh: Figure
    pues: tuple[float, ...]
    wue_l_per_kwh: float | None
    wue_source: str | None
    water_l: Figure
    price_per_kwh: float | None
    currency: str | None
    price: Figure
    overhead_j: float | None
    idle_j: float | None
    idle_shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """Grams in everyday terms.

    Attributes:
        intensity_kind, intensity_factors: of the grams. operational_g: which they are.
        what: e.g. `km in an average car`. amount: how many. g_each: the factor. source: who published it.
    """

    intensity_kind: str
    intensity_factors: str
    operational_g: float
    what: str
    amount: float
    g_each: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that the report does not know.

    Attributes:
        what: in a few words. requests: how many it concerns. of: of how many. why: the reason, and what to do.
    """

    what: str
    requests: int
    of: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How the figures are known, in plain words.

    Attributes:
        meters: name of the meter, energy method and requests, largest first.
        intensities: zone, kind, factors and requests, largest first; None where the intensity is unknown.
        sources: who published intensities for the span, as the ledger keeps them: zone, source, status and slots.
        notes: sentences. gaps: what is unknown, how many requests, why.
    """

    meters: tuple[tuple[str, str, int], ...] = ()
    intensities: tuple[tuple[str, str | None, str | None, int], ...] = ()
    sources: tuple[tuple[str, str, str, int], ...] = ()
    notes: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
