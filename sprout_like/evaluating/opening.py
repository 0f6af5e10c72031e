"""From the settings to the sample of the traffic."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from sprout_like.clock import Clock
from sprout_like.errors import SettingError
from sprout_like.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from sprout_like.evaluating.sample import Sampler

__all__ = ["open_sampler"]


def open_sampler(settings: Settings, database: Callable[[], Engine] | None, clock: Clock) -> Sampler | None:
    """The sampler that `sample_share` asks for; None where it is 0.

    Args:
        settings: share, and how long a prompt stays.
        database: makes an engine on the ledger's database; None where the ledger was given as an object.
        clock: for stamps and intervals.

    Raises:
        SettingError: prompts are to be kept and there is no database for them.
    """
    if not settings.sample_share:
        return None
    if database is None:
        raise SettingError(
            "sample_share",
            "prompts are kept in a database, and the ledger was given as an object",
            "Give the ledger as a path or URL, or set sample_share to 0",
        )
    from sprout_like.evaluating.sample import Sampler

    keep = timedelta(days=settings.sample_keep_days)
    return Sampler(database(), share=settings.sample_share, keep=keep, clock=clock, rng=Random())
