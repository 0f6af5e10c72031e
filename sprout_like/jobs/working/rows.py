"""An item's row and answer, from its part of a batch."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from directives import Decision, Policy
from grid import Look
from sprout_like import carbon
from sprout_like.jobs.engines.engine import Answered, Ask
from sprout_like.jobs.job import Answer, Item, Job
from sprout_like.jobs.working.parts import WorkingParts
from sprout_like.meters import Energy
from sprout_like.provenance import decided, metered, provenance
from sprout_like.record import RequestRecord

__all__ = ["Drawn", "answer_of", "row_of", "share_of"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """An item with its draw."""

    item: Item
    ask: Ask
    task: str | None
    candidates: Sequence[str]
    decision: Decision
    policy: Policy


def row_of(
    parts: WorkingParts,
    job: Job,
    drawn: Drawn,
    answered: Answered,
    *,
    energy: Energy,
    batch_s: float,
    look: Look,
    started_utc: datetime,
) -> RequestRecord:
    """The row of an item.

    Args:
        parts: of the worker.
        job: the item's.
        drawn: the item, with its draw.
        answered: what came of it.
        energy: its share.
        batch_s: its share of the batch's time, in s.
        look: the grid as the batch began.
        started_utc: when that was.
    """
    settings, engine, intensity = parts.settings, parts.engine, look.intensity
    return RequestRecord(
        request_id=f"{int(started_utc.timestamp() * 1000):012x}{secrets.token_hex(10)}",
        session_id=parts.session_id,
        started_utc=started_utc,
        duration_s=answered.engine_s if answered.engine_s is not None else batch_s,
        engine_s=answered.engine_s,
        first_token_s=answered.first_token_s,
        call="job",
        purpose="job",
        status="ok" if answered.text is not None else "error",
        error_type=None if answered.error is None else answered.error.partition(":")[0],
        model=engine.model,
        family=engine.family,
        engine=engine.name,
        task=drawn.task,
        tags={**settings.tags, **job.tags, "job": job.job_id},
        batch_size=1,
        prompt_tokens=answered.prompt_tokens,
        instruction_tokens=answered.instruction_tokens,
        new_tokens=answered.new_tokens,
        limit_tokens=answered.limit_tokens,
        caller_limit_tokens=drawn.item.limit_tokens,
        finish_reason=answered.finish_reason,
        knob_counts={"rows_together": float(answered.batch_size)},
        zone=parts.grid.zone,
        **provenance(look),
        **decided(drawn.policy, drawn.decision, drawn.candidates),
        catalogue_version=parts.catalogue.version,
        **metered(energy),
        meter=parts.accounts.meter_name,
        pue=settings.pue,
        operational_g=carbon.operational_g(
            energy.energy_j, None if intensity is None else intensity.g_per_kwh, settings.pue
        ),
        embodied_g=carbon.embodied_g(settings.embodied, batch_s),
        overhead_s=0.0,
    )


def share_of(whole: Energy, share: float) -> Energy:
    """A part of a batch's energy; its half-width is taken to be in proportion, since all parts err together."""
    if whole.energy_j is None:
        return whole

    def part(figure: float | None) -> float | None:
        return None if figure is None else figure * share

    return replace(
        whole,
        energy_j=whole.energy_j * share,
        gpu_j=part(whole.gpu_j),
        cpu_j=part(whole.cpu_j),
        dram_j=part(whole.dram_j),
        by_device_j={device: share * figure for device, figure in whole.by_device_j.items()},
        method="apportioned" if whole.method == "measured" and share < 1 else whole.method,
        uncertainty_j=part(whole.uncertainty_j),
    )


def answer_of(drawn: Drawn, answered: Answered, record: RequestRecord) -> Answer:
    """The answer of an item, with the figures of its row."""
    return Answer(
        place=drawn.item.place,
        text=answered.text or "",
        request_id=record.request_id,
        directive=drawn.decision.directive,
        prompt_tokens=answered.prompt_tokens,
        new_tokens=answered.new_tokens,
        finish_reason=answered.finish_reason,
        energy_j=record.energy_j,
        energy_method=record.energy_method,
        operational_g=record.operational_g,
    )
