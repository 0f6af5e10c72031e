"""Every engine there is, opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack

import pytest

from sprout_like.jobs.engines.continuous import ContinuousEngine
from sprout_like.jobs.engines.engine import BatchEngine
from sprout_like.jobs.engines.openai_server import OpenAIServer
from sprout_like.jobs.engines.padded import PaddedEngine
from sprout_like.jobs.engines.ray_actor import MadeBy
from sprout_like.jobs.engines.ray_pool import RayPool
from sprout_like.jobs.testing import FakeBatchEngine
from sprout_like.jobs.testing_server import ChatServer
from tests.contracts.batch_engine_cases.asking import POISON
from tests.contracts.batch_engine_cases.tiny import tiny_model

__all__ = ["OPENERS"]

Open = Callable[[ExitStack, pytest.FixtureRequest], BatchEngine]


def fake(stack: ExitStack, _request: pytest.FixtureRequest) -> BatchEngine:
    engine = FakeBatchEngine(poison=POISON)
    stack.callback(engine.close)
    return engine


def continuous(stack: ExitStack, _request: pytest.FixtureRequest) -> BatchEngine:
    engine = ContinuousEngine(tiny_model, model="tiny")
    stack.callback(engine.close)
    return engine


def openai(stack: ExitStack, _request: pytest.FixtureRequest) -> BatchEngine:
    server = stack.enter_context(ChatServer(poison=POISON))
    engine = OpenAIServer(f"{server.url}/v1", "fake")
    stack.callback(engine.close)
    return engine


def padded(stack: ExitStack, _request: pytest.FixtureRequest) -> BatchEngine:
    engine = PaddedEngine(tiny_model, model="tiny")
    stack.callback(engine.close)
    return engine


def ray(stack: ExitStack, request: pytest.FixtureRequest) -> BatchEngine:
    request.getfixturevalue("cluster")
    made_by = MadeBy(path="sprout_like.jobs.testing:FakeBatchEngine", arguments={"poison": POISON})
    engine = RayPool(made_by, model="fake", at_once=2, start_s=60)
    stack.callback(engine.close)
    return engine


OPENERS: Mapping[str, Open] = {"fake": fake, "padded": padded, "continuous": continuous, "openai": openai, "ray": ray}
