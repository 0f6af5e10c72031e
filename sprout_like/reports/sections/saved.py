"""What was saved: measured against the control group and modelled from the policies, each bearing what judging cost."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from sprout_like.ledger.rollups.facts import daily_facts, facts
from sprout_like.ledger.schema import EvaluationRow
from sprout_like.reports.judging import Judging, bearers, judge_costs, judging_of, runs_costs
from sprout_like.reports.policies import modelled
from sprout_like.reports.report import Savings
from sprout_like.reports.saving import moments, overall_savings, savings
from sprout_like.reports.sections.span import within
from sprout_like.settings import Settings

__all__ = ["read_savings"]


def read_savings(
    engine: Engine, settings: Settings, *, since_utc: datetime | None, until_utc: datetime | None
) -> Savings:
    """Of the span.

    Raises:
        SettingError: the settings do not fit each other.
        PolicyError: a row does not hold what a policy is made of.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    span = {"since_utc": since_utc, "until_utc": until_utc}
    with engine.connect() as connection:
        runs = connection.execute(runs_costs(daily_facts(engine, **span))).all()
        judges = connection.execute(within(judge_costs(), EvaluationRow.started_utc, **span)).all()
        drawn = connection.execute(moments(facts(engine, **span))).all()
        judging: list[Judging] = []
        if runs or judges:
            judged = {model for model, *_ in (*runs, *judges)}
            # After the others: whoever came in the meantime bears a part, and nobody of `drawn` is missing.
            judging = judging_of(runs, judges, connection.execute(bearers(daily_facts(engine, **span), judged)))
    measured = tuple(savings(drawn, judging))
    several = len({saving.policy_version for saving in measured}) > 1
    return Savings(
        measured=measured,
        overall=tuple(overall_savings(drawn, judging)) if several else (),
        modelled=modelled(engine, settings, judging, until_utc=until_utc),
        judging=tuple(judging),
    )
