"""A summary as a table for people, and as JSON and CSV for machines."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from itertools import chain
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sprout_like.choosing.missing import unlocked
from sprout_like.printable import printable
from sprout_like.reports.figures import UNKNOWN_MARK, grams, grams_scale, joules_scale, number, percent
from sprout_like.reports.judging import Judging
from sprout_like.reports.machine import plain, to_json
from sprout_like.reports.policies import PolicyLine
from sprout_like.reports.saving import MeasuredSaving
from sprout_like.reports.summary import Line, Summary
from sprout_like.reports.whole import Whole

__all__ = ["as_csv", "as_json", "as_table"]

_ENOUGH_CONTROL: Final = 30
"""Below this many control rows an interval is too wide to lean on, and its normal approximation is poor."""

_PURPOSES: Final = {
    "request": "requests",
    "job": "items of jobs",
    "baseline": "baselines (run to compare with)",
    "evaluation": "evaluations (run to judge)",
    "calibration": "calibrations (run to measure directives)",
}

_Part = tuple[str, str | None, str | None]


def as_table(summary: Summary) -> RenderableType:
    """For a terminal of 80 columns: a table per purpose, kind and factors, whose figures may be added up."""
    if summary.first_utc is None or summary.last_utc is None:
        return Text("The ledger holds no request in this span.")
    span = f"{summary.first_utc:%Y-%m-%d %H:%M} to {summary.last_utc:%Y-%m-%d %H:%M} UTC"
    parts: dict[_Part, list[Line]] = {}
    for line in summary.lines:
        parts.setdefault((line.purpose, line.intensity_kind, line.intensity_factors), []).append(line)
    tables = [each for part, lines in parts.items() for each in (_title(part), Whole(_table(summary.by, lines)))]
    return Group(Text(span, style="bold"), *tables, *(Text(note, style="dim") for note in _notes(summary)))


def as_json(summary: Summary) -> str:
    """The whole summary; stamps in ISO 8601, unknown as null."""
    return to_json(asdict(summary))


def as_csv(summary: Summary) -> str:
    """The lines, one a row; unknown as an empty cell."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [f.name for f in fields(Line)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(plain(asdict(line)) for line in summary.lines)
    return stream.getvalue()


def _title(part: _Part) -> Text:
    purpose, kind, factors = part
    intensity = "intensity unknown" if kind is None else f"{kind} intensity, {factors} factors"
    return Text(f"{_PURPOSES.get(purpose, purpose)}, {intensity}", style="italic")


def _table(by: str, lines: Sequence[Line]) -> Table:
    joules = _sum(line.energy_j for line in lines)
    joules_off = _sum(line.uncertainty_j for line in lines)
    co2 = _sum(line.operational_g for line in lines)
    energy, energy_each = joules_scale((joules, joules_off)), joules_scale(map(_energy_each, lines))
    carbon, carbon_each = grams_scale((co2,)), grams_scale(map(_carbon_each, lines))
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(by, overflow="fold")
    headings = (f"± {energy.unit}", f"{carbon.unit} CO2e", f"{energy_each.unit} each", f"{carbon_each.unit} each")
    for heading in ("n", "tokens", energy.unit, *headings):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(
            Text(printable(line.group or UNKNOWN_MARK)),
            number(line.requests, 0),
            number(line.new_tokens, 0),
            energy(line.energy_j),
            energy(line.uncertainty_j),
            carbon(line.operational_g),
            energy_each(_energy_each(line)),
            carbon_each(_carbon_each(line)),
        )
    table.add_section()
    table.add_row(
        "total",
        number(sum(line.requests for line in lines), 0),
        number(_sum(line.new_tokens for line in lines), 0),
        energy(joules),
        energy(joules_off),
        carbon(co2),
        style="bold",
    )
    return table


def _energy_each(line: Line) -> float | None:
    return None if line.energy_j is None else line.energy_j / (line.requests - line.energy_unknown)


def _carbon_each(line: Line) -> float | None:
    return None if line.operational_g is None else line.operational_g / (line.requests - line.carbon_unknown)


def _sum(figures: Iterable[float | None]) -> float | None:
    """Sum of those that are known; None where none is. What is left out is counted in the notes."""
    known = [figure for figure in figures if figure is not None]
    return math.fsum(known) if known else None


