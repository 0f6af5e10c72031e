"""How the contextual policies of a ledger stand, for people: which is active, whether it is stopped, what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select, union

from directives import FULL, Catalogue
from directives.constraints import Constraints
from directives.evidence import Evidence
from directives.plan import Expected
from sprout_like.calibrate.store import latest_profile
from sprout_like.choosing.breaker import opened
from sprout_like.choosing.initial import initial_evidence
from sprout_like.choosing.missing import Missing, missing
from sprout_like.choosing.stored import live_quality
from sprout_like.ledger.rollups.facts import daily_facts
from sprout_like.ledger.schema import EvaluationRow, PolicyRow, ProfileRow, VerdictRow
from sprout_like.tuning.store import active_policy

__all__ = ["Standing", "standings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One model's contextual policy.

    Attributes:
        model: its name.
        number: of the active policy; None where none was tuned, and calibration alone is known.
        savers: without a tuned policy, lossless directives that calibration found cheaper beyond doubt.
        floor: that it keeps; None where it has a price instead.
        expected: what it should come to per request; None where none was tuned.
        breaker: why everything is served `full` instead; None where it is not.
        missing: what it does not know yet.
    """

    model: str
    number: int | None
    savers: tuple[str, ...]
    floor: float | None
    expected: Expected | None
    breaker: str | None
    missing: Missing


def standings(engine: Engine, catalogue: Catalogue, constraints: Constraints) -> Iterator[Standing]:
    """Of every model that was calibrated, was served by the policy or has a tuned one under the catalogue, by name.

    Args:
        engine: of a ledger of this release.
        catalogue: the one in use.
        constraints: the settings'.

    Raises:
        PolicyError: a row does not hold what a policy is made of.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    served = daily_facts(engine).c
    known = union(
        *(select(row.model).where(row.catalogue_version == catalogue.version) for row in (PolicyRow, ProfileRow)),
        select(served.model).where(served.catalogue_version == catalogue.version, served.policy == "contextual"),
    )
    with engine.connect() as connection:
        models = sorted(connection.scalars(known))
        judged = {model: _judged(connection, model, catalogue.version) for model in models}
    for model in models:
        stored = active_policy(engine, model=model, catalogue_version=catalogue.version)
        if stored is None or stored.activated_utc is None:
            profile = latest_profile(engine, model=model, catalogue_version=catalogue.version)
            evidence = initial_evidence(profile, catalogue)
            yield Standing(
                model=model,
                number=None,
                savers=_savers(evidence),
                floor=constraints.floor,
                expected=None,
                breaker=None,
                missing=missing(evidence, catalogue, judged[model]),
            )
            continue
        with engine.connect() as connection:
            live = live_quality(connection, model, catalogue.version, tuple(catalogue), stored.activated_utc)
        yield Standing(
            model=model,
            number=stored.number,
            savers=(),
            floor=stored.constraints.floor,
            expected=stored.plan.expected,
            breaker=opened(live, stored.constraints),
            missing=missing(stored.evidence, catalogue, judged[model]),
        )


def _judged(connection: Connection, model: str, catalogue_version: str) -> frozenset[str]:
    """Directives with verdicts, whichever judge gave them."""
    names = (
        select(VerdictRow.directive)
        .join(EvaluationRow, EvaluationRow.evaluation_id == VerdictRow.evaluation_id)
        .where(EvaluationRow.model == model, EvaluationRow.catalogue_version == catalogue_version)
        .distinct()
    )
    return frozenset(connection.scalars(names))


def _savers(evidence: Evidence) -> tuple[str, ...]:
    known = (cell for cell in evidence.cells if cell.lossless and cell.energy_j is not None)
    return tuple(dict.fromkeys(cell.directive for cell in known if cell.directive != FULL.name))
