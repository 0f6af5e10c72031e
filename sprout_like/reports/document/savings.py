"""What was saved, what judging it cost, and what judges found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from sprout_like.choosing.missing import unlocked
from sprout_like.reports.document.blocks import Block, Heading, Words, grid
from sprout_like.reports.document.phrases import joules
from sprout_like.reports.figures import UNKNOWN_MARK, grams, number, percent
from sprout_like.reports.judging import Judging
from sprout_like.reports.policies import PolicyLine
from sprout_like.reports.report import Quality, Report
from sprout_like.reports.saving import MeasuredSaving

__all__ = ["quality", "savings"]

_ENOUGH_CONTROL: Final = 30
"""Below this many control rows an interval is too wide to lean on, and its normal approximation is poor."""


def savings(report: Report) -> Iterator[Block]:
    """Measured, then what judging cost, then modelled."""
    saved = report.savings
    yield Heading("Savings")
    said = [_said(saving) for saving in saved.all_measured]
    yield from map(Words, said or ["No saving measured: there is no control group of two or more yet."])
    yield from map(Words, chain.from_iterable(_of_judging(cost, saved.measured) for cost in saved.judging))
    yield from map(Words, chain.from_iterable(map(_of_policy, saved.modelled)))


def quality(report: Report) -> Iterator[Block]:
    """By model and directive, against the floor."""
    if not report.quality:
        return
    yield Heading("Quality against the floor")
    yield grid(
        "share of full's quality, as judged in this span",
        ("model", "judge", "directive"),
        ("verdicts", "quality", "at least", "with", "floor", "kept"),
        (
            (
                of.model,
                of.judge,
                of.directive,
                number(of.verdicts_n, 0),
                percent(of.quality.value),
                percent(of.quality.low),
                percent(of.confidence),
                percent(of.floor),
                _kept(of),
            )
            for of in report.quality
        ),
    )
    for why in dict.fromkeys((of.model, of.breaker) for of in report.quality if of.breaker is not None):
        yield Words(f"{why[0]}: {why[1]}: everything is served full.")


def _kept(of: Quality) -> str:
    if of.floor is None or of.quality.value is None:
        return UNKNOWN_MARK
    if of.quality.low is not None and of.quality.low >= of.floor:
        return "yes"
    return "not shown" if of.quality.value >= of.floor else "no"


def _of_judging(judging: Judging, measured: Iterable[MeasuredSaving]) -> Iterator[str]:
    if judging.energy_j or judging.judges_g:
        parts = [
            f"{grams(kind.operational_g)} CO2e ({kind.intensity_kind}, {kind.intensity_factors})"
            for kind in judging.kinds
        ]
        if judging.judges_g:
            parts.append(f"{grams(judging.judges_g)} CO2e of judges")
        if judging.unpriced_j:
            parts.append(f"unknown CO2e of {joules(judging.unpriced_j)}")
        took = f": {', '.join(parts)}" if parts else ""
        yield (
            f"Judging {judging.model} (evaluations: {judging.evaluations:,}) took {joules(judging.energy_j)}{took}. "
            + _borne(judging, measured)
        )
    if unknown := judging.unknown:
        yield (
            f"{judging.model}: of evaluations and the generations for them, {unknown:,} used unknown energy, "
            "which no saving bears."
        )


def _borne(judging: Judging, measured: Iterable[MeasuredSaving]) -> str:
    if not judging.calls:
        return "None of its requests was answered in this span to bear it."
    stated = {(s.intensity_kind, s.intensity_factors) for s in measured if s.quantity == "carbon"}
    unlike = judging.unpriced_j or len(judging.kinds) > 1 or any(judging.unlike_j(*kind) for kind in stated)
    priced = "; J without g of a saving's own kind count at the g per J of the requests compared" if unlike else ""
    return f"Savings of its requests bear it, spread evenly over all {judging.calls:,} answered{priced}."


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


def _lowered(policy: PolicyLine) -> str:
    """By how much judging lowered what is modelled, if it did."""
    by = (policy.judging_energy, policy.judging_carbon)
    if not any(by):
        return ""
    energy, carbon = (number(None if part is None else 100 * part, 1) for part in by)
    return f", lowered by judging by {energy} and {carbon} points"


def _said(saving: MeasuredSaving) -> str:
    few = "" if saving.control_n >= _ENOUGH_CONTROL else f", too few to lean on: {_ENOUGH_CONTROL} wanted"
    judged = f" Judging lowered it by {100 * saving.judging:.1f} points." if saving.judging else ""
    of: str = saving.quantity
    if saving.intensity_kind is not None:
        of += f" ({saving.intensity_kind}, {saving.intensity_factors})"
    under = "every policy of the span" if saving.policy_version is None else saving.policy_version
    return (
        f"Measured saving of {of} against the control group: {percent(saving.saving)} "
        f"(95 % interval {percent(saving.low)} to {percent(saving.high)}; {saving.policy_n:,} requests under "
        f"{under}, {saving.control_n:,} control{few}).{judged}" + "".join(f" {doubt}" for doubt in saving.doubts)
    )
