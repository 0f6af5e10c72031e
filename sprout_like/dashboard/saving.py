"""What was saved in a span, as a report on it would say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from sprout_like.reports.sections.saved import read_savings
from sprout_like.settings import Settings

__all__ = ["saving_data"]


def saving_data(engine: Engine, settings: Settings, since_utc: datetime, now_utc: datetime) -> Mapping[str, Any]:
    """Measured against the control groups, and modelled by the policies in force; never in one figure.

    `overall` is what was measured under all policy versions together; empty where there is but one.

    Raises:
        SettingError: the settings do not fit each other.
        PolicyError: a row does not hold what a policy is made of.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    found = read_savings(engine, settings, since_utc=since_utc, until_utc=now_utc)
    return {
        "overall": [asdict(each) for each in found.overall],
        "measured": [asdict(each) for each in found.measured],
        "modelled": [
            {"model": line.model, "number": line.number, "energy": line.modelled_energy, "carbon": line.modelled_carbon}
            for line in found.modelled
        ],
    }
