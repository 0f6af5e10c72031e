"""What the ledger's database knows of policies: the newest active row, the calibration, verdicts of live answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import reduce
from typing import Any, Final

from sqlalchemy import Connection, Engine, FromClause, Select, case, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import aliased

from directives import Directive
from directives.evidence import Quality
from sprout_like.calibrate.store import latest_profile
from sprout_like.choosing.breaker import OPEN, Judged, Kind, LiveQuality
from sprout_like.choosing.initial import initial_evidence
from sprout_like.choosing.knowledge import Basis
from sprout_like.choosing.traffic import LEAST_REQUESTS
from sprout_like.evaluating.summed import quality_of_sums, verdict_sums
from sprout_like.ledger.faults import as_startup_error
from sprout_like.ledger.migrate import HEAD, schema_version
from sprout_like.ledger.schema import EvaluationRow, PolicyRow, ProfileRow, RequestRow, VerdictRow
from sprout_like.tuning.live import of_newest_judge
from sprout_like.tuning.store import StoredPolicy, active_policy

__all__ = ["MOST_ROWS", "LedgerKnowledge", "live_quality"]

MOST_ROWS: Final = 10_000
"""Requests that are read for the shares: of so many, a share is known to ± 1 percentage point."""


class LedgerKnowledge:
    """A `Knowledge` in a ledger's database. It reads, and makes nothing.

    Args:
        engine: of the ledger's database; this object's own.
        model: whose policies. catalogue_version: under which catalogue.
        directives: those that fit the model.
        hardware: what the model runs on, as calibration names it; asked for where a calibration must be found.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        model: str,
        catalogue_version: str,
        directives: Sequence[Directive],
        hardware: Callable[[], str],
    ) -> None:
        self._engine = engine
        self._model = model
        self._catalogue_version = catalogue_version
        self._directives = directives
        self._hardware = hardware
        self._made = False
        self._basis = Basis(key="", evidence=initial_evidence(None, directives))
        self._since_utc: datetime | None = None
        self._judged: tuple[str, datetime | None] | None = None
        self._quality: LiveQuality | None = None

    def basis(self) -> Basis:
        """The newest active policy's, else the newest calibration's, else nothing but what fits."""
        try:
            with self._engine.connect() as connection:
                found = self._newest(connection)
            if found is not None and found[0] != self._basis.key:
                self._basis, self._since_utc = self._read(*found), found[1]
        except SQLAlchemyError as exc:
            raise as_startup_error(exc, self._engine.url) from exc
        return self._basis

    def quality(self) -> LiveQuality | None:
        """Of the answers served since the policy became active; read anew when there was another evaluation.

        It is read anew too as long as nothing was served that it speaks of.
        """
        if self._since_utc is None:
            return None
        unserved = self._quality is not None and not self._quality.shares
        newest = select(func.max(EvaluationRow.ended_utc)).where(
            EvaluationRow.model == self._model, EvaluationRow.catalogue_version == self._catalogue_version
        )
        try:
            with self._engine.connect() as connection:
                judged = (self._basis.key, connection.scalar(newest))
                if judged != self._judged or unserved:
                    self._quality = live_quality(
                        connection, self._model, self._catalogue_version, self._directives, self._since_utc
                    )
                    self._judged = judged
        except SQLAlchemyError as exc:
            raise as_startup_error(exc, self._engine.url) from exc
        return self._quality

    def close(self) -> None:
        """Release the connections."""
        self._engine.dispose()

    def _newest(self, connection: Connection) -> tuple[str, datetime | None] | None:
        """Key of the newest basis, and since when its policy is active; None while the tables are not there."""
        if not self._made and schema_version(connection) != HEAD:
            return None
        self._made = True
        policy = connection.execute(
            select(PolicyRow.policy_id, PolicyRow.activated_utc)
            .where(
                PolicyRow.state == "active",
                PolicyRow.model == self._model,
                PolicyRow.catalogue_version == self._catalogue_version,
            )
            .order_by(PolicyRow.activated_utc.desc(), PolicyRow.number.desc())
            .limit(1)
        ).first()
        if policy is not None:
            return f"policy {policy.policy_id} {policy.activated_utc}", policy.activated_utc
        profile = connection.scalar(
            select(ProfileRow.profile_id)
            .where(
                ProfileRow.model == self._model,
                ProfileRow.catalogue_version == self._catalogue_version,
                ProfileRow.hardware == self._hardware(),
                ProfileRow.ended != "interrupted",
            )
            .order_by(ProfileRow.created_utc.desc())
            .limit(1)
        )
        return f"profile {profile}", None

    def _read(self, key: str, activated_utc: datetime | None) -> Basis:
        model, catalogue_version = self._model, self._catalogue_version
        if activated_utc is not None:
            stored = active_policy(self._engine, model=model, catalogue_version=catalogue_version)
            if stored is not None:
                return Basis(
                    key=key,
                    evidence=stored.evidence,
                    constraints=stored.constraints,
                    plan=stored.plan,
                    span_s=_span_s(stored),
                )
        profile = latest_profile(
            self._engine, model=model, hardware=self._hardware(), catalogue_version=catalogue_version
        )
        return Basis(key=key, evidence=initial_evidence(profile, self._directives))


