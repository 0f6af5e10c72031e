"""Policies in the ledger: numbered 1, 2, 3 …, none ever changed but in its state."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from directives import PolicyError
from directives.constraints import Constraints
from directives.evidence import Evidence
from directives.plan import Plan
from directives.plan_data import (
    constraints_from_data,
    constraints_to_data,
    evidence_from_data,
    evidence_to_data,
    plan_from_data,
    plan_to_data,
)
from sprout_like.errors import LedgerError, SettingError
from sprout_like.ledger.schema import PolicyRow

__all__ = ["State", "StoredPolicy", "active_policy", "all_policies", "policy_numbered", "roll_back", "save_policy"]

State = Literal["proposed", "active", "retired", "rejected"]

_ATTEMPTS: Final = 20
"""Others may take the same number at the same moment, and as often as there are others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPolicy:
    """A row of the table `policies`.

    Attributes:
        policy_id: 32 hex digits. number: for people.
        created_utc: when it was tuned. activated_utc: when it became active; None where it never did.
        state: `active`; `retired` where another took its place; `rejected`; `proposed`.
        model, catalogue_version: what it is for.
        constraints, evidence, plan: what was asked, what was known, and what it does.
        estimate: what it should change, as `sprout_like.tuning.propose` says it.
        reason: why it is in its state.
    """

    policy_id: str
    number: int
    created_utc: datetime
    activated_utc: datetime | None
    state: str
    model: str
    catalogue_version: str
    constraints: Constraints
    evidence: Evidence
    plan: Plan
    estimate: Mapping[str, Any]
    reason: str


def active_policy(engine: Engine, *, model: str, catalogue_version: str) -> StoredPolicy | None:
    """The one in force: of the active ones, that which became so last; None where there is none.

    Raises:
        PolicyError: the row holds no policy.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    newest = (
        select(PolicyRow)
        .where(PolicyRow.state == "active", PolicyRow.model == model, PolicyRow.catalogue_version == catalogue_version)
        .order_by(PolicyRow.activated_utc.desc(), PolicyRow.number.desc())
        .limit(1)
    )
    with Session(engine) as session:
        row = session.scalar(newest)
        return None if row is None else _policy(row)


def all_policies(engine: Engine) -> tuple[list[StoredPolicy], list[int]]:
    """All there are, by number; and the numbers of those that another release wrote and this one cannot read."""
    found: list[StoredPolicy] = []
    unreadable: list[int] = []
    with Session(engine) as session:
        for row in session.scalars(select(PolicyRow).order_by(PolicyRow.number)):
            try:
                found.append(_policy(row))
            except PolicyError:
                unreadable.append(row.number)
    return found, unreadable


def policy_numbered(engine: Engine, number: int | None) -> StoredPolicy:
    """The policy of that number; None for the active one that is newest, else the newest of all.

    Raises:
        SettingError: there is none.
        PolicyError: the row holds no policy.
    """
    active_first = select(PolicyRow).order_by(
        (PolicyRow.state == "active").desc(), PolicyRow.activated_utc.desc(), PolicyRow.number.desc()
    )
    with Session(engine) as session:
        known = session.scalars(select(PolicyRow.number).order_by(PolicyRow.number)).all()
        if not known:
            raise SettingError("policy", "the ledger holds none", "Run `sprout-like tune`")
        if number is not None and number not in known:  # asked before the database, which may not hold such a number
            have = f"`sprout-like policy list` shows them: {', '.join(map(str, known))}"
            raise SettingError("policy", f"there is no policy {number}", have)
        wanted = active_first.limit(1) if number is None else select(PolicyRow).where(PolicyRow.number == number)
        return _policy(session.scalars(wanted).one())


def save_policy(
    engine: Engine,
    *,
    now_utc: datetime,
    state: State,
    model: str,
    catalogue_version: str,
    constraints: Constraints,
    evidence: Evidence,
    plan: Plan,
    estimate: Mapping[str, Any],
    reason: str,
) -> StoredPolicy:
    """Add a policy under the next number; an active one retires those of its model and catalogue.

    Raises:
        LedgerError: others took every number that was tried.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """

    def row() -> PolicyRow:
        return PolicyRow(
            policy_id=uuid.uuid4().hex,
            created_utc=now_utc,
            activated_utc=now_utc if state == "active" else None,
            state=state,
            model=model,
            catalogue_version=catalogue_version,
            version=plan.version,
            constraints=constraints_to_data(constraints),
            evidence=evidence_to_data(evidence),
            plan=plan_to_data(plan),
            estimate=dict(estimate),
            reason=reason,
        )

    return _added(engine, row)


def roll_back(engine: Engine, number: int | None, *, now_utc: datetime) -> StoredPolicy:
    """Make an earlier policy active again, as a new row: the history stays as it was.

    Args:
        engine: of the ledger's database.
        number: of the policy; None for the one that was active before the present one.
        now_utc: the moment.

    Raises:
        SettingError: there is no such policy, it is active already, or it never was active.
        LedgerError: as in `save_policy`.
    """
    present = policy_numbered(engine, None)
    if number is None:
        before = [
            policy
            for policy in all_policies(engine)[0]
            if policy.state == "retired"
            and (policy.model, policy.catalogue_version) == (present.model, present.catalogue_version)
            and policy.plan.version != present.plan.version
        ]
        if not before:
            fix = "Set policy to full to stop it, or run `sprout-like tune` for another"
            raise SettingError("policy", "none was active before the present one", fix)
        chosen = before[-1]
    else:
        chosen = policy_numbered(engine, number)
    if chosen.state == "active":
        raise SettingError("policy", f"policy {chosen.number} is active already", "Name an earlier one")
    if chosen.activated_utc is None:
        fix = "Name one that was: `sprout-like policy list`"
        raise SettingError("policy", f"policy {chosen.number} was {chosen.state}, never active", fix)
    return save_policy(
        engine,
        now_utc=now_utc,
        state="active",
        model=chosen.model,
        catalogue_version=chosen.catalogue_version,
        constraints=chosen.constraints,
        evidence=chosen.evidence,
        plan=chosen.plan,
        estimate=chosen.estimate,
        reason=f"rolled back to policy {chosen.number}",
    )


def _added(engine: Engine, make: Callable[[], PolicyRow]) -> StoredPolicy:
    """Insert under the next number; where another took it meanwhile, the database refuses, and the next is tried."""
    for _ in range(_ATTEMPTS):
        row = make()
        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                row.number = 1 + (session.scalar(select(func.max(PolicyRow.number))) or 0)
                session.add(row)
                session.flush()
                if row.state == "active":
                    session.execute(
                        update(PolicyRow)
                        .where(
                            PolicyRow.state == "active",
                            PolicyRow.model == row.model,
                            PolicyRow.catalogue_version == row.catalogue_version,
                            PolicyRow.policy_id != row.policy_id,
                        )
                        .values(state="retired")
                    )
            return _policy(row)
        except IntegrityError:
            continue
    raise LedgerError("policies: others add policies all the time, so that no number could be taken; try again")


def _policy(row: PolicyRow) -> StoredPolicy:
    return StoredPolicy(
        policy_id=row.policy_id,
        number=row.number,
        created_utc=row.created_utc,
        activated_utc=row.activated_utc,
        state=row.state,
        model=row.model,
        catalogue_version=row.catalogue_version,
        constraints=constraints_from_data(row.constraints),
        evidence=evidence_from_data(row.evidence),
        plan=plan_from_data(row.plan),
        estimate=row.estimate,
        reason=row.reason,
    )
