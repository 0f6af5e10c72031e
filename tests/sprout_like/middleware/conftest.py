"""Benches, closed in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sprout_like.middleware.bench import Bench


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**parts: Any) -> Bench:
        made.append(Bench(**parts))
        return made[-1]

    yield make
    for each in made:
        each.aware.close()
