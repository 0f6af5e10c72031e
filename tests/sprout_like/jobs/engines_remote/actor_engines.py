"""Engines that fail or end the process they run in; made by Ray's actors, by their path."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from sprout_like.errors import EngineUnavailable
from sprout_like.jobs.engines.engine import Ask
from sprout_like.jobs.testing import FakeBatchEngine


def dies_once(marker: str) -> FakeBatchEngine:
    """The first process of all that runs a batch is killed in the middle of it."""

    def on_run(_asks: Sequence[Ask]) -> None:
        try:
            Path(marker).touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    return FakeBatchEngine(on_run=on_run)


def down_once(marker: str) -> FakeBatchEngine:
    """The first batch finds it unavailable."""

    def on_run(_asks: Sequence[Ask]) -> None:
        try:
            Path(marker).touch(exist_ok=False)
        except FileExistsError:
            return
        raise EngineUnavailable("the engine's own words")

    return FakeBatchEngine(on_run=on_run)


def dies_of(word: str) -> FakeBatchEngine:
    """Every process that runs a prompt with the word is killed."""

    def on_run(asks: Sequence[Ask]) -> None:
        if any(word in message["content"] for ask in asks for message in ask.messages):
            os.kill(os.getpid(), signal.SIGKILL)

    return FakeBatchEngine(on_run=on_run)
