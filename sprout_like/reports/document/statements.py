"""Costs, standards, jobs, counters, method."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby

from sprout_like.reports.document.blocks import Block, Heading, Note, Words, grid
from sprout_like.reports.document.phrases import PURPOSES, figure, intensity, joules, moment, named, short, spread
from sprout_like.reports.figures import grams, joules_scale, number, percent
from sprout_like.reports.report import Cost, Report, Sci

__all__ = ["costs", "devices", "jobs", "method", "standards"]


def costs(report: Report) -> Iterator[Block]:
    """Per 1,000 requests and per token."""
    if not report.costs:
        return
    yield Heading("Costs")
    water = any(cost.water_l.value is not None for cost in report.costs)
    price = any(cost.price.value is not None for cost in report.costs)
    further = [*(["l water"] if water else []), *([report.costs[0].currency or ""] if price else [])]
    for part, of_part in groupby(report.costs, key=_part):
        yield grid(
            part,
            ("per",),
            ("energy", "±", "CO2e", "embodied", *further),
            [
                (
                    cost.per,
                    joules(cost.energy_j.value),
                    spread(cost.energy_j),
                    grams(cost.operational_g.value),
                    grams(cost.embodied_g.value),
                    *([figure(cost.water_l.value)] if water else []),
                    *([figure(cost.price.value)] if price else []),
                )
                for cost in of_part
            ],
        )


def standards(report: Report) -> Iterator[Block]:
    """SCI, scope 2, the site, and grams in everyday terms."""
    if report.sci:
        yield Heading("Software Carbon Intensity (ISO/IEC 21031:2024): (E × I + M) per R")
    for part, of_part in groupby(report.sci, key=_part):
        yield grid(
            part,
            ("R",),
            ("E, kWh", "I, g/kWh", "O = E × I", "M", "SCI", "±"),
            [
                (
                    of.functional_unit,
                    figure(of.energy_kwh.value),
                    figure(of.intensity_g_per_kwh),
                    grams(of.operational_g.value),
                    grams(of.embodied_g.value),
                    grams(of.score_g.value),
                    spread(of.score_g),
                )
                for of in of_part
            ],
        )
    yield from _scope2(report)
    yield from _site(report)
    for same in report.equivalences:
        yield Words(
            f"{grams(same.operational_g)} CO2e ({same.intensity_kind}, {same.intensity_factors}) is as much as "
            f"{figure(same.amount)} {same.what}, at {figure(same.g_each)} g each ({same.source})."
        )


def _part(of: Cost | Sci) -> str:
    return f"{PURPOSES.get(of.purpose, of.purpose)}, {intensity(of.intensity_kind, of.intensity_factors)}"


def _scope2(report: Report) -> Iterator[Block]:
    scope2 = report.scope2
    if scope2 is None:
        return
    yield Heading("GHG Protocol, scope 2")
    rows = [
        (
            "location-based",
            f"average intensities, {of.intensity_factors} factors",
            figure(of.kwh.value),
            grams(of.operational_g.value),
            spread(of.operational_g),
        )
        for of in scope2.location
    ]
    if scope2.market is not None:
        of_market = scope2.market
        rows.append(
            (
                "market-based",
                f"{figure(of_market.g_per_kwh)} g/kWh: {of_market.source}",
                figure(of_market.kwh.value),
                grams(of_market.operational_g.value),
                spread(of_market.operational_g),
            )
        )
    yield grid("electricity of the requests, PUE included", ("method", "factor"), ("kWh", "CO2e", "±"), rows)
    if scope2.market is None:
        yield Note("Market-based: not stated, as the setting market_g_per_kwh is not given.")
    for kwh, what in ((scope2.marginal_kwh, "marginal"), (scope2.unknown_kwh, "unknown")):
        if kwh:
            yield Note(f"{figure(kwh)} kWh were used at {what} intensities and are in no location-based figure.")
    if any(of.intensity_factors == "lifecycle" for of in scope2.location):
        yield Note("Lifecycle factors hold upstream emissions too, which the Protocol puts into scope 3.")


def _site(report: Report) -> Iterator[Block]:
    site = report.site
    if site.meter_kwh.value is None:
        return
    pues = ", ".join(f"{pue:g}" for pue in site.pues)
    yield Words(
        f"Electricity: {figure(site.meter_kwh.value)} kWh at the IT equipment, {figure(site.facility_kwh.value)} kWh "
        f"with PUE {pues}."
    )
    if site.water_l.value is not None:
        yield Words(
            f"Water: {figure(site.water_l.value)} l at {figure(site.wue_l_per_kwh)} l per kWh of IT equipment "
            f"({site.wue_source})."
        )
    if site.price.value is not None:
        each = f"{figure(site.price_per_kwh)} {site.currency}"
        yield Words(f"Electricity cost {figure(site.price.value)} {site.currency}, at {each} per kWh with PUE.")


def jobs(report: Report) -> Iterator[Block]:
    """Jobs, and the windows in which they ran or are to."""
    if not report.jobs:
        return
    yield Heading("Jobs")
    yield grid(
        "savings are modelled against running at once",
        ("job", "task", "state"),
        ("submitted", "deadline", "items", "done", "energy", "CO2e", "planned", "so far"),
        (
            (
                job.job_id[:8],
                named(job.task),
                job.state,
                moment(job.submitted_utc),
                moment(job.deadline_utc),
                number(job.items_n, 0),
                number(job.done_n, 0),
                joules(job.energy_j),
                grams(job.operational_g),
                percent(job.planned_saving),
                percent(job.saving),
            )
            for job in report.jobs
        ),
    )
    rows = [
        (
            job.job_id[:8],
            window.zone,
            window.state,
            moment(window.start_utc),
            moment(window.end_utc),
            number(window.items_n, 0),
            grams(window.operational_g),
        )
        for job in report.jobs
        for window in job.windows
    ]
    if rows:
        yield grid("windows", ("job", "zone", ""), ("from", "to", "items", "CO2e"), rows)


def devices(report: Report) -> Iterator[Block]:
    """The counters, and where their energy went."""
    if not report.devices:
        return
    yield Heading("Reconciliation with the device counters")
    scale = joules_scale(device.counter_j for device in report.devices)
    several = len({device.host for device in report.devices}) > 1
    yield grid(
        f"{scale.unit}, closed accounts of this span",
        ("device",),
        ("counter", "requests", "elsewhere", "overhead", "idle", "gap", "worst hour"),
        (
            (
                f"{named(device.host)} {device.device_id}" if several else device.device_id,
                scale(device.counter_j),
                scale(device.requests_j),
                scale(device.elsewhere_j),
                scale(device.overhead_j),
                scale(device.idle_j),
                percent(device.gap_share),
                percent(device.worst_hour_share),
            )
            for device in report.devices
        ),
    )
    beyond_j = math.fsum(max(0.0, (of.host_counter_j or 0.0) - of.counter_j) for of in report.devices)
    if beyond_j:
        yield Words(
            f"Counters that several processes read have {joules(beyond_j)} more: it is in other ledgers, in accounts "
            "not closed yet, or lost."
        )
    overhead, idle = joules(report.site.overhead_j), joules(report.site.idle_j)
    shared = "shared out over the lines as asked" if report.site.idle_shared else "in no request's figures"
    yield Words(f"Besides requests: {overhead} loading, warming up, compiling; {idle} idle, {shared}.")


def method(report: Report) -> Iterator[Block]:
    """Sources, gaps, and how it was worked out."""
    how = report.method
    yield Heading("How this is known")
    if how.meters:
        yield grid(
            "meters",
            ("meter", "method"),
            ("n",),
            ((meter, method, number(requests, 0)) for meter, method, requests in how.meters),
        )
    if how.intensities:
        yield grid(
            "intensities",
            ("zone", "intensity"),
            ("n",),
            ((zone, short(kind, factors), number(n, 0)) for zone, kind, factors, n in how.intensities),
        )
    if how.sources:
        yield grid(
            "published, as the ledger keeps it",
            ("zone", "source", "status"),
            ("slots",),
            ((zone, source, status, number(slots, 0)) for zone, source, status, slots in how.sources),
        )
    settled = sum(emission.settled for headline in report.headlines for emission in headline.emissions)
    if settled:
        requests = sum(headline.usage.requests for headline in report.headlines)
        yield Words(
            f"{settled:,} of {requests:,} requests are settled: their CO2e follows what was published afterwards."
        )
    for gap in how.gaps:
        yield Words(f"{gap.requests:,} of {gap.of:,} requests {gap.what}: {gap.why}.")
    for note in how.notes:
        yield Note(note)
    since = "the first" if report.span.since_utc is None else f"{moment(report.span.since_utc)} UTC"
    until = "the last" if report.span.until_utc is None else f"before {moment(report.span.until_utc)} UTC"
    yield Note(f"Made by sprout-like {report.version} of all requests from {since} to {until}.")
