"""What runs in each process of a Ray pool: one engine, and the meter of the machine that it is on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from directives import Directive
from sprout_like.jobs.engines.engine import Answered, Ask, BatchEngine
from sprout_like.jobs.engines.ray_energy import Reading
from sprout_like.meters import Accounts, charged_devices, open_accounts
from sprout_like.meters.cpu_model import DRAM_WATTS_PER_GIB, WATTS_PER_BUSY_CORE

__all__ = ["EngineActor", "MadeBy", "MeterOnNode", "Reply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBy:
    """How an engine is made, as data that any machine understands.

    Attributes:
        path: `module:function`, importable where the actor runs. arguments: keywords, as plain data.
    """

    path: str
    arguments: Mapping[str, Any] = field(repr=False, default_factory=dict)

    def make(self) -> BatchEngine:
        """Import the function and call it."""
        module, _, name = self.path.partition(":")
        made: BatchEngine = getattr(import_module(module), name)(**self.arguments)
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterOnNode:
    """The settings of the meter that each actor opens where it runs; as in `Settings`."""

    meter: str = "auto"
    cpu_watts_per_core: float = WATTS_PER_BUSY_CORE
    dram_watts_per_gib: float = DRAM_WATTS_PER_GIB
    account_period_s: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A part of a batch, done.

    Attributes:
        answers: one for each ask, their shares those of the part. reading: what it took.
    """

    answers: tuple[Answered, ...]
    reading: Reading


class EngineActor:
    """Made into a Ray actor by the pool.

    Args:
        made_by: makes its engine. meter: what it meters by.
        node: id of the Ray node that it is on; None to ask Ray.
    """

    def __init__(self, made_by: MadeBy, meter: MeterOnNode, *, node: str | None = None) -> None:
        self._engine = made_by.make()
        self._accounts: Accounts = open_accounts(meter.meter, settings=meter)
        self._node = node or _node()

    def load(self) -> str | None:
        """Load the engine's model, and tell its family."""
        with self._accounts.overhead(self._charged()):
            self._engine.load()
        return self._engine.family

    def prompt_tokens(self, ask: Ask) -> int | None:
        """As the engine tells."""
        return self._engine.prompt_tokens(ask)

    def refusal(self, directive: Directive, ask: Ask) -> str | None:
        """As the engine tells."""
        return self._engine.refusal(directive, ask)

    def run(self, asks: Sequence[Ask]) -> Reply:
        """Run a part of a batch in a window of its own; after a restart, load first."""
        self.load()
        charged = self._charged()
        begun_s = time.monotonic()
        window = self._accounts.open(charged)
        try:
            outcome = self._engine.run(asks, window)
        finally:
            energy = window.close()
        told = outcome.energy is not None
        reading = Reading(
            node=self._node,
            begun_s=begun_s,
            ended_s=time.monotonic(),
            devices=() if told else tuple(device for device in self._accounts.devices if device.id in charged),
            energy=outcome.energy or energy,
            tokens=sum((a.prompt_tokens or 0) + (a.new_tokens or 0) for a in outcome.answers),
        )
        return Reply(answers=outcome.answers, reading=reading)

    def _charged(self) -> tuple[str, ...]:
        """Ids of the devices to charge; empty where one of the model's cannot be read, or the engine meters itself."""
        sits_on = self._engine.devices()
        return () if sits_on is None else charged_devices(self._accounts.devices, sits_on) or ()


def _node() -> str:
    import ray

    return str(ray.get_runtime_context().get_node_id())
