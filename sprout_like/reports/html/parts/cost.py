"""What 1,000 requests and a token cost."""

from __future__ import annotations

from sprout_like.reports.html.units import amount, electricity, emissions, litres, prices, with_interval
from sprout_like.reports.html.view import Column, Section, Table, TableBuilder
from sprout_like.reports.html.words import NO_CARBON, NO_ENERGY, purpose, short
from sprout_like.reports.report import Cost, Report

__all__ = ["section"]

_NO_HARDWARE = "embodied emissions are not known of all of these: the settings of the hardware give them"


def section(report: Report) -> Section:
    """The section."""
    name, title = "cost", "Cost per 1,000 requests and per token"
    if not report.costs:
        return Section(
            name=name, title=title, notes=["No request in this span knows its energy: there is no cost to divide."]
        )
    units = dict.fromkeys((each.per, each.purpose) for each in report.costs)
    parts = [_costs(per, of, [c for c in report.costs if (c.per, c.purpose) == (per, of)]) for per, of in units]
    lead = "The sums of the requests that know their energy, by how many they are and by how many tokens they made."
    return Section(name=name, title=title, lead=[lead], parts=parts)


def _costs(per: str, of: str, costs: list[Cost]) -> Table:
    energy = electricity(each.energy_j.value for each in costs)
    grams = emissions(each.operational_g.value for each in costs)
    made = emissions(each.embodied_g.value for each in costs)
    water = litres(each.water_l.value for each in costs)
    currency = next((each.currency for each in costs if each.currency is not None), None)
    money = prices(currency, (each.price.value for each in costs))
    watered = any(each.water_l.value is not None for each in costs)
    headings = [f"energy, {energy.unit}", f"operational, {grams.unit}", f"embodied, {made.unit}"]
    if watered:
        headings.append(f"water, {water.unit}")
    if currency is not None:
        headings.append(f"electricity, {money.unit}")
    names = [Column("intensity and factors", figures=False), Column(f"{per}s" if per.endswith("token") else per)]
    rows = TableBuilder(f"Per {per} ({purpose(of)})", [*names, *map(Column, headings)])
    for each in costs:
        cells: list[str | tuple[str, str]] = [
            short(each.intensity_kind, each.intensity_factors),
            amount(each.units),
            (with_interval(each.energy_j, energy), NO_ENERGY),
            (with_interval(each.operational_g, grams), NO_CARBON),
            (with_interval(each.embodied_g, made), _NO_HARDWARE),
        ]
        if watered:
            cells.append((with_interval(each.water_l, water), NO_ENERGY))
        if currency is not None:
            cells.append((with_interval(each.price, money), NO_ENERGY))
        rows.add(*cells)
    return rows.table()