def live_quality(
    connection: Connection,
    model: str,
    catalogue_version: str,
    directives: Sequence[Directive],
    since_utc: datetime,
    *,
    most_rows: int = MOST_ROWS,
) -> LiveQuality | None:
    """What the newest judge found since then of the directives that need judging; None where it judged none.

    Args:
        connection: to the ledger's database.
        model: whose policy.
        catalogue_version: under which catalogue.
        directives: those that fit the model.
        since_utc: when the policy became active.
        most_rows: requests to read for the shares, as a large ledger may hold few that the policy served.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    lossy = frozenset(directive.name for directive in directives if directive.needs_judging)
    served: dict[str, list[Quality]] = {}
    again: dict[str, dict[Kind, Quality]] = {}
    for evaluation, live, task, directive, *sums in connection.execute(
        _verdicts(model, catalogue_version, lossy, since_utc)
    ):
        of_served, of_again = served.setdefault(evaluation, []), again.setdefault(evaluation, {})
        if live:
            of_served.append(quality_of_sums(*sums))
        else:
            of_again[task, directive] = quality_of_sums(*sums)
    if not served:
        return None
    return LiveQuality(
        evaluations=tuple(
            Judged(served=reduce(Quality.merged, of_served) if of_served else None, again=again[evaluation])
            for evaluation, of_served in served.items()
        ),
        shares=_shares(connection, model, catalogue_version, lossy, since_utc, most_rows),
    )


def _shares(
    connection: Connection,
    model: str,
    catalogue_version: str,
    lossy: frozenset[str],
    since_utc: datetime,
    most_rows: int,
) -> dict[Kind, float]:
    """By task and directive, the lossy ones of the newest requests.

    Where these are too few, as after a long time under an open breaker, they are those of the first ones since then.
    """
    counts: Counter[Kind] = Counter()
    for order in (RequestRow.started_utc.desc(), RequestRow.started_utc):
        rows = select(RequestRow).where(RequestRow.started_utc >= since_utc).order_by(order).limit(most_rows).subquery()
        found = _served(connection, model, catalogue_version, rows)
        if found.total() > counts.total():
            counts = found
        if counts.total() >= LEAST_REQUESTS:
            break
    return {kind: n / counts.total() for kind, n in counts.items() if kind[1] in lossy}


def _served(connection: Connection, model: str, catalogue_version: str, rows: FromClause) -> Counter[Kind]:
    """How many of the rows, which are of anyone, the policy served, by task and directive."""
    row = aliased(RequestRow, rows)
    counted = (
        select(row.task, row.inferred_task, row.directive, func.count())
        .where(
            row.model == model,
            row.catalogue_version == catalogue_version,
            row.policy == "contextual",
            # What is served while the breaker is open says nothing of what the policy serves.
            row.policy_version.not_like(f"%{OPEN}"),
            row.purpose == "request",
            row.status == "ok",
        )
        .group_by(row.task, row.inferred_task, row.directive)
    )
    counts: Counter[Kind] = Counter()
    for task, inferred, directive, n in connection.execute(counted):
        counts[task or inferred or "", directive] += n
    return counts


def _verdicts(model: str, catalogue_version: str, lossy: frozenset[str], since_utc: datetime) -> Select[Any]:
    live = case((VerdictRow.request_id.is_not(None), 1), else_=0)
    return (
        select(
            VerdictRow.evaluation_id,
            live,
            VerdictRow.bin_task,
            VerdictRow.directive,
            *verdict_sums(),
        )
        .join(EvaluationRow, EvaluationRow.evaluation_id == VerdictRow.evaluation_id)
        .where(
            VerdictRow.judged_utc >= since_utc,
            VerdictRow.directive.in_(lossy),
            *of_newest_judge(model, catalogue_version),
        )
        .group_by(VerdictRow.evaluation_id, EvaluationRow.ended_utc, live, VerdictRow.bin_task, VerdictRow.directive)
        .order_by(EvaluationRow.ended_utc, VerdictRow.evaluation_id)
    )


def _span_s(stored: StoredPolicy) -> float | None:
    """Span of the requests that it was tuned from, in s; None where it does not say."""
    read = stored.estimate.get("read")
    if read is None:
        return None
    return (datetime.fromisoformat(read["until_utc"]) - datetime.fromisoformat(read["since_utc"])).total_seconds()
