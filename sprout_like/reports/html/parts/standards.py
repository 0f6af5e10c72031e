"""The figures as the standards ask for them: SCI, scope 2 by location and by contract, water."""

from __future__ import annotations

from collections.abc import Sequence

from sprout_like.carbon import energy_kwh
from sprout_like.reports.figures import UNKNOWN_MARK, Scale
from sprout_like.reports.html.units import amount, emissions, exact, litres, mass, with_interval
from sprout_like.reports.html.view import Column, Section, Table, TableBuilder
from sprout_like.reports.html.words import NO_CARBON, NO_ENERGY, basis, purpose, short
from sprout_like.reports.report import Equivalence, Report, Sci, Scope2, Site

__all__ = ["section"]

_KWH = Scale(1, "kWh")
_NO_EMBODIED = "M is not known of all of these: the settings of the hardware give it, and a score without M is none"


def section(report: Report) -> Section:
    """The section."""
    parts = []
    if report.sci:
        parts.append(_sci(report.sci))
    if report.scope2 is not None:
        parts.append(_scope2(report.scope2))
    parts.append(_site(report.site))
    if report.equivalences:
        parts.append(_equivalences(report.equivalences))
    notes = []
    if not report.sci:
        notes.append("No SCI score: no request in this span knows its energy and its intensity.")
    if report.scope2 is None:
        notes.append("No scope 2 figure: no energy is known.")
    else:
        notes += _of_scope2(report.scope2)
    return Section(
        name="standards",
        title="By the standards",
        lead=[
            "SCI is the Software Carbon Intensity of ISO/IEC 21031:2024: (E × I + M) per R, E being electricity with "
            "PUE, I its intensity, M the embodied part, R the functional unit. Scope 2 follows the GHG Protocol's "
            "guidance of 2015, location-based and market-based beside each other: one or the other, never their sum."
        ],
        parts=parts,
        notes=notes,
    )


def _sci(scores: Sequence[Sci]) -> Table:
    grams = emissions(value.value for each in scores for value in (each.score_g, each.operational_g, each.embodied_g))
    names = [Column(name, figures=False) for name in ("purpose", "R: per", "intensity and factors")]
    headings = (
        *("number of R", "E, Wh per R", "I, g CO₂e/kWh", f"O = E × I, {grams.unit} per R"),
        *(f"M, {grams.unit} per R", f"SCI = O + M, {grams.unit} per R"),
    )
    rows = TableBuilder("Software Carbon Intensity", [*names, *map(Column, headings)])
    for each in scores:
        rows.add(
            purpose(each.purpose),
            each.functional_unit,
            short(each.intensity_kind, each.intensity_factors),
            amount(each.units),
            (with_interval(each.energy_kwh, Scale(1e-3, "Wh")), NO_ENERGY),
            (exact(each.intensity_g_per_kwh), NO_CARBON),
            (with_interval(each.operational_g, grams), NO_CARBON),
            (with_interval(each.embodied_g, grams), _NO_EMBODIED),
            (with_interval(each.score_g, grams), _NO_EMBODIED),
        )
    return rows.table()


def _scope2(scope2: Scope2) -> Table:
    market = scope2.market
    grams = emissions(
        [
            *(each.operational_g.value for each in scope2.location),
            None if market is None else market.operational_g.value,
        ]
    )
    columns = [Column("method", figures=False), Column("factor", figures=False)]
    headings = ("electricity, kWh", f"scope 2, {grams.unit}")
    rows = TableBuilder("GHG Protocol scope 2, all purposes together", [*columns, *map(Column, headings)])
    for each in scope2.location:
        rows.add(
            "location-based",
            f"the grid's average, {each.intensity_factors} factors",
            (with_interval(each.kwh, _KWH), NO_ENERGY),
            (with_interval(each.operational_g, grams), NO_CARBON),
        )
    if not scope2.location:
        none = "no request was served at a known average intensity"
        rows.add("location-based", (UNKNOWN_MARK, none), (UNKNOWN_MARK, none), (UNKNOWN_MARK, none))
    if market is None:
        none = "the settings name no contract and its factor"
        rows.add("market-based", (UNKNOWN_MARK, none), (UNKNOWN_MARK, none), (UNKNOWN_MARK, none))
    else:
        rows.add(
            "market-based",
            f"{exact(market.g_per_kwh)} g CO₂e/kWh, by {market.source}",
            (with_interval(market.kwh, _KWH), NO_ENERGY),
            (with_interval(market.operational_g, grams), NO_ENERGY),
        )
    return rows.table()


