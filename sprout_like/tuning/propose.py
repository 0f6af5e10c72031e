"""`tune`: what the ledger tells, the plan that follows, what it would change, and whether it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypedDict

from sqlalchemy import Connection, Engine, case, func, select

from directives import Catalogue, PolicyError
from directives.constraints import Constraints
from directives.evidence import Evidence
from directives.off_policy import self_normalised
from directives.plan import Plan
from directives.policies.contextual import ContextualPolicy
from directives.solving import solve
from directives.solving.levels import Levels
from sprout_like.calibrate.store import latest_profile
from sprout_like.carbon import embodied_g
from sprout_like.choosing.constraints import constraints_of
from sprout_like.errors import NothingToLearn
from sprout_like.ledger.schema import EvaluationRow
from sprout_like.settings import Settings
from sprout_like.tuning.aggregate import Group, groups
from sprout_like.tuning.compare import compared, qualities, value_data
from sprout_like.tuning.decide import decided
from sprout_like.tuning.evidence import evidence_of, judged
from sprout_like.tuning.live import live_verdicts
from sprout_like.tuning.log import chances_of, read_log
from sprout_like.tuning.model import energy_model, scaled
from sprout_like.tuning.overview import Overview, overview
from sprout_like.tuning.store import State, StoredPolicy, active_policy, save_policy

__all__ = ["Proposal", "tune"]

RECENT: Final = timedelta(days=7)
"""A week holds weekdays and weekend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A tuned policy.

    Attributes:
        state: `active` where it was promoted, or would be; `rejected`. None where it is the running one already.
        reason: why.
        plan, constraints, evidence: what it does, what was asked, what is known.
        estimate: what it would change, in JSON's own types.
        stored: the row; None in a dry run and where nothing is new.
        running: the policy that is active until then; None where none is.
    """

    state: State | None
    reason: str
    plan: Plan
    constraints: Constraints
    evidence: Evidence
    estimate: dict[str, Any]
    stored: StoredPolicy | None
    running: StoredPolicy | None


class _Of(TypedDict):
    model: str
    catalogue_version: str


def tune(
    engine: Engine,
    settings: Settings,
    catalogue: Catalogue,
    *,
    now_utc: datetime,
    model: str | None = None,
    since_utc: datetime | None = None,
    dry_run: bool = False,
) -> Proposal:
    """Make the next policy from the ledger, and promote it if it holds the floor and emits less.

    It is promoted where the lower bound of its quality holds the floor, and the upper end of the 95 % interval of its
    carbon minus the running policy's is below 0; energy stands in where no intensity is known. A running policy that
    does not hold today's floor on today's evidence is no measure: then it is compared with `full` (`decide.decided`).

    Args:
        engine: of the ledger's database.
        settings: constraints, PUE and embodied emissions.
        catalogue: the directives.
        now_utc: the moment of tuning.
        model: whose requests; None for the only one there is.
        since_utc: from when; None for the last 30 days of requests.
        dry_run: change nothing.

    Raises:
        NothingToLearn: what is missing, and how to get it.
        Infeasible: the constraints cannot hold together.
        SettingError: the settings do not fit each other.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    constraints = constraints_of(settings, catalogue)
    with engine.connect() as connection:
        seen = overview(
            connection, catalogue_version=catalogue.version, model=model, since_utc=since_utc, recent=RECENT
        )
        of = _Of(model=seen.scope.model, catalogue_version=seen.scope.catalogue_version)
        running = _running(engine, **of)
        edges = _edges(seen, running)
        found = groups(connection, seen.scope, edges)
        quality = judged(connection, **of)
        live = live_verdicts(connection, seen.scope)
        evaluated = _evaluated(connection, seen)
    _check(found)
    evidence = evidence_of(found, seen, latest_profile(engine, **of), catalogue, quality)
    _check_measured(evidence)
    plan = solve(evidence, constraints, pue=settings.pue, embodied_g_per_s=embodied_g(settings.embodied, 1.0) or 0.0)

    log = read_log(found, edges, _reach(plan) | (frozenset() if running is None else _reach(running.plan)))
    candidate, present = chances_of(plan), None if running is None else chances_of(running.plan)
    model_j = energy_model(evidence, constraints)
    energy = compared(log.energy, candidate, present, model_j)
    carbon = compared(log.carbon, candidate, present, scaled(model_j, log.g_per_j))
    served = qualities(log.energy, candidate, present, evidence, constraints)
    lived = self_normalised(live, candidate)
    state: State | None
    state, reason = decided(plan, constraints, evidence, carbon or energy, served, lived, tuned=running is not None)
    read = {**_read(seen, found), "evaluations_of_unknown_carbon": evaluated.unknown}
    estimate = {
        "carbon_g": None if carbon is None else carbon.data(evaluated.operational_g / read["rows"]),
        "energy_j": None if energy is None else energy.data(evaluated.energy_j / read["rows"]),
        "quality": asdict(served),
        "live_quality": value_data(lived),
        "evaluation_g": evaluated.operational_g,
        "evaluation_j": evaluated.energy_j,
        "read": read,
    }
    if running is not None and running.plan.version == plan.version:
        state, reason = None, f"policy {running.number} does the same already"
    stored = None
    if state is not None and not dry_run:
        stored = save_policy(
            engine,
            now_utc=now_utc,
            state=state,
            constraints=constraints,
            evidence=evidence,
            plan=plan,
            estimate=estimate,
            reason=reason,
            **of,
        )
    return Proposal(
        state=state,
        reason=reason,
        plan=plan,
        constraints=constraints,
        evidence=evidence,
        estimate=estimate,
        stored=stored,
        running=running,
    )


