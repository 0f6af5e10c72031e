"""Requests: a view to read, and the tables under it, where what repeats is stored once.

A request's own row holds what differs from one to the next, and three keys: of the kind of call that it was, of the
period that it fell in, and of what it was settled by. A key is made of the content (`packing`), so that many processes
write without asking each other.

Indexes: reports and tuning read spans of time, so `started_utc` has one. Any other index would be paid for in every
request and read in few reports.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import JSON, BigInteger, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from sprout_like.ledger.columns import Base

__all__ = ["ContextRow", "PeriodRow", "RequestRow", "SettlementRow", "StoredRequestRow", "View"]

_KEY: Final = BigInteger().with_variant(Integer(), "sqlite")
"""63 bits. SQLite finds a row by its `INTEGER PRIMARY KEY` without an index beside the table."""

_JSON: Final = JSON(none_as_null=True)


class View(DeclarativeBase):
    """What looks like a table and is none: no part of `Base.metadata`, which makes tables."""

    type_annotation_map = Base.type_annotation_map


class RequestRow(View):
    """`sprout_like.record.RequestRecord` as a row of the view: what everybody reads, and nobody writes."""

    __tablename__ = "requests"

    request_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    session_id: Mapped[str]
    started_utc: Mapped[datetime]
    duration_s: Mapped[float]
    queue_s: Mapped[float | None]
    engine_s: Mapped[float | None]
    prepare_s: Mapped[float | None]
    compile_s: Mapped[float | None]
    first_token_s: Mapped[float | None]
    call: Mapped[str]
    purpose: Mapped[str]
    status: Mapped[str]
    error_type: Mapped[str | None]

    model: Mapped[str]
    family: Mapped[str | None]
    variant: Mapped[str | None]
    engine: Mapped[str]
    task: Mapped[str | None]
    inferred_task: Mapped[str | None]
    tags: Mapped[dict[str, str]]
    batch_size: Mapped[int | None]
    prompt_tokens: Mapped[int | None]
    instruction_tokens: Mapped[int | None]
    reuse: Mapped[str | None]
    reused_tokens: Mapped[int | None]
    new_tokens: Mapped[int | None]
    limit_tokens: Mapped[int | None]
    caller_limit_tokens: Mapped[int | None]
    finish_reason: Mapped[str | None]
    knob_counts: Mapped[dict[str, float]]

    zone: Mapped[str]
    intensity_g_per_kwh: Mapped[float | None]
    intensity_kind: Mapped[str | None]
    intensity_factors: Mapped[str | None]
    intensity_status: Mapped[str | None]
    intensity_source: Mapped[str | None]
    intensity_start_utc: Mapped[datetime | None]
    intensity_stale: Mapped[bool | None]
    intensity_reason: Mapped[str | None]

    policy: Mapped[str]
    policy_version: Mapped[str]
    catalogue_version: Mapped[str]
    directive: Mapped[str]
    propensity: Mapped[float | None]
    decision_reason: Mapped[str | None]
    decision_group: Mapped[str | None]
    candidates: Mapped[str]

    energy_j: Mapped[float | None]
    gpu_j: Mapped[float | None]
    cpu_j: Mapped[float | None]
    dram_j: Mapped[float | None]
    energy_by_device_j: Mapped[dict[str, float]]
    energy_method: Mapped[str]
    energy_uncertainty_j: Mapped[float | None]
    meter: Mapped[str]
    account_id: Mapped[str | None]

    pue: Mapped[float]
    operational_g: Mapped[float | None]
    embodied_g: Mapped[float | None]
    overhead_s: Mapped[float]

    settled_g_per_kwh: Mapped[float | None]
    settled_kind: Mapped[str | None]
    settled_factors: Mapped[str | None]
    settled_status: Mapped[str | None]
    settled_source: Mapped[str | None]
    settled_operational_g: Mapped[float | None]
    settled_utc: Mapped[datetime | None]


class StoredRequestRow(Base):
    """What of a request is its own.

    Columns of the view mean here what they mean there; the widest types come first, which saves PostgreSQL padding.

    Attributes:
        context_id: its row in `request_contexts`.
        period_id: its row in `request_periods`.
        settlement_id: its row in `request_settlements`; None until it is settled.
        tags: the caller's other tags; None where they are those of the context.
        knob_counts: what the knobs counted in this request; None where they counted nothing.
        energy_by_device_j: J per device id; None where the `devices` of the period tell it from the parts.
    """

    __tablename__ = "request_rows"

    started_utc: Mapped[datetime] = mapped_column(index=True)
    context_id: Mapped[int] = mapped_column(_KEY)
    period_id: Mapped[int] = mapped_column(_KEY)
    duration_s: Mapped[float]
    queue_s: Mapped[float | None]
    engine_s: Mapped[float | None]
    prepare_s: Mapped[float | None]
    compile_s: Mapped[float | None]
    first_token_s: Mapped[float | None]
    propensity: Mapped[float | None]
    energy_j: Mapped[float | None]
    gpu_j: Mapped[float | None]
    cpu_j: Mapped[float | None]
    dram_j: Mapped[float | None]
    energy_uncertainty_j: Mapped[float | None]
    operational_g: Mapped[float | None]
    embodied_g: Mapped[float | None]
    overhead_s: Mapped[float]
    settlement_id: Mapped[int | None] = mapped_column(_KEY)
    settled_operational_g: Mapped[float | None]
    batch_size: Mapped[int | None]
    prompt_tokens: Mapped[int | None]
    instruction_tokens: Mapped[int | None]
    reused_tokens: Mapped[int | None]
    new_tokens: Mapped[int | None]
    limit_tokens: Mapped[int | None]
    caller_limit_tokens: Mapped[int | None]
    request_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    tags: Mapped[dict[str, str] | None] = mapped_column(_JSON)
    knob_counts: Mapped[dict[str, float] | None] = mapped_column(_JSON)
    energy_by_device_j: Mapped[dict[str, float] | None] = mapped_column(_JSON)


class ContextRow(Base):
    """The kind of call that requests were: what was asked, what was decided, and how it went.

    Attributes:
        context_id: made of all that follows.
    """

    __tablename__ = "request_contexts"

    context_id: Mapped[int] = mapped_column(_KEY, primary_key=True, autoincrement=False)
    call: Mapped[str]
    purpose: Mapped[str]
    status: Mapped[str]
    error_type: Mapped[str | None]
    variant: Mapped[str | None]
    task: Mapped[str | None]
    inferred_task: Mapped[str | None]
    reuse: Mapped[str | None]
    finish_reason: Mapped[str | None]
    directive: Mapped[str]
    decision_reason: Mapped[str | None]
    decision_group: Mapped[str | None]
    candidates: Mapped[str]
    energy_method: Mapped[str]
    tags: Mapped[dict[str, str]]


class PeriodRow(Base):
    """By whom requests were served, and when: in which energy account, and under which reading of the intensity.

    Attributes:
        period_id: made of all that follows.
        devices: `energy_by_device_j` with `$g`, `$c` and `$d` for the values, which are the request's `gpu_j`, `cpu_j`
            and `dram_j`; None where they are not, and the request's row has them.
    """

    __tablename__ = "request_periods"

    period_id: Mapped[int] = mapped_column(_KEY, primary_key=True, autoincrement=False)
    session_id: Mapped[str]
    account_id: Mapped[str | None]
    model: Mapped[str]
    family: Mapped[str | None]
    engine: Mapped[str]
    zone: Mapped[str]
    policy: Mapped[str]
    policy_version: Mapped[str]
    catalogue_version: Mapped[str]
    meter: Mapped[str]
    pue: Mapped[float]
    intensity_g_per_kwh: Mapped[float | None]
    intensity_kind: Mapped[str | None]
    intensity_factors: Mapped[str | None]
    intensity_status: Mapped[str | None]
    intensity_source: Mapped[str | None]
    intensity_start_utc: Mapped[datetime | None]
    intensity_stale: Mapped[bool | None]
    intensity_reason: Mapped[str | None]
    devices: Mapped[str | None]


class SettlementRow(Base):
    """What requests were settled by.

    Attributes:
        settlement_id: made of all that follows.
    """

    __tablename__ = "request_settlements"

    settlement_id: Mapped[int] = mapped_column(_KEY, primary_key=True, autoincrement=False)
    settled_g_per_kwh: Mapped[float | None]
    settled_kind: Mapped[str | None]
    settled_factors: Mapped[str | None]
    settled_status: Mapped[str | None]
    settled_source: Mapped[str | None]
    settled_utc: Mapped[datetime | None]
