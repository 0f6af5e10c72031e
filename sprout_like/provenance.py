"""What the policy and the row are told of a request's moment: the grid as it was looked at, the call, the task."""

from __future__ import annotations

from typing import Any

from directives import Observation
from grid import Look
from sprout_like.engines.engine import Call

__all__ = ["observed", "provenance"]


def observed(look: Look, call: Call, task: str | None) -> Observation:
    """What the policy may know; `task` is the caller's tag, or else what the request was taken for."""
    return Observation(
        intensity_g_per_kwh=None if look.intensity is None else look.intensity.g_per_kwh,
        task=task,
        prompt_tokens=call.prompt_tokens,
        limit_tokens=call.limit_tokens,
        batch_size=call.batch_size,
    )


def provenance(look: Look) -> dict[str, Any]:
    """The row's columns about the intensity; those that are unknown are left out."""
    intensity = look.intensity
    if intensity is None:
        return {"intensity_reason": look.reason}
    return {
        "intensity_g_per_kwh": intensity.g_per_kwh,
        "intensity_kind": intensity.kind,
        "intensity_factors": intensity.factors,
        "intensity_status": intensity.status,
        "intensity_source": intensity.source,
        "intensity_start_utc": intensity.start_utc,
        "intensity_stale": look.stale,
        "intensity_reason": look.reason,
    }
