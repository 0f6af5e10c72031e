"""Hours are added up before a ledger is read, and who waits for it sees how far it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from sprout_like.ledger.rollups.outcome import RollUp

__all__ = ["rolled_up"]


def rolled_up(engine: Engine, *, budget_s: float | None = None) -> RollUp:
    """Add up what is over and stale, as `roll_up` does; how far it is, on stderr, where somebody looks on."""
    from sprout_like.clock import SystemClock
    from sprout_like.ledger.rollups.roller import roll_up

    now_utc = SystemClock().now_utc()
    if not sys.stderr.isatty():
        return roll_up(engine, now_utc=now_utc, budget_s=budget_s)
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text("adding up hours")) as status:
        return roll_up(
            engine,
            now_utc=now_utc,
            budget_s=budget_s,
            progress=lambda done, of: status.update(Text(f"adding up hours: {done:,} of {of:,}")),
        )
