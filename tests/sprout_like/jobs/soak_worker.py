"""A real worker with a fake engine in a process of its own, for as long as nobody kills it: `soak_worker.py '{…}'`.

Its clock runs faster than ours, so that leases and waits pass in seconds. A prompt that holds `deadly` kills the
process, as memory running out does; one that holds `poison` fails each time.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from directives import Catalogue, FixedPolicy
from grid import Grid
from grid.testing import ScriptedSource
from sprout_like.background import Background
from sprout_like.jobs.engines.engine import Ask
from sprout_like.jobs.queue import open_queue
from sprout_like.jobs.testing import FakeBatchEngine
from sprout_like.jobs.working.parts import WorkingParts
from sprout_like.jobs.working.worker import Worker
from sprout_like.ledger import open_ledger
from sprout_like.meters import Accounts
from sprout_like.meters.testing import FakeMeter, fake_device
from sprout_like.settings import Settings


class FastClock:
    """The machine's clock, `speed` times as fast since `epoch_s`; the same in every process that is given the same."""

    def __init__(self, epoch_s: float, speed: float) -> None:
        self._epoch_s = epoch_s
        self._speed = speed

    def now_utc(self) -> datetime:
        elapsed_s = (time.time() - self._epoch_s) * self._speed
        return datetime.fromtimestamp(self._epoch_s, UTC) + timedelta(seconds=elapsed_s)

    def monotonic_s(self) -> float:
        return time.perf_counter() * self._speed


def die_of_the_deadly(asks: Sequence[Ask]) -> None:
    if any("deadly" in message["content"] for ask in asks for message in ask.messages):
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    told = json.loads(sys.argv[1])
    clock = FastClock(told["epoch_s"], told["speed"])
    ledger = open_ledger(told["spec"], spool_path=told["spool"])
    accounts = Accounts(FakeMeter([fake_device()], clock=clock, watts=50.0), clock=clock)
    accounts.attach(ledger.append, owner=ledger.name)
    grid = Grid(ScriptedSource(200.0), "GB", now_utc=clock.now_utc)
    grid.refresh()
    Background({"ledger": ledger.tick})
    parts = WorkingParts(
        settings=Settings(ledger=told["spec"], policy="full", job_lease_s=told["lease_s"]),
        queue=open_queue(told["spec"], clock=clock, attempts=told["attempts"]),
        engine=FakeBatchEngine(poison="poison", batch_s=told["batch_s"], on_run=die_of_the_deadly),
        grid=grid,
        catalogue=Catalogue.builtin(),
        open_policy=FixedPolicy,
        ledger=ledger,
        accounts=accounts,
        clock=clock,
        rng=Random(),
        session_id=uuid.uuid4().hex,
    )
    worker = Worker(parts, batch_size=told["batch_size"], at_once=True, poll_s=told["poll_s"])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    worker.run()


if __name__ == "__main__":
    main()
