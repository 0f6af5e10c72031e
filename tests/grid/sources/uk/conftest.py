"""The UK source on a server that answers as the real one, ten minutes past noon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from grid import UKSource
from grid.testing import NOON, LoopbackUK, ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON + timedelta(minutes=10))


@pytest.fixture
def server(clock: ManualClock) -> Iterator[LoopbackUK]:
    with LoopbackUK(now_utc=clock, g_per_kwh=lambda when: 100 + when.hour) as running:
        yield running


@pytest.fixture
def source(server: LoopbackUK, clock: ManualClock) -> Iterator[UKSource]:
    made = UKSource(base_url=server.url, now_utc=clock)
    yield made
    made.close()
