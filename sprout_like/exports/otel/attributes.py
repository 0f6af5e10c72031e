"""What a span and a measurement say of a request: the GenAI conventions' names, and ours beside them.

The names are those of the OpenTelemetry semantic conventions 1.41.1, the last release that holds the GenAI ones; from
1.42.0 on these live in a repository of their own (github.com/open-telemetry/semantic-conventions-genai), which has not
released any yet and means to replace `gen_ai.client.token.usage` by counters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sprout_like.record import RequestRecord

__all__ = ["CONVENTIONS", "OPERATIONS", "SCHEMA_URL", "Value", "common", "of_span"]

CONVENTIONS: Final = "1.41.1"
SCHEMA_URL: Final = f"https://opentelemetry.io/schemas/{CONVENTIONS}"

OPERATIONS: Final = {"chat": "chat"}
"""Our calls that the conventions have a name for; all others complete a text."""

# The conventions have no name for models that run here; with the other, a server's API decides.
_PROVIDERS: Final = {"openai": "openai"}
_FINISHED: Final = {"eos": "stop"}

Value = str | bool | int | float | tuple[str, ...]


def common(row: RequestRecord) -> dict[str, Value]:
    """Attributes of every measurement: few values each, so that they bear being labels."""
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": OPERATIONS.get(row.call, "text_completion"),
        "gen_ai.provider.name": _PROVIDERS.get(row.engine, "huggingface"),
        "gen_ai.request.model": row.model,
        "gen_ai.response.model": row.variant or row.model,
        "sprout_like.directive": row.directive,
        "sprout_like.purpose": row.purpose,
        "sprout_like.zone": row.zone,
    }
    if row.decision_group is not None:
        attributes["sprout_like.decision_group"] = row.decision_group
    if row.error_type is not None:
        attributes["error.type"] = row.error_type
    return attributes


def of_span(row: RequestRecord) -> dict[str, Value]:
    """All that is known of a request; what is not known is left out. No prompt and no answer."""
    found: dict[str, Value | None] = {
        **common(row),
        "gen_ai.response.id": row.request_id,
        "gen_ai.request.max_tokens": row.caller_limit_tokens,
        "gen_ai.request.stream": None if row.first_token_s is None else True,
        "gen_ai.response.finish_reasons": _finish_reasons(row.finish_reason),
        "gen_ai.response.time_to_first_chunk": _first_chunk_s(row),
        "gen_ai.usage.input_tokens": input_tokens(row),
        "gen_ai.usage.output_tokens": row.new_tokens,
        "gen_ai.usage.cache_read.input_tokens": row.reused_tokens,
        **_ours(row),
    }
    return {name: value for name, value in found.items() if value is not None}


def input_tokens(row: RequestRecord) -> int | None:
    """Tokens that the model was given: the caller's, and those of a directive's instruction."""
    return None if row.prompt_tokens is None else row.prompt_tokens + (row.instruction_tokens or 0)


def _ours(row: RequestRecord) -> Mapping[str, Value | None]:
    names = (
        "batch_size",
        "candidates",
        "catalogue_version",
        "decision_reason",
        "duration_s",
        "embodied_g",
        "energy_j",
        "energy_method",
        "energy_uncertainty_j",
        "engine",
        "engine_s",
        "inferred_task",
        "instruction_tokens",
        "intensity_factors",
        "intensity_g_per_kwh",
        "intensity_kind",
        "intensity_reason",
        "intensity_source",
        "intensity_stale",
        "intensity_status",
        "meter",
        "operational_g",
        "overhead_s",
        "policy",
        "policy_version",
        "propensity",
        "pue",
        "queue_s",
        "reuse",
        "session_id",
        "task",
        "variant",
    )
    tags = {f"sprout_like.tags.{name}": text for name, text in row.tags.items()}
    return {**tags, **{f"sprout_like.{name}": getattr(row, name) for name in names}}


def _finish_reasons(reasons: str | None) -> tuple[str, ...] | None:
    return None if reasons is None else tuple(_FINISHED.get(reason, reason) for reason in reasons.split("+"))


def _first_chunk_s(row: RequestRecord) -> float | None:
    """From the call on, as the conventions have it, where the row counts from the engine's start."""
    if row.first_token_s is None or row.engine_s is None:
        return None
    return row.duration_s - row.engine_s + row.first_token_s
