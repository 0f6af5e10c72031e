"""How the figures of a report are known, what is not known, and why: in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from sprout_like.ledger.schema import IntensityRow
from sprout_like.reports.report import Device, Gap, Method, Savings, Scope2, Site
from sprout_like.reports.sections.overview import by_key
from sprout_like.reports.sections.reading import Cell
from sprout_like.reports.sections.span import within
from sprout_like.reports.sections.sums import Sums
from sprout_like.reports.uncertainty import COVERS

__all__ = ["method", "read_sources"]

Sources = tuple[tuple[str, str, str, int], ...]

_ENERGY: Final = (
    "Energy is that of the IT equipment by its own counters. It is measured where a request had the devices to itself, "
    "apportioned where it shared a measured window, and estimated where a power model stands in for a sensor."
)
_CARBON: Final = (
    "CO2e is operational: energy × PUE × intensity, added up only within one kind (average, marginal) and one set of "
    "factors (direct, lifecycle). Where an intensity was settled, the published figure counts."
)
_EMBODIED: Final = (
    "Embodied CO2e is the requests' share of making the hardware, by time, and is never in the operational sums."
)
_SAVINGS: Final = (
    "A measured saving compares with a control group drawn at random, of the same span; a modelled one compares with "
    "what calibration and tuning expect of full in the same bins. They are two claims, not one sum."
)
_IDLE: Final = "Time between requests and overhead are the devices', by closed accounts, and in no request's figures."
_IDLE_SHARED: Final = (
    "On request, the lines show a share of the time between requests, by their energy, beside their own."
)
_SCI: Final = (
    "Software Carbon Intensity (ISO/IEC 21031:2024) is (E × I + M) per functional unit, with PUE in E. Without M there "
    "is no score."
)
_SCOPE2: Final = (
    "Scope 2 follows the GHG Protocol's Scope 2 Guidance (2015), for the electricity of the requests. Location-based "
    "takes average intensities alone; marginal ones answer another question. Market-based takes the user's contract."
)
_WATER: Final = "Water is IT energy × WUE (The Green Grid); water of power stations is not in it."
_CLASSES: Final = (
    "Requests are sorted by the mean intensity of their hour. Requests without a known intensity are left out there."
)


def read_sources(connection: Connection, *, since_utc: datetime | None, until_utc: datetime | None) -> Sources:
    """Who published intensities for the span, as the ledger keeps them: zone, source, status, slots.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    keys = (IntensityRow.zone, IntensityRow.source, IntensityRow.status)
    query = select(*keys, func.count()).group_by(*keys)
    rows = connection.execute(within(query, IntensityRow.start_utc, since_utc=since_utc, until_utc=until_utc))
    return tuple(sorted((zone, source, status, int(slots)) for zone, source, status, slots in rows))


def method(
    cells: Sequence[Cell],
    *,
    sources: Sources,
    savings: Savings,
    devices: Iterable[Device],
    scope2: Scope2 | None,
    site: Site,
    further: Iterable[str] = (),
) -> Method:
    """What the sections before rest on.

    Args:
        cells: all requests.
        sources: as `read_sources` gives them.
        savings: this section.
        devices: likewise.
        scope2: likewise.
        site: likewise.
        further: notes on what was asked.
    """
    meters = by_key(cells, lambda cell: (cell.meter, cell.energy_method))
    intensities = by_key(cells, lambda cell: (cell.zone, cell.kind, cell.factors))
    whole = Sums.over(cell.sums for cell in cells)
    notes = [_ENERGY, COVERS, _CARBON]
    notes += [_EMBODIED] if whole.embodied_g is not None else []
    notes += [_SAVINGS] if savings.measured or savings.modelled else []
    notes += [_IDLE] if list(devices) else []
    notes += [_IDLE_SHARED] if site.idle_shared else []
    notes += [_SCI, _SCOPE2] if scope2 is not None else []
    notes += [_WATER] if site.wue_l_per_kwh is not None else []
    notes += [_CLASSES] if any(cell.kind is not None and cell.purpose == "request" for cell in cells) else []
    return Method(
        meters=tuple(
            (*key, sums.requests_n)
            for key, sums in sorted(meters.items(), key=lambda item: (-item[1].requests_n, item[0]))
        ),
        intensities=tuple(
            (*key, sums.requests_n)
            for key, sums in sorted(
                intensities.items(),
                key=lambda item: (-item[1].requests_n, *(word or "" for word in item[0])),
            )
        ),
        sources=sources,
        notes=(*notes, *further),
        gaps=tuple(_gaps(whole, savings)),
    )


def _gaps(whole: Sums, savings: Savings) -> Iterator[Gap]:
    of = whole.requests_n
    found = (
        (
            "have unknown energy and are in no sum of J or g",
            of - whole.energy_known_n,
            "no meter could be read; `sprout-like doctor` says what one needs",
        ),
        (
            "have unknown emissions and are in no sum of g",
            of - whole.carbon_known_n,
            "their energy or their intensity is unknown; `sprout-like ledger settle` looks for published intensities",
        ),
        (
            "have no embodied share",
            of - whole.embodied_known_n,
            "the setting embodied_total_g was not given when they were served",
        ),
        (
            "used an intensity held beyond its span",
            whole.stale_n,
            "the grid's source did not answer; `sprout-like ledger settle` replaces it by what was published",
        ),
        (
            "have CO2e that rests on no published actual yet",
            whole.provisional_n,
            "`sprout-like ledger settle` looks for them",
        ),
        ("ended in an error; their energy is counted", whole.errors_n, "the generation raised"),
        (
            "of evaluations and the generations for them used unknown energy, which no saving bears",
            sum(judging.unknown for judging in savings.judging),
            "the judge is somebody else's endpoint, or no meter could be read; the setting judge_j_per_token states it",
        ),
    )
    yield from (Gap(what=what, requests=requests, of=of, why=why) for what, requests, why in found if requests)