def _of_scope2(scope2: Scope2) -> list[str]:
    notes = []
    if any(each.intensity_factors == "lifecycle" for each in scope2.location):
        notes.append("Lifecycle factors hold upstream emissions, which the Protocol puts into scope 3.")
    for kwh, why in (
        (scope2.marginal_kwh, "marginal: marginal intensities are not for scope 2"),
        (scope2.unknown_kwh, "unknown"),
    ):
        if kwh > 0:
            notes.append(
                f"Of the electricity, {exact(kwh)} kWh have no location-based figure, as their intensity is {why}."
            )
    return notes


def _site(site: Site) -> Table:
    rows = TableBuilder(
        "Electricity, water and money, all purposes together",
        [Column("what", figures=False), Column("figure"), Column("by", figures=False)],
    )
    pues = ", ".join(f"{pue:.10g}" for pue in site.pues)
    rows.add("electricity at the computers, kWh", (with_interval(site.meter_kwh, _KWH), NO_ENERGY), "the meters")
    rows.add(
        "electricity of the site, kWh",
        (with_interval(site.facility_kwh, _KWH), NO_ENERGY),
        (f"PUE {pues}" if pues else UNKNOWN_MARK, "no request is there"),
    )
    water = litres((site.water_l.value,))
    no_wue = "the setting `wue_l_per_kwh` is not given" if site.wue_l_per_kwh is None else NO_ENERGY
    wue = (
        UNKNOWN_MARK
        if site.wue_l_per_kwh is None
        else f"WUE {exact(site.wue_l_per_kwh)} l/kWh, {site.wue_source or 'no source given'}"
    )
    rows.add(f"water, {water.unit}", (with_interval(site.water_l, water), no_wue), (wue, no_wue))
    no_price = "the setting `price_per_kwh` is not given" if site.price_per_kwh is None else NO_ENERGY
    currency = site.currency or "money"
    price = UNKNOWN_MARK if site.price_per_kwh is None else f"{exact(site.price_per_kwh)} {currency} per kWh"
    rows.add(
        "price of the electricity" if site.currency is None else f"price of the electricity, {site.currency}",
        (with_interval(site.price, Scale(1, currency)), no_price),
        (price, no_price),
    )
    shared = "shared out among the requests, as asked for" if site.idle_shared else "in no figure of a request"
    no_account = "no account of a device was closed in this span"
    for what, value_j, by in (
        ("loading, warming up, compiling, kWh", site.overhead_j, "in no figure of a request"),
        ("idle, kWh", site.idle_j, shared),
    ):
        kwh = None if value_j is None else energy_kwh(value_j)
        rows.add(what, (exact(kwh), no_account), (UNKNOWN_MARK if kwh is None else by, no_account))
    return rows.table()


def _equivalences(found: Sequence[Equivalence]) -> Table:
    names = [Column("as much as", figures=False), Column("amount")]
    columns = [*names, Column("of", figures=False), Column("g CO₂e each"), Column("source", figures=False)]
    rows = TableBuilder("In everyday terms", columns)
    for each in found:
        of = f"{mass(each.operational_g)} ({basis(each.intensity_kind, each.intensity_factors)})"
        rows.add(each.what, exact(each.amount), of, exact(each.g_each), each.source)
    return rows.table()
