"""Runs rows of different lengths as one left-padded batch of the model's own `generate`, without those that ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache, LogitsProcessorList, StoppingCriteriaList
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from sprout_like.engines.installing import original_generate
from sprout_like.jobs.engines.asked import Asked
from sprout_like.jobs.engines.watching import RowProcessors, RowWatch, Seat
from sprout_like.knobs.arguments import setting, with_limit

__all__ = ["Ran", "run_padded"]

# Dropping rows copies the cache of those that stay: done when this share of the rows has ended, hence log2(rows) times.
_WORTH_DROPPING = 0.5

_PLAIN_LAYERS = (DynamicLayer, DynamicSlidingWindowLayer)


@dataclass(slots=True)
class Ran:
    """What came of a batch.

    Attributes:
        tokens: new ones of each row, up to and with its end.
        started_s, steps_at_s: when it began and when each step was done, on the engine's clock.
    """

    started_s: float
    tokens: list[list[int]]
    steps_at_s: list[float] = field(default_factory=list)


def run_padded(rows: Sequence[Asked], monotonic_s: Callable[[], float]) -> Ran:
    """Run rows that go together to their ends; see `Asked.company`.

    Raises:
        Exception: whatever `generate` raises.
    """
    ran = Ran(monotonic_s(), [[] for _ in rows])
    width = max(len(row.ids) for row in rows)
    padding = [width - len(row.ids) for row in rows]
    ids, mask = _padded(rows, padding)
    going, before = list(range(len(rows))), 0
    cache: DynamicCache | None = None
    drops = _has_plain_cache(rows[0])
    while going:
        seats = [_seat(rows[row], padding[row], before) for row in going]
        watch = RowWatch(
            seats,
            width=width + before,
            end_ids=rows[0].end_ids,
            least_going=int(len(seats) * _WORTH_DROPPING) + 1 if drops and len(seats) > 1 else 1,
            monotonic_s=monotonic_s,
        )
        output = _generate(rows[0], seats, ids, mask, cache, watch, before)
        ran.steps_at_s += watch.steps_at_s
        for seat, row, new in zip(seats, going, output.sequences[:, width + before :].tolist(), strict=True):
            ran.tokens[row] += new[: seat.new_tokens]
        kept = [place for place, seat in enumerate(seats) if seat.new_tokens is None]
        going = [going[place] for place in kept]
        if going:
            chosen = torch.tensor(kept, device=ids.device)
            ids = output.sequences[chosen]
            mask = torch.nn.functional.pad(mask[chosen], (0, len(watch.steps_at_s)), value=1)
            cache = _selected(getattr(output, "past_key_values", None), chosen)
            drops = cache is not None  # otherwise the next run computes the prompts again, and must be the last
            before += len(watch.steps_at_s)
    return ran


def _generate(
    first: Asked, seats: Sequence[Seat], ids: Any, mask: Any, cache: DynamicCache | None, watch: RowWatch, before: int
) -> Any:
    config, settings = first.host.generation_config, dict(first.settings)
    if setting("pad_token_id", settings, config) is None:
        settings["pad_token_id"] = next(iter(first.end_ids), 0)  # what `generate` would warn of at every run
    if first.least_tokens > before:
        settings["min_new_tokens"] = first.least_tokens - before
    if setting("min_length", {}, config):
        settings["min_length"] = 0  # the model's own counts padding
    if cache is not None:
        settings["past_key_values"] = cache
    own = LogitsProcessorList([RowProcessors(seats)] if any(seat.processors for seat in seats) else [])
    return original_generate(first.plan.runner)(
        input_ids=ids,
        attention_mask=mask,
        logits_processor=own,
        stopping_criteria=StoppingCriteriaList([watch]),
        return_dict_in_generate=True,
        **with_limit(settings, config, max(seat.limit_tokens for seat in seats), ids.shape[1]),
    )


def _padded(rows: Sequence[Asked], padding: Sequence[int]) -> tuple[Any, Any]:
    # Each row is padded with its own first token, as a penalty on repeated tokens looks at padding too.
    device = rows[0].call.prompt_ids.device
    ids = [[row.ids[0]] * columns + row.ids for row, columns in zip(rows, padding, strict=True)]
    mask = [[0] * columns + [1] * len(row.ids) for row, columns in zip(rows, padding, strict=True)]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def _seat(row: Asked, padding: int, before: int) -> Seat:
    return Seat(
        padding=padding,
        limit_tokens=row.limit_tokens - before,
        processors=row.plan.kwargs.get("logits_processor") or (),
        criteria=row.plan.kwargs.get("stopping_criteria") or (),
    )


def _has_plain_cache(row: Asked) -> bool:
    config = row.host.generation_config
    plain = setting("use_cache", row.settings, config) is not False
    return plain and not setting("cache_implementation", row.settings, config) and not _is_recurrent(row.plan.runner)


def _is_recurrent(model: Any) -> bool:
    return bool(getattr(model, "_is_stateful", False))


def _selected(cache: Any, places: Any) -> DynamicCache | None:
    """The cache with those rows alone; None where it is of a kind that may not be able to."""
    if type(cache) is not DynamicCache or any(type(layer) not in _PLAIN_LAYERS for layer in cache.layers):
        return None
    cache.batch_select_indices(places)
    return cache
