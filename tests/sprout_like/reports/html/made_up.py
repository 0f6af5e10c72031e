"""Reports made up for tests of the page: a month of a small service, and an empty ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sprout_like.reports.interval import UNKNOWN, Figure
from sprout_like.reports.report import (
    Equivalence,
    Gap,
    Headline,
    Line,
    LocationBased,
    MarketBased,
    Method,
    Report,
    Savings,
    Sci,
    Scope2,
    Site,
    Span,
)
from tests.sprout_like.reports.html.made_up_parts import (
    BEGIN,
    classes,
    costs,
    device,
    emission,
    jobs,
    near,
    points,
    quality,
    savings,
    usage,
)

__all__ = ["classes", "costs", "jobs", "month", "nothing", "points", "quality", "savings"]


def month(*, directives: int = 6) -> Report:
    """October of a small service: requests, jobs, evaluations; one zone; a control group."""
    requests, energy = 34_671, 9.36e7
    lines, zones = jobs(6)
    by_day = points(31, timedelta(days=1))
    groups = [("search", 0.51), ("support", 0.3), ("billing", 0.12), (None, 0.07)]
    return Report(
        version="0.1.0",
        span=Span(
            since_utc=BEGIN,
            until_utc=datetime(2026, 11, 1, tzinfo=UTC),
            first_utc=BEGIN + timedelta(minutes=3),
            last_utc=datetime(2026, 10, 31, 23, 58, tzinfo=UTC),
            period="2026-10",
        ),
        by=("tag:team",),
        headlines=(
            Headline(purpose="request", usage=usage(requests, energy), emissions=(emission(requests, 7460.0),)),
            Headline(purpose="job", usage=usage(4000, 8.4e6), emissions=(emission(4000, 648.0),)),
            Headline(purpose="evaluation", usage=usage(340, 4.1e5), emissions=(emission(340, 31.0),)),
        ),
        lines=tuple(
            Line(
                group=(name,),
                purpose="request",
                usage=usage(int(requests * share), energy * share),
                emission=emission(int(requests * share), 7460 * share),
            )
            for name, share in groups
        ),
        step="day",
        points=by_day,
        mix=(),
        classes=classes(directives),
        savings=savings(),
        quality=quality(directives - 1),
        costs=costs(),
        jobs=lines,
        zones=zones,
        devices=(device("NVIDIA H200", "gpu", 2.1e8), device("AMD EPYC 9654", "cpu", 6.3e7)),
        sci=tuple(
            Sci(
                purpose="request",
                intensity_kind="average",
                intensity_factors="lifecycle",
                functional_unit=unit,
                units=requests * scale,
                energy_kwh=near(9e-4 / scale),
                intensity_g_per_kwh=287.4,
                operational_g=near(0.215 / scale, 0.013),
                embodied_g=Figure(0.0021 / scale),
                score_g=near(0.2171 / scale, 0.013),
            )
            for unit, scale in (("request", 1.0), ("1,000 new tokens", 0.142))
        ),
        scope2=Scope2(
            location=(LocationBased(intensity_factors="lifecycle", kwh=near(28.4), operational_g=near(8139.0, 0.013)),),
            market=MarketBased(
                g_per_kwh=24.0,
                source="contract 2026-17 with guarantees of origin",
                kwh=near(28.4),
                operational_g=near(681.6),
            ),
            kwh=near(28.4),
            marginal_kwh=0.0,
            unknown_kwh=0.0,
        ),
        site=Site(
            meter_kwh=near(25.8),
            facility_kwh=near(28.4),
            pues=(1.1,),
            wue_l_per_kwh=1.8,
            wue_source="the operator's annual report 2025",
            water_l=near(46.4),
            price_per_kwh=0.28,
            currency="EUR",
            price=near(7.95),
            overhead_j=8.2e6,
            idle_j=1.06e8,
            idle_shared=False,
        ),
        equivalences=(
            Equivalence(
                intensity_kind="average",
                intensity_factors="lifecycle",
                operational_g=7460.0,
                what="km in an average new car",
                amount=69.9,
                g_each=106.7,
                source="European Environment Agency, 2024",
            ),
        ),
        method=Method(
            meters=(("nvml", "apportioned", 30_000), ("rapl", "estimated", 4_671)),
            intensities=(("DE", "average", "lifecycle", requests),),
            sources=(("DE", "Electricity Maps", "actual", 740), ("DE", "static table", "static", 4)),
            notes=("3 requests used an intensity held beyond its span.",),
            gaps=(
                Gap(
                    what="energy",
                    requests=71,
                    of=requests,
                    why="no meter ran; `sprout-like doctor` says why",
                ),
            ),
        ),
    )


def nothing() -> Report:
    """A ledger without a row."""
    return Report(
        version="0.1.0",
        span=Span(since_utc=None, until_utc=None, first_utc=None, last_utc=None),
        by=(),
        headlines=(),
        lines=(),
        step="hour",
        points=(),
        mix=(),
        classes=(),
        savings=Savings(),
        quality=(),
        costs=(),
        jobs=(),
        zones=(),
        devices=(),
        sci=(),
        scope2=None,
        site=Site(
            meter_kwh=UNKNOWN,
            facility_kwh=UNKNOWN,
            pues=(),
            wue_l_per_kwh=None,
            wue_source=None,
            water_l=UNKNOWN,
            price_per_kwh=None,
            currency=None,
            price=UNKNOWN,
            overhead_j=None,
            idle_j=None,
            idle_shared=False,
        ),
        equivalences=(),
        method=Method(),
    )
