"""The best figure of a request, as SQL: the settled one where there is one, else the one that was logged."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_

from sprout_like.ledger.schema import RequestRow

__all__ = ["FACTORS", "KIND", "LOGGED_PROVISIONAL", "OPERATIONAL_G", "PROVISIONAL", "SETTLED"]

OPERATIONAL_G: Final = func.coalesce(RequestRow.settled_operational_g, RequestRow.operational_g)
KIND: Final = func.coalesce(RequestRow.settled_kind, RequestRow.intensity_kind)
FACTORS: Final = func.coalesce(RequestRow.settled_factors, RequestRow.intensity_factors)

SETTLED: Final[ColumnElement[bool]] = RequestRow.settled_g_per_kwh.is_not(None)

LOGGED_PROVISIONAL: Final[ColumnElement[bool]] = or_(
    RequestRow.intensity_status.is_(None),
    RequestRow.intensity_status != "actual",
    RequestRow.intensity_stale.is_(True),
)
"""No published actual was at hand when the request was served."""

PROVISIONAL: Final[ColumnElement[bool]] = and_(
    OPERATIONAL_G.is_not(None),
    or_(and_(LOGGED_PROVISIONAL, ~SETTLED), RequestRow.settled_status == "estimated"),
)
"""Emissions are known, and not yet by a published actual."""
