"""Runs the demonstration: every prompt under the policy, and again under `full` to compare with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from grid import Grid, TraceSource
from sprout_like.demo.day import Day
from sprout_like.demo.prompts import PROMPTS, Prompt
from sprout_like.middleware import CarbonAware
from sprout_like.record import RequestRecord
from sprout_like.settings import Settings

__all__ = ["Pair", "replay_day"]

MAX_NEW_TOKENS = 160
_SEED = 1


@dataclass(frozen=True, slots=True)
class Pair:
    """One prompt served twice.

    Attributes:
        prompt: what was asked. when_utc: the moment of the day whose intensity was used.
        served: the row under the policy. full: the row under `full`.
        text: the answer under the policy.
    """

    prompt: Prompt
    when_utc: datetime
    served: RequestRecord
    full: RequestRecord
    text: str


class _DayClock:
    """Tells the moment of the day that is being gone through."""

    def __init__(self, start_utc: datetime) -> None:
        self.now = start_utc

    def __call__(self) -> datetime:
        return self.now


def replay_day(
    model: Any,
    tokenizer: Any,
    day: Day,
    *,
    ledger: Path,
    settings: Settings,
    prompts: Sequence[Prompt] = PROMPTS,
    on_pair: Callable[[Pair], None] = lambda _: None,
) -> None:
    """Spread the prompts evenly over the day and serve each at its hour; energy is measured now, as it is used.

    Args:
        model: who answers.
        tokenizer: its tokenizer.
        day: intensities.
        ledger: SQLite file for the rows.
        settings: policy, meter and the rest.
        prompts: what is asked.
        on_pair: called after each prompt.
    """
    clock = _DayClock(day.at_hour(0))
    grid = Grid(TraceSource(day.series), "GB", now_utc=clock)
    # Every prompt is run under `full` too, so a control group would only hide what the policy does. The contextual
    # policy would serve `full` throughout, as nobody has judged this model's answers yet.
    policy = "threshold" if settings.policy == "contextual" else settings.policy
    settings = settings.replaced(policy=policy, control_share=0.0, sample_share=0.0)
    with CarbonAware(
        model, tokenizer, grid=grid, ledger=str(ledger), settings=settings, tags={"demo": "day"}, rng=Random(_SEED)
    ) as aware:
        baseline = aware.using(policy="full", purpose="baseline")
        for index, prompt in enumerate(prompts):
            clock.now = day.at_hour(index * 24 / len(prompts))
            grid.refresh()
            # Whoever goes second finds warmer caches, so the two take turns at it.
            first, second = (aware, baseline) if index % 2 == 0 else (baseline, aware)
            replies = {
                view: view.chat(prompt.text, task=prompt.task, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
                for view in (first, second)
            }
            served = replies[aware]
            on_pair(Pair(prompt, clock.now, served.record, replies[baseline].record, served.text))
