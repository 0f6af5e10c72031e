"""What a worker works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from directives import Catalogue, Policy, Uniform
from grid import Grid
from sprout_like.clock import Clock
from sprout_like.guard import PolicyGuard
from sprout_like.jobs.engines.engine import BatchEngine
from sprout_like.jobs.queue import Queue
from sprout_like.ledger import Ledger
from sprout_like.meters import Accounts
from sprout_like.settings import Settings

__all__ = ["WorkingParts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingParts:
    """The parts, shared with whatever else runs in this process; who opened them closes them.

    Attributes:
        open_policy: from a policy's name to it. session_id: of the rows.
    """

    settings: Settings
    queue: Queue
    engine: BatchEngine
    grid: Grid
    catalogue: Catalogue
    open_policy: Callable[[str], Policy]
    ledger: Ledger
    accounts: Accounts
    clock: Clock
    rng: Uniform
    session_id: str

    def guard(self) -> PolicyGuard:
        """What keeps faults of policy, grid and ledger away from the items."""
        return PolicyGuard(self.engine, self.catalogue, self.ledger, self.rng)
