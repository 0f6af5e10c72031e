"""The contextual policies in a report: what they are modelled to save, what stops them, and what they lack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine

from directives.plan import Expected
from sprout_like.choosing.constraints import constraints_of
from sprout_like.choosing.missing import Missing
from sprout_like.choosing.status import Standing, standings
from sprout_like.policies import open_catalogue
from sprout_like.reports.judging import Judging
from sprout_like.settings import Settings
from sprout_like.tuning.store import StoredPolicy, all_policies

__all__ = ["MODELLED", "PolicyLine", "modelled", "policy_lines"]


MODELLED: Final = (
    "The modelled saving is what the profile expected when the policy was made, over the mix of work and the "
    "intensities of then. It tends to be too high: directives are chosen because they measured cheap, some of them by "
    "chance. In simulated fleets it was 7 points too high where the cheapest of four equally good directives was "
    "picked from 300 measurements each, 18 from 30 and 26 from 10, and 4 points too high after three weeks of drift."
)
"""For people: what it is worth; figures of benchmarks/results/savings_proof.json."""


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """One model's policy.

    Attributes:
        model: its name. number: the active policy's; None where none was tuned.
        floor: that it keeps; None for none.
        modelled_energy, modelled_carbon: shares that it should save against `full` in the same bins, each row of the
            model's answered requests bearing its part of what judging cost in the span; None where unknown.
        breaker: why everything is served `full`; None where it is not.
        missing: what it does not know yet.
        judging_energy, judging_carbon: by how much judging lowered either saving; None where that is unknown.
    """

    model: str
    number: int | None
    floor: float | None
    modelled_energy: float | None
    modelled_carbon: float | None
    breaker: str | None
    missing: Missing
    judging_energy: float | None = None
    judging_carbon: float | None = None


def modelled(
    engine: Engine, settings: Settings, judging: Iterable[Judging], *, until_utc: datetime | None = None
) -> tuple[PolicyLine, ...]:
    """A line for each model's policy, where the settings' policy is the contextual one.

    Args:
        engine: of a ledger of this release.
        settings: the policy, and what is asked of it.
        judging: what judging cost in the span.
        until_utc: end of the span; the policies are then those in force at that moment, and nothing is said of the
            breaker and of what is missing, which are matters of now. None for now.

    Raises:
        SettingError: the settings do not fit each other.
        PolicyError: a row does not hold what a policy is made of.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    if settings.policy != "contextual":
        return ()
    catalogue = open_catalogue(settings)
    if until_utc is None:
        found = standings(engine, catalogue, constraints_of(settings, catalogue))
    else:
        found = _in_force(engine, catalogue.version, until_utc)
    costs = {cost.model: cost for cost in judging if cost.catalogue_version == catalogue.version}
    return tuple(policy_lines(found, costs))


def _in_force(engine: Engine, catalogue_version: str, until_utc: datetime) -> Iterator[Standing]:
    """The policies that were, by model: of each the one that was made active last before that moment."""
    latest: dict[str, tuple[datetime, StoredPolicy]] = {}
    for policy in all_policies(engine)[0]:
        since_utc = policy.activated_utc
        if policy.catalogue_version != catalogue_version or since_utc is None or since_utc >= until_utc:
            continue
        if policy.model not in latest or latest[policy.model][0] <= since_utc:
            latest[policy.model] = (since_utc, policy)
    for model, (_, policy) in sorted(latest.items()):
        yield Standing(
            model=model,
            number=policy.number,
            savers=(),
            floor=policy.constraints.floor,
            expected=policy.plan.expected,
            breaker=None,
            missing=Missing((), ()),
        )


def policy_lines(standings: Iterable[Standing], judging: Mapping[str, Judging]) -> Iterator[PolicyLine]:
    """A line for each.

    Args:
        standings: how the policies stand.
        judging: what judging cost in the span, by model.
    """
    for standing in standings:
        expected, cost = standing.expected, judging.get(standing.model)
        energy = carbon = energy_lowered = carbon_lowered = None
        if expected is not None:
            each_j, each_g = (0.0, 0.0) if cost is None else _each_row(cost, expected)
            energy, energy_lowered = _saving(expected.energy_j, expected.full_energy_j, each_j)
            carbon, carbon_lowered = _saving(expected.carbon_g, expected.full_carbon_g, each_g)
        yield PolicyLine(
            model=standing.model,
            number=standing.number,
            floor=standing.floor,
            modelled_energy=energy,
            modelled_carbon=carbon,
            breaker=standing.breaker,
            missing=standing.missing,
            judging_energy=energy_lowered,
            judging_carbon=carbon_lowered,
        )


def _each_row(judging: Judging, expected: Expected) -> tuple[float | None, float | None]:
    """What judging cost per row, in J and in g CO2e; None where no row bears it or its grams cannot be told.

    A plan's grams say no kind: the dearest overstates rather than understates what judging cost.
    """
    if not judging.rows:
        return None, None
    full_j, full_g = expected.full_energy_j, expected.full_carbon_g
    grams = None if full_j is None or full_g is None or not full_j > 0 else judging.most_g(full_g / full_j)
    return judging.energy_j / judging.rows, None if grams is None else grams / judging.rows


def _saving(planned: float | None, full: float | None, judging: float | None) -> tuple[float | None, float | None]:
    """The saving, and by how much judging lowered it."""
    if planned is None or full is None or judging is None or not full > 0:
        return None, None
    return 1 - (planned + judging) / full, judging / full
