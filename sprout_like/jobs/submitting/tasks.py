"""Tasks that are known, so that a misspelt one is noticed."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sprout_like.settings import Settings

__all__ = ["named_tasks", "near_task"]

_NEAR: Final = 0.8
"""Likeness from which a word is taken for a slip of another, as `difflib` counts it: `sumary` and `summary` are 0.92
alike, `code` and `chat` 0.5."""


def named_tasks(settings: Settings) -> frozenset[str]:
    """Tasks that a setting names."""
    return frozenset(task for task in (*settings.pinned, *settings.forbidden, *settings.latency_limit_s) if task)


def near_task(task: str, known: Collection[str]) -> str | None:
    """The known task that this one is probably a slip of; None where it is known itself, or like none."""
    if task in known:
        return None
    return next(iter(get_close_matches(task, known, n=1, cutoff=_NEAR)), None)
