"""The tables of sums that reports are made of; see `sprout_like.ledger.rollups`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Dialect, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from sprout_like.ledger.columns import Base

__all__ = ["TOO_LARGE", "DayRow", "GroupRow", "HourRow", "StaleDayRow", "StaleHourRow", "SumColumns", "Whole"]

TOO_LARGE: Final = -1
"""As the claim of a day."""


class Whole(TypeDecorator[int]):
    """A count or a sum of whole numbers; an int also where PostgreSQL adds such numbers up to a `numeric`."""

    impl = BigInteger
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To int."""
        return None if value is None else int(value)


class GroupRow(Base):
    """What requests that are added up have in common.

    Attributes:
        group_ref: a hash of all other columns in 63 bits; the next free number where that is another group's.
        purpose, call, status, model, family, variant, engine, directive, policy, policy_version, catalogue_version,
            decision_group, zone, energy_method, meter, pue: as in `requests`.
        task: the caller's, else the one it was taken for.
        tags: as JSON text, keys in order.
        drawn: whether the propensity is known.
        kind, factors: of the best known intensity: the settled one, else the one that was logged.
    """

    __tablename__ = "request_groups"

    group_ref: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    purpose: Mapped[str]
    call: Mapped[str]
    status: Mapped[str]
    model: Mapped[str]
    family: Mapped[str | None]
    variant: Mapped[str | None]
    engine: Mapped[str]
    task: Mapped[str | None]
    tags: Mapped[str] = mapped_column(Text)
    directive: Mapped[str]
    policy: Mapped[str]
    policy_version: Mapped[str]
    catalogue_version: Mapped[str]
    decision_group: Mapped[str | None]
    drawn: Mapped[bool]
    zone: Mapped[str]
    kind: Mapped[str | None]
    factors: Mapped[str | None]
    energy_method: Mapped[str]
    meter: Mapped[str]
    pue: Mapped[float]


class SumColumns:
    """Sums over requests; each leaves out those that do not know the quantity, and is None where none does.

    Attributes:
        group_ref: the group, in `request_groups`.
        requests_n: requests. rows_n: their rows. errors_n: requests whose generation raised.
        duration_s, engine_s, overhead_s, energy_j, gpu_j, cpu_j, dram_j, embodied_g: sums of the columns in `requests`.
        energy_known_n, carbon_known_n, embodied_known_n: requests that know energy, best known operational emissions
            and embodied emissions.
        uncertainty_j: Σ energy_uncertainty_j. uncertainty_squares: Σ of its squares. uncertainty_known_n: requests
            that know it.
        prompt_tokens, new_tokens: sums of the columns in `requests`.
        operational_g: Σ of the best known: the settled figure, else the one that was logged. logged_operational_g: Σ of
            what was logged.
        stale_n: requests whose intensity was held beyond its span and is not settled.
        settled_n: requests whose intensity was replaced by what was published afterwards.
        provisional_n: requests with emissions that do not rest on a published actual yet.
        energy_squares: Σ energy_j². carbon_squares: Σ operational_g². energy_carbon: Σ energy_j × operational_g.
    """

    group_ref: Mapped[int] = mapped_column(ForeignKey("request_groups.group_ref"), primary_key=True)
    requests_n: Mapped[int] = mapped_column(Whole)
    rows_n: Mapped[int | None] = mapped_column(Whole)
    errors_n: Mapped[int] = mapped_column(Whole)
    prompt_tokens: Mapped[int | None] = mapped_column(Whole)
    new_tokens: Mapped[int | None] = mapped_column(Whole)
    duration_s: Mapped[float]
    engine_s: Mapped[float | None]
    overhead_s: Mapped[float]
    energy_j: Mapped[float | None]
    energy_known_n: Mapped[int] = mapped_column(Whole)
    gpu_j: Mapped[float | None]
    cpu_j: Mapped[float | None]
    dram_j: Mapped[float | None]
    uncertainty_j: Mapped[float | None]
    uncertainty_squares: Mapped[float | None]
    uncertainty_known_n: Mapped[int] = mapped_column(Whole)
    operational_g: Mapped[float | None]
    carbon_known_n: Mapped[int] = mapped_column(Whole)
    embodied_g: Mapped[float | None]
    embodied_known_n: Mapped[int] = mapped_column(Whole)
    logged_operational_g: Mapped[float | None]
    stale_n: Mapped[int] = mapped_column(Whole)
    settled_n: Mapped[int] = mapped_column(Whole)
    provisional_n: Mapped[int] = mapped_column(Whole)
    energy_squares: Mapped[float | None]
    carbon_squares: Mapped[float | None]
    energy_carbon: Mapped[float | None]


class HourRow(SumColumns, Base):
    """Sums over the requests of one group that began in one hour; of no use while the hour is in `stale_hours`.

    Attributes:
        hour_utc: start of the hour.
    """

    __tablename__ = "request_hours"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy reads it as it stands

    hour_utc: Mapped[datetime] = mapped_column(primary_key=True, sort_order=-1)


class DayRow(SumColumns, Base):
    """Sums over the hours of one day; of no use while the day is in `stale_days` or has an hour in `stale_hours`.

    Attributes:
        day_utc: start of the day.
    """

    __tablename__ = "request_days"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - as above

    day_utc: Mapped[datetime] = mapped_column(primary_key=True, sort_order=-1)


class StaleHourRow(Base):
    """An hour in which requests were written, changed or deleted since it was added up; triggers on `requests` note it.

    A row per hour and session, so that processes that write into the same hour do not wait for each other.

    Attributes:
        hour_utc: start of the hour.
        session_id: of the requests.
        claim: of the process that is adding the hour up; None where none is, or something changed since it began.
    """

    __tablename__ = "stale_hours"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - as above

    hour_utc: Mapped[datetime] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(primary_key=True)
    claim: Mapped[int | None] = mapped_column(BigInteger)


class StaleDayRow(Base):
    """A day of which an hour was added up since the day was.

    Attributes:
        day_utc: start of the day.
        claim: as in `stale_hours`; -1 where it has so many groups that it is left to its hours.
    """

    __tablename__ = "stale_days"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - as above

    day_utc: Mapped[datetime] = mapped_column(primary_key=True)
    claim: Mapped[int | None] = mapped_column(BigInteger)
