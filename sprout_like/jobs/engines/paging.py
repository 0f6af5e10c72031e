"""Runs rows through transformers' continuous batching: one that has ended makes room, and nothing is padded."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch
from transformers import ContinuousBatchingConfig

from sprout_like.engines.continuous.asking import top_k_in_force
from sprout_like.errors import SproutError
from sprout_like.jobs.engines.asked import Asked
from sprout_like.jobs.engines.sharing import Served

__all__ = ["LoopFailed", "Paged", "is_pageable", "run_paged"]

# Tokens of all prompts in one forward pass. Without flash attention a mask of this many rows is built at every pass.
_TOKENS_A_PASS: Final = 512
_PAGE_TOKENS: Final = 32

# What the loop understands of the settings; it leaves out others with a warning, or without.
_UNDERSTOOD: Final = frozenset(
    {
        "bos_token_id",
        "disable_compile",
        "do_sample",
        "eos_token_id",
        "pad_token_id",
        "temperature",
        "top_k",
        "top_p",
        "use_cache",
    }
)

Paged = tuple[list[int], Served]
"""New tokens of a row, and when they came, in s of `time.perf_counter`."""


class LoopFailed(SproutError, RuntimeError):
    """The loop gave no answer; another try may."""


def is_pageable(row: Asked) -> bool:
    """Whether the loop can run it as it must be run: it knows no processors or criteria of a row's own, no views."""
    kwargs = row.plan.kwargs
    own = kwargs.get("logits_processor") or kwargs.get("stopping_criteria") or row.least_tokens
    return not own and row.plan.runner is row.host.model() and row.in_force <= _UNDERSTOOD


def run_paged(rows: Sequence[Asked]) -> list[Paged]:
    """Run rows that go together to their ends; see `Asked.company`.

    Raises:
        LoopFailed: it gave no answer to some.
        Exception: whatever ended the loop.
    """
    first = rows[0]
    model = first.plan.runner
    config = copy.deepcopy(first.host.generation_config)
    # Both lengths are each row's own; an end token is asked for, and warned of where there is none.
    config.update(**first.settings, max_length=None, max_new_tokens=max(row.limit_tokens for row in rows))
    config.eos_token_id = list(first.end_ids) or -1
    config.top_k = top_k_in_force(first.settings, first.host.generation_config)  # the loop has no default of its own
    pages = sum((len(row.ids) + row.limit_tokens) // _PAGE_TOKENS + 2 for row in rows)
    memory = ContinuousBatchingConfig(
        page_size=_PAGE_TOKENS,
        num_blocks=pages,
        max_batch_tokens=max(_TOKENS_A_PASS, len(rows)),
        max_requests_per_batch=len(rows),
        seed=_drawn_seed() if config.do_sample else 0,
    )
    with (
        torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []),  # the loop seeds it
        _attention_kept(model),
        model.continuous_batching_context_manager(
            generation_config=config, continuous_batching_config=memory, warmup=False
        ) as manager,
    ):
        for index, row in enumerate(rows):
            manager.add_request(row.ids, request_id=str(index), max_new_tokens=row.limit_tokens, record_timestamps=True)
        outputs = _finished(manager, len(rows))
        fatal = manager.background_thread_status.fatal_error
    if fatal is not None:
        raise fatal
    failed = sum(str(index) not in outputs or outputs[str(index)].error is not None for index in range(len(rows)))
    if failed:
        raise LoopFailed(f"continuous batching gave no answer to {failed} of {len(rows)} prompts")
    return [_paged(row, outputs[str(index)]) for index, row in enumerate(rows)]


def _drawn_seed() -> int:
    """From the process's generator: batches differ, and come out again as they were after `torch.manual_seed`."""
    return int(torch.randint(2**32, ()))


def _finished(manager: Any, requests: int) -> dict[str, Any]:
    outputs: dict[str, Any] = {}
    while len(outputs) < requests:
        output = manager.get_result(timeout=1)
        if output is not None and output.is_finished():
            outputs[output.request_id] = output
        elif output is None and not manager.is_running():
            break
    return outputs


def _paged(row: Asked, output: Any) -> Paged:
    times_s = list(output.timestamps or ())[: len(output.generated_tokens)]
    served = Served(prompt_tokens=len(row.ids), start_s=output.lifespan[0], tokens_s=times_s)
    return list(output.generated_tokens), served


@contextmanager
def _attention_kept(model: Any) -> Iterator[None]:
    """Leave the model with the attention it had: the loop's own may be of no use to `generate`."""
    before = model.config._attn_implementation  # noqa: SLF001 - transformers has no public way to ask
    try:
        yield
    finally:
        if model.config._attn_implementation != before:  # noqa: SLF001
            model.set_attn_implementation(before)
