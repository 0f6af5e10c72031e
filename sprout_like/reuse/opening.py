"""From the settings to the store of kept answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sprout_like.clock import Clock
from sprout_like.errors import SettingError
from sprout_like.reuse.answers import AnswerStore
from sprout_like.reuse.memory_answers import MemoryAnswers
from sprout_like.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["open_answers"]

_BYTES_PER_MIB = 1 << 20


def open_answers(settings: Settings, database: Callable[[], Engine] | None, clock: Clock) -> AnswerStore | None:
    """The store that `answer_cache` asks for; None where it is `off`. To be closed by whoever opens it.

    Args:
        settings: which store, and its bounds.
        database: makes an engine on the ledger's database; None where the ledger was given as an object.
        clock: for stamps and intervals.

    Raises:
        SettingError: answers are to be kept in the ledger and there is no database for them.
    """
    bounds = {
        "most_entries": settings.answer_cache_entries,
        "most_bytes": int(settings.answer_cache_mib * _BYTES_PER_MIB),
    }
    if settings.answer_cache == "off":
        return None
    if settings.answer_cache == "memory":
        return MemoryAnswers(**bounds)
    if database is None:
        raise SettingError(
            "answer_cache",
            "'ledger' needs a database, and the ledger was given as an object",
            'Give the ledger as a path or URL, or set answer_cache to "memory"',
        )
    from sprout_like.reuse.ledger_answers import LedgerAnswers

    return LedgerAnswers(database(), **bounds, clock=clock)
