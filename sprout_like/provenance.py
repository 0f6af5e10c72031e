"""What the policy is told of a request, and what every row says of the grid, the decision and the energy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from directives import Decision, Observation, Policy
from grid import Look
from sprout_like.engines.engine import Call
from sprout_like.meters import Energy

__all__ = ["decided", "metered", "observed", "provenance"]


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


def decided(policy: Policy, decision: Decision, candidates: Iterable[str]) -> dict[str, Any]:
    """The row's columns about the decision, the policy that made it, and what it chose from."""
    return {
        "policy": policy.name,
        "policy_version": policy.version,
        "directive": decision.directive,
        "propensity": decision.propensity,
        "decision_reason": decision.reason,
        "decision_group": decision.group,
        "candidates": ",".join(candidates),
    }


def metered(energy: Energy) -> dict[str, Any]:
    """The row's columns about the energy."""
    return {
        "energy_j": energy.energy_j,
        "gpu_j": energy.gpu_j,
        "cpu_j": energy.cpu_j,
        "dram_j": energy.dram_j,
        "energy_by_device_j": energy.by_device_j,
        "energy_method": energy.method,
        "energy_uncertainty_j": energy.uncertainty_j,
        "account_id": energy.account_id,
    }
