"""The tables. Those of rows have the fields of `sprout_like.record` as columns; a test holds the two together.

Those of requests, which are a view, are in `schema_requests`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Double, ForeignKey, Integer, String
from sqlalchemy.orm import Composite, Mapped, composite, mapped_column, relationship

from directives.estimate import Estimate
from sprout_like.ledger.columns import Base, UtcStamp
from sprout_like.ledger.requests_view import requests_view
from sprout_like.ledger.schema_jobs import (
    JobItemRow,
    JobPlanRow,
    JobRow,
    JobRunRow,
    JobScheduleItemRow,
    JobScheduleRow,
    WorkerRow,
)
from sprout_like.ledger.schema_requests import ContextRow, PeriodRow, RequestRow, SettlementRow, StoredRequestRow
from sprout_like.ledger.schema_rollups import DayRow, GroupRow, HourRow, StaleDayRow, StaleHourRow

__all__ = [
    "AccountRow",
    "AnswerRow",
    "Base",
    "ContextRow",
    "DayRow",
    "EvaluationRow",
    "GroupRow",
    "HourRow",
    "IntensityRow",
    "JobItemRow",
    "JobPlanRow",
    "JobRow",
    "JobRunRow",
    "JobScheduleItemRow",
    "JobScheduleRow",
    "PeriodRow",
    "PolicyRow",
    "ProfileCellRow",
    "ProfileRow",
    "PromptRow",
    "RequestRow",
    "SettlementRow",
    "StaleDayRow",
    "StaleHourRow",
    "StoredRequestRow",
    "UtcStamp",
    "VerdictRow",
    "WorkerRow",
    "requests_view",
]


class AccountRow(Base):
    """`sprout_like.record.AccountRecord` as a row."""

    __tablename__ = "energy_accounts"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    device_id: Mapped[str] = mapped_column(primary_key=True)
    device_name: Mapped[str]
    component: Mapped[str]
    method: Mapped[str]
    meter: Mapped[str]
    session_id: Mapped[str]
    started_utc: Mapped[datetime]
    ended_utc: Mapped[datetime]
    counter_j: Mapped[float]
    requests_j: Mapped[float]
    requests_n: Mapped[int]
    elsewhere_j: Mapped[float]
    overhead_j: Mapped[float]
    idle_j: Mapped[float]
    host: Mapped[str | None]
    host_counter_id: Mapped[str | None]
    host_from_j: Mapped[float | None]
    host_to_j: Mapped[float | None]


class IntensityRow(Base):
    """`sprout_like.record.IntensityRecord` as a row."""

    __tablename__ = "intensities"

    zone: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    factors: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    start_utc: Mapped[datetime] = mapped_column(primary_key=True)
    end_utc: Mapped[datetime]
    g_per_kwh: Mapped[float]
    fetched_at_utc: Mapped[datetime]


class AnswerRow(Base):
    """An answer kept to be given again; made only where the user turned that on, as its tokens are the text."""

    __tablename__ = "answers"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_utc: Mapped[datetime]
    used_utc: Mapped[datetime]
    bytes: Mapped[int]
    content: Mapped[str]


def _estimate(name: str, *, nullable: bool = True) -> Composite[Any]:
    """Columns for an estimate: `NAME_mean`, `NAME_sd` and `NAME_n`; without a mean it is unknown."""
    return composite(
        Estimate,
        mapped_column(f"{name}_mean", Double, nullable=nullable),
        mapped_column(f"{name}_sd", Double, nullable=True),
        mapped_column(f"{name}_n", Integer, nullable=nullable),
        return_none_on=lambda mean, *_: mean is None,
    )


class ProfileRow(Base):
    """`directives.Profile` without its cells: one run of `sprout-like calibrate`."""

    __tablename__ = "profiles"

    profile_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created_utc: Mapped[datetime]
    model: Mapped[str]
    family: Mapped[str | None]
    hardware: Mapped[str]
    versions: Mapped[dict[str, str]]
    meter: Mapped[str]
    energy_method: Mapped[str]
    catalogue_version: Mapped[str]
    settings: Mapped[dict[str, float]]
    rounds: Mapped[int]
    duration_s: Mapped[float]
    ended: Mapped[str]
    left_out: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    cells: Mapped[list[ProfileCellRow]] = relationship(order_by="ProfileCellRow.place", lazy="selectin")


class ProfileCellRow(Base):
    """`directives.Cell`: one directive in one bin. An estimate is three columns: `_mean`, `_sd` and `_n`."""

    __tablename__ = "profile_cells"

    profile_id: Mapped[str] = mapped_column(ForeignKey("profiles.profile_id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    directive: Mapped[str]
    bin_task: Mapped[str]
    bin_prompt_tokens: Mapped[str]
    bin_limit_tokens: Mapped[str]
    bin_batch_size: Mapped[str]
    knobs: Mapped[list[str]] = mapped_column(JSON)
    lossless: Mapped[bool]
    batch_size: Mapped[int]
    n: Mapped[int]
    energy_j: Mapped[Estimate | None] = _estimate("energy_j")
    time_s: Mapped[Estimate] = _estimate("time_s", nullable=False)
    energy_per_token_j: Mapped[Estimate | None] = _estimate("energy_per_token_j")
    time_per_token_s: Mapped[Estimate | None] = _estimate("time_per_token_s")
    new_tokens: Mapped[Estimate | None] = _estimate("new_tokens")
    energy_ratio: Mapped[Estimate | None] = _estimate("energy_ratio")
    time_ratio: Mapped[Estimate | None] = _estimate("time_ratio")
    exact_share: Mapped[float | None]
    similarity: Mapped[Estimate | None] = _estimate("similarity")
    finish_reasons: Mapped[dict[str, int]] = mapped_column(JSON)
    reused_share: Mapped[float]


class PolicyRow(Base):
    """A tuned policy: what it was solved from, what it does, and what was expected of it."""

    __tablename__ = "policies"

    policy_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    created_utc: Mapped[datetime]
    activated_utc: Mapped[datetime | None]
    state: Mapped[str]
    model: Mapped[str]
    catalogue_version: Mapped[str]
    version: Mapped[str]
    constraints: Mapped[dict[str, Any]] = mapped_column(JSON)
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    plan: Mapped[dict[str, Any]] = mapped_column(JSON)
    estimate: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str]


class EvaluationRow(Base):
    """`sprout_like.evaluating.evaluation.Evaluation` without its verdicts: one run of the evaluator.

    `energy_j`, `operational_g` and `embodied_g` are those of the generations, which are rows of `requests` too; what
    the judge took is in no other table.
    """

    __tablename__ = "evaluations"

    evaluation_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    started_utc: Mapped[datetime]
    ended_utc: Mapped[datetime]
    reason: Mapped[str]
    ended: Mapped[str]
    model: Mapped[str]
    catalogue_version: Mapped[str]
    judge: Mapped[str]
    prompts_n: Mapped[int]
    verdicts_n: Mapped[int]
    dropped_n: Mapped[int]
    ties_n: Mapped[int]
    first_n: Mapped[int]
    second_n: Mapped[int]
    dropped: Mapped[dict[str, int]] = mapped_column(JSON)
    energy_j: Mapped[float | None]
    operational_g: Mapped[float | None]
    embodied_g: Mapped[float | None]
    judge_energy_j: Mapped[float | None]
    judge_energy_method: Mapped[str]
    judge_operational_g: Mapped[float | None]
    judge_tokens: Mapped[int | None]
    judge_s: Mapped[float]


class VerdictRow(Base):
    """A judged pair: one directive's answer beside `full`'s to the same prompt. No text, and no hash of it.

    `prompt_number` is the place of the prompt in its evaluation: enough to tell which pairs are of one prompt, and
    nothing that could be guessed back, as docs/decisions/0001 asks.
    """

    __tablename__ = "verdicts"

    evaluation_id: Mapped[str] = mapped_column(ForeignKey("evaluations.evaluation_id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    judged_utc: Mapped[datetime] = mapped_column(index=True)
    prompt_number: Mapped[int]
    request_id: Mapped[str | None] = mapped_column(String(32))
    directive: Mapped[str]
    bin_task: Mapped[str]
    bin_prompt_tokens: Mapped[str]
    bin_limit_tokens: Mapped[str]
    bin_batch_size: Mapped[str]
    score: Mapped[float]
    full_score: Mapped[float]


class PromptRow(Base):
    """A prompt of the traffic kept for judging; made only where the user turned that on, as it is text.

    `template` and `arguments` are what `chat` was given beside the messages, so that the call can be made again.
    """

    __tablename__ = "prompts"

    prompt_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    request_id: Mapped[str] = mapped_column(String(32))
    taken_utc: Mapped[datetime]
    expires_utc: Mapped[datetime] = mapped_column(index=True)
    model: Mapped[str]
    catalogue_version: Mapped[str]
    task: Mapped[str | None]
    directive: Mapped[str]
    messages: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    template: Mapped[dict[str, Any]] = mapped_column(JSON)
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON)
    answer: Mapped[str]
    judged_utc: Mapped[datetime | None]
