"""Whether a model answers in a batch as it does alone: tried once, when it is loaded, on a few tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import torch

from directives import FULL
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.engines.installing import original_generate
from sprout_like.engines.locks import hold_all
from sprout_like.jobs.engines.asked import Asked, prepared

__all__ = ["answers_alike"]

_LENGTHS: Final = (3, 5, 8, 13)
_NEW_TOKENS: Final = 4

# In bf16 the order of sums moves near-ties, so that a row may go another way; where positions or masks are wrong, most
# rows do.
_ALIKE: Final = 0.5


def answers_alike(engine: HuggingFaceEngine, run: Callable[[Sequence[Asked]], list[list[int]]]) -> bool:
    """Whether rows of different lengths get the tokens together that each gets alone.

    Some families take no note of padding, as recurrent ones, or of what a loop of another kind tells their attention;
    they would give wrong answers without a word.
    """
    rows = [_probe(engine, place, length) for place, length in enumerate(_LENGTHS)]
    with hold_all(model for row in rows for model in row.plan.models):
        alone = [_alone(row) for row in rows]
        try:
            together = run(rows)
        except Exception:  # noqa: BLE001 - each family has its own way not to support it
            return False
    return sum(a == b for a, b in zip(together, alone, strict=True)) >= _ALIKE * len(rows)


def _probe(engine: HuggingFaceEngine, place: int, length: int) -> Asked:
    ids = torch.tensor([[3 + (31 * place + 7 * column) % 61 for column in range(length)]])  # in any vocabulary
    device = engine.plan(FULL, engine.inspect((), {"input_ids": ids})).runner.device
    ids = ids.to(device)
    mask = torch.ones_like(ids)
    arguments = {"input_ids": ids, "attention_mask": mask, "max_new_tokens": _NEW_TOKENS, "do_sample": False}
    arguments["stop_strings"] = None  # the checkpoint's own: rows with such run alone
    call = engine.inspect((), arguments)
    return prepared(engine, place, FULL, call)


def _alone(row: Asked) -> list[int]:
    output = original_generate(row.plan.runner)(**row.plan.kwargs)
    tokens: list[int] = output[0, len(row.ids) :].tolist()
    return tokens