def _notes(summary: Summary) -> list[str]:
    lines = summary.lines
    notes = ["CO2e is operational: energy × PUE × intensity, added up only within one kind and set of factors."]
    embodied = _sum(line.embodied_g for line in lines)
    if embodied is not None:
        notes.append(f"Making the hardware adds {grams(embodied)} (embodied share), not included above.")
    for count, what in (
        (sum(line.energy_unknown for line in lines), "have unknown energy and are in no sum of J or g"),
        (sum(line.carbon_unknown for line in lines), "have unknown emissions and are in no sum of g"),
        (sum(line.stale for line in lines), "used an intensity held beyond its span"),
        (sum(line.settled for line in lines), "are settled: their CO2e follows what was published afterwards"),
        (
            sum(line.provisional for line in lines),
            "have CO2e that rests on no published actual yet; `sprout-like ledger settle` looks for them",
        ),
        (sum(line.errors for line in lines), "ended in an error; their energy is counted"),
    ):
        if count:
            notes.append(f"{count:,} of {sum(line.requests for line in lines):,} requests {what}.")
    overhead_j, idle_j = summary.overheads.overhead_j, summary.overheads.idle_j
    if idle_j is not None:
        energy = joules_scale((overhead_j, idle_j))
        spent = (
            f"{energy(overhead_j)} {energy.unit} loading, warming up, compiling; {energy(idle_j)} {energy.unit} idle"
        )
        notes.append(f"Besides requests: {spent} (closed accounts).")
    notes += chain.from_iterable(_of_judging(cost, summary.savings) for cost in summary.judging)
    said = [_said(saving) for saving in summary.savings]
    notes += said or ["No saving measured: there is no control group of two or more yet."]
    return [*notes, *chain.from_iterable(map(_of_policy, summary.policies))]


def _of_judging(judging: Judging, savings: Iterable[MeasuredSaving]) -> Iterator[str]:
    if judging.energy_j or judging.judges_g:
        parts = [
            f"{grams(kind.operational_g)} CO2e ({kind.intensity_kind}, {kind.intensity_factors})"
            for kind in judging.kinds
        ]
        if judging.judges_g:
            parts.append(f"{grams(judging.judges_g)} CO2e of judges")
        if judging.unpriced_j:
            parts.append(f"unknown CO2e of {_joules(judging.unpriced_j)}")
        took = f": {', '.join(parts)}" if parts else ""
        yield (
            f"Judging {judging.model} (evaluations: {judging.evaluations:,}) took {_joules(judging.energy_j)}{took}. "
            + _borne(judging, savings)
        )
    if unknown := judging.unknown:
        yield (
            f"{judging.model}: of evaluations and the generations for them, {unknown:,} used unknown energy, "
            "which no saving bears."
        )


def _borne(judging: Judging, savings: Iterable[MeasuredSaving]) -> str:
    if not judging.calls:
        return "None of its requests was answered in this span to bear it."
    stated = {(s.intensity_kind, s.intensity_factors) for s in savings if s.quantity == "carbon"}
    unlike = judging.unpriced_j or len(judging.kinds) > 1 or any(judging.unlike_j(*kind) for kind in stated)
    priced = "; J without g of a saving's own kind count at the g per J of the requests compared" if unlike else ""
    return f"Savings of its requests bear it, spread evenly over all {judging.calls:,} answered{priced}."


def _joules(value_j: float) -> str:
    scale = joules_scale((value_j,))
    return f"{scale(value_j)} {scale.unit}"


def _lowered(policy: PolicyLine) -> str:
    """By how much judging lowered what is modelled, if it did."""
    by = (policy.judging_energy, policy.judging_carbon)
    if not any(by):
        return ""
    energy, carbon = (number(None if part is None else 100 * part, 1) for part in by)
    return f", lowered by judging by {energy} and {carbon} points"


def _of_policy(policy: PolicyLine) -> Iterator[str]:
    if policy.number is None:
        yield f"{policy.model}: no tuned policy yet; `sprout-like judge`, then `sprout-like tune`, make one."
    else:
        floor = "" if policy.floor is None else f", which keeps {percent(policy.floor)} of full's quality"
        yield (
            f"{policy.model}: policy {policy.number}{floor}. Modelled saving against full in the same bins: "
            f"{percent(policy.modelled_energy)} of energy, {percent(policy.modelled_carbon)} of carbon"
            f"{_lowered(policy)}."
        )
    if policy.breaker is not None:
        yield f"{policy.model}: {policy.breaker}: everything is served full."
    if names := policy.missing.unmeasured:
        yield f"{policy.model}: never measured: {', '.join(names)} (`sprout-like calibrate`)."
    if unlocks := policy.missing.unjudged:
        yield (
            f"{policy.model}: never judged, and would save energy if good enough: {unlocked(unlocks)} "
            "(`sprout-like judge`)."
        )


def _said(saving: MeasuredSaving) -> str:
    few = "" if saving.control_n >= _ENOUGH_CONTROL else f", too few to lean on: {_ENOUGH_CONTROL} wanted"
    judged = f" Judging lowered it by {100 * saving.judging:.1f} points." if saving.judging else ""
    of: str = saving.quantity
    if saving.intensity_kind is not None:
        of += f" ({saving.intensity_kind}, {saving.intensity_factors})"
    return (
        f"Measured saving of {of} against the control group: {percent(saving.saving)} "
        f"(95 % interval {percent(saving.low)} to {percent(saving.high)}; {saving.policy_n:,} requests under "
        f"{saving.policy_version}, {saving.control_n:,} control{few}).{judged}"
    )
