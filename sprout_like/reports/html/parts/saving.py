"""What was saved: measured against the control group, and modelled. Two claims, beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sprout_like.choosing.missing import unlocked
from sprout_like.reports.figures import UNKNOWN_MARK
from sprout_like.reports.html.palette import SERIES
from sprout_like.reports.html.plots.rows import Estimate, estimates
from sprout_like.reports.html.svg import Styles
from sprout_like.reports.html.units import electricity, exact, mass, points, share
from sprout_like.reports.html.view import Column, Picture, Section, Table, TableBuilder
from sprout_like.reports.html.words import basis, count, sign
from sprout_like.reports.judging import Judging
from sprout_like.reports.policies import PolicyLine
from sprout_like.reports.report import Report
from sprout_like.reports.saving import MeasuredSaving

__all__ = ["section"]

_DRAWN = 10
_MEASURED, _MODELLED = (SERIES[0], "o"), (SERIES[1], "D")
_NO_POLICY = "no policy was tuned for this model yet: `sprout-like judge`, then `sprout-like tune`, make one"
_NO_MODEL = "the profile lacks what full costs in some of these bins: `sprout-like calibrate` measures it"


def section(report: Report, styles: Styles) -> Section:
    """The section."""
    savings = report.savings
    lead = [
        "Measured: requests under a policy against a control group that was drawn at random and served full. "
        "Modelled: what the policy should save by its profile of the directives. They are two claims and are never "
        "added up. Both bear what judging cost."
    ]
    measured = savings.all_measured
    rows = [*map(_measured, measured), *_modelled(savings.modelled)]
    parts = []
    if rows:
        parts.append(_picture(rows, measured, savings.modelled, styles))
    notes = [*_doubts(measured), *_breakers(savings.modelled), *map(_judging, savings.judging)]
    if not measured:
        notes.insert(
            0,
            "No saving was measured: there is no control group of two or more requests that know their energy in "
            "this span.",
        )
    if not savings.modelled:
        notes.append("No saving is modelled: the policy in force is not the contextual one.")
    return Section(name="saving", title="What was saved", lead=lead, parts=parts, notes=notes)


def _measured(saving: MeasuredSaving) -> Estimate:
    return Estimate(
        name=f"{saving.quantity}, measured, {_under(saving.policy_version)}",
        written=f"{share(saving.saving)} ({share(saving.low)} to {share(saving.high)})",
        value=saving.saving,
        low=saving.low,
        high=saving.high,
        colour=_MEASURED[0],
        marker=_MEASURED[1],
    )


def _modelled(policies: Sequence[PolicyLine]) -> Iterator[Estimate]:
    for policy in policies:
        for what, value in (("energy", policy.modelled_energy), ("carbon", policy.modelled_carbon)):
            if value is not None:
                yield Estimate(
                    name=f"{what}, modelled, {policy.model}",
                    written=share(value),
                    value=value,
                    low=None,
                    high=None,
                    colour=_MODELLED[0],
                    marker=_MODELLED[1],
                )


def _picture(
    rows: Sequence[Estimate], measured: Sequence[MeasuredSaving], modelled: Sequence[PolicyLine], styles: Styles
) -> Picture:
    said = "; ".join(f"{row.name}: {row.written}" for row in rows[:_DRAWN])
    more = "" if len(rows) <= _DRAWN else f" The first {_DRAWN} are drawn; the table holds all {len(rows)}."
    return Picture(
        svg=estimates("plot-saving", rows[:_DRAWN], "Saving per request, % of full", (0.0, 0.1), said, styles),
        title="Saving, measured and modelled",
        reading="Points are estimates, bars 95 % intervals; an arrow means that the interval goes on. Left of the line "
        f"at zero more was used, not less.{more}",
        keys=[
            sign("measured against the control group", _MEASURED[0], marker=_MEASURED[1]),
            sign("modelled, which has no interval", _MODELLED[0], marker=_MODELLED[1]),
        ],
        tables=[_table(measured, modelled)],
    )


def _table(measured: Sequence[MeasuredSaving], modelled: Sequence[PolicyLine]) -> Table:
    headings = ("saving, %", "95 % from, %", "to, %", "requests under it", "control", "lowered by judging, points")
    columns = [Column(heading, figures=False) for heading in ("how", "of", "policy or model")]
    rows = TableBuilder("Savings per request, as a share of full", [*columns, *map(Column, headings)])
    for each in measured:
        of = (
            each.quantity
            if each.quantity == "energy"
            else f"carbon ({basis(each.intensity_kind, each.intensity_factors)})"
        )
        figures = (points(each.saving), points(each.low), points(each.high))
        rows.add(
            "measured",
            of,
            _under(each.policy_version),
            *figures,
            count(each.policy_n),
            count(each.control_n),
            points(each.judging),
        )
    for policy in modelled:
        reason = _NO_POLICY if policy.number is None else _NO_MODEL
        for quantity, saving, judging in (
            ("energy", policy.modelled_energy, policy.judging_energy),
            ("carbon", policy.modelled_carbon, policy.judging_carbon),
        ):
            none = (UNKNOWN_MARK, "a modelled saving has no interval and no groups")
            rows.add(
                "modelled",
                quantity,
                policy.model,
                (points(saving), reason),
                none,
                none,
                none,
                none,
                (points(judging), reason),
            )
    return rows.table()


def _doubts(measured: Sequence[MeasuredSaving]) -> Iterator[str]:
    of: defaultdict[tuple[str | None, str], list[str]] = defaultdict(list)
    for each in measured:
        for doubt in each.doubts:
            of[each.policy_version, doubt].append(each.quantity)
    for (version, doubt), quantities in of.items():
        yield f"{_under(version)}, {' and '.join(dict.fromkeys(quantities))}: {doubt}"


def _under(policy_version: str | None) -> str:
    return "all policies" if policy_version is None else policy_version


def _breakers(modelled: Sequence[PolicyLine]) -> Iterator[str]:
    for policy in modelled:
        if policy.breaker is not None:
            yield f"{policy.model}: {policy.breaker}: everything is served full."
        if policy.missing.unmeasured:
            yield f"{policy.model}: never measured: {', '.join(policy.missing.unmeasured)} (sprout-like calibrate)."
        if policy.missing.unjudged:
            better = unlocked(policy.missing.unjudged)
            yield f"{policy.model}: never judged, and would save energy if good enough: {better} (sprout-like judge)."


def _judging(judging: Judging) -> str:
    energy = electricity((judging.energy_j,))
    grams = [
        f"{mass(kind.operational_g)} ({basis(kind.intensity_kind, kind.intensity_factors)})" for kind in judging.kinds
    ]
    unknown = (
        f" Of {judging.unknown:,} of them the energy is unknown, which no saving bears." if judging.unknown else ""
    )
    took = f": {', '.join(grams)}" if grams else ""
    return (
        f"Judging {judging.model} took {exact(judging.energy_j / energy.factor)} {energy.unit} in "
        f"{judging.evaluations:,} evaluations{took}; {judging.calls:,} answered requests bear it evenly.{unknown}"
    )