def _running(engine: Engine, *, model: str, catalogue_version: str) -> StoredPolicy | None:
    """The active policy; None also where another release wrote it, as the remedy is to tune anew."""
    try:
        return active_policy(engine, model=model, catalogue_version=catalogue_version)
    except PolicyError:
        return None


def _edges(seen: Overview, running: StoredPolicy | None) -> tuple[float, ...]:
    """Where the level of the plan to come or of the running one changes: the solver splits by intensity alone."""
    to_come = Levels.of(seen.intensities_g_per_kwh, None).edges_g_per_kwh
    return tuple(sorted({*to_come, *(() if running is None else running.plan.edges_g_per_kwh)}))


def _reach(plan: Plan) -> frozenset[str]:
    return ContextualPolicy(plan).reach


def _check(found: Sequence[Group]) -> None:
    requests = [group for group in found if group.request]
    if not any(group.energy_n for group in requests):
        raise NothingToLearn(
            "ledger: no request has a known energy; `sprout-like doctor` says which meter this machine has"
        )
    if not any(group.drawn and group.energy_n for group in requests):
        raise NothingToLearn(
            "ledger: no request has a propensity, without which no other policy can be estimated from it; serve "
            "requests under a policy of this release (`sprout-like doctor` says why one fails)"
        )


def _check_measured(evidence: Evidence) -> None:
    measured = {cell.directive for cell in evidence.cells if cell.energy_j is not None}
    if len(measured) < 2:
        raise NothingToLearn(
            f"ledger: {', '.join(measured)} is the only directive that was ever measured; run `sprout-like calibrate`, "
            "or serve requests with an explore_share above 0"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evaluated:
    """What evaluations took of what is known: J and g CO2e of operation; `unknown` are those that did not say it."""

    energy_j: float
    operational_g: float
    unknown: int


def _evaluated(connection: Connection, seen: Overview) -> _Evaluated:
    of = EvaluationRow
    energy = func.coalesce(of.energy_j, 0.0) + func.coalesce(of.judge_energy_j, 0.0)
    carbon = func.coalesce(of.operational_g, 0.0) + func.coalesce(of.judge_operational_g, 0.0)
    no_judge = (of.judge_s <= 0) | (func.coalesce(of.judge_energy_j, 1.0) <= 0)
    untold = of.operational_g.is_(None) | (of.judge_operational_g.is_(None) & ~no_judge)
    row = connection.execute(
        select(func.sum(energy), func.sum(carbon), func.sum(case((untold, 1), else_=0))).where(
            of.ended_utc >= seen.since_utc,
            of.model == seen.scope.model,
            of.catalogue_version == seen.scope.catalogue_version,
        )
    ).one()
    return _Evaluated(energy_j=row[0] or 0.0, operational_g=row[1] or 0.0, unknown=row[2] or 0)


def _read(seen: Overview, found: Sequence[Group]) -> dict[str, Any]:
    """What was read, and what was left out as it is unknown or does not belong."""
    requests = [group for group in found if group.request]
    return {
        "since_utc": seen.since_utc.isoformat(),
        "until_utc": seen.newest_utc.isoformat(),
        "requests": sum(group.n for group in requests),
        "rows": sum(group.n * group.size for group in requests),
        "of_other_models_or_catalogues": seen.other,
        "without_energy": sum(group.n - group.energy_n for group in requests),
        "without_propensity": sum(group.n for group in requests if not group.drawn),
        "without_comparable_carbon": sum(group.energy_n for group in requests if group.carbon_g is None),
    }
