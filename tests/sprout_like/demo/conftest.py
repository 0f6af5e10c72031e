"""One run of the demonstration with a tiny model, which several tests look at from different sides."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grid import bundled_day
from sprout_like.demo.day import Day
from sprout_like.demo.show import show
from sprout_like.settings import Settings

NOW = datetime(2026, 3, 2, 15, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Shown:
    """What a run printed and left behind."""

    day: Day
    finished: bool
    printed: str
    ledger: Path
    report: str
    data: dict[str, Any]


@contextmanager
def _one_thread() -> Iterator[None]:
    """On a busy machine, torch's threads wait for each other far longer than a tiny model computes."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def one_thread() -> Iterator[None]:
    with _one_thread():
        yield


@pytest.fixture(scope="session")
def modelled_day() -> Day:
    return Day(bundled_day(NOW.date(), NOW), "MODELLED: not measured")


@pytest.fixture(scope="session")
def demo_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The default policy and no setting from outside that would matter."""
    spool = tmp_path_factory.mktemp("spool") / "spool.sqlite"
    return Settings.load(policy="threshold", meter="cpu", spool=spool)


@pytest.fixture(scope="session")
def demo_model(make_tiny_model: Callable[[], Any], tokenizer: Any) -> Callable[[], tuple[Any, Any]]:
    """Loads a tiny random model with the demonstration's own tokenizer."""
    return lambda: (make_tiny_model(), tokenizer)


@pytest.fixture(scope="session")
def shown(
    tmp_path_factory: pytest.TempPathFactory,
    modelled_day: Day,
    demo_settings: Settings,
    demo_model: Callable[[], tuple[Any, Any]],
) -> Shown:
    """The whole run."""
    out = tmp_path_factory.mktemp("demo")
    stream = io.StringIO()
    console = Console(file=stream, width=80, emoji=False)
    json_file = out / "data.json"
    with _one_thread():
        finished = show(console, modelled_day, demo_settings, out=out, json_file=json_file, load_model=demo_model)
    return Shown(
        day=modelled_day,
        finished=finished,
        printed=stream.getvalue(),
        ledger=out / "ledger.sqlite",
        report=(out / "report.txt").read_text("utf-8"),
        data=json.loads(json_file.read_text("utf-8")),
    )
