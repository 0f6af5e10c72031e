"""What a report can be grouped by; apart from the sums, so that the command line knows it without a database."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from sprout_like.errors import ReportError

__all__ = ["COLUMNS", "TAG", "TIMES", "dimensions"]

TIMES: Final = ("hour", "day", "week", "month")
"""Dimensions of time, in UTC; weeks are those of ISO 8601."""

COLUMNS: Final[Mapping[str, str]] = {
    "model": "model",
    "family": "family",
    "variant": "variant",
    "engine": "engine",
    "task": "task",
    "directive": "directive",
    "policy": "policy",
    "policy_version": "policy_version",
    "catalogue_version": "catalogue_version",
    "decision_group": "decision_group",
    "zone": "zone",
    "call": "call",
    "status": "status",
    "energy_method": "energy_method",
    "meter": "meter",
}
"""Other dimensions, and the columns of the facts that they are."""

TAG: Final = "tag:"
"""How a dimension begins that is one of the caller's tags."""


def dimensions(text: str) -> tuple[str, ...]:
    """The dimensions in a text such as `day,model,tag:team`, each once, in that order.

    Raises:
        ReportError: there is none of that name; the message names those that there are.
    """
    found: dict[str, None] = {}
    for part in text.split(","):
        # A tag's name is the caller's own: it may have blanks and capitals.
        name = part.strip()
        if not name.startswith(TAG):
            name = name.lower()
            _check(name)
        elif name == TAG:
            raise ReportError("--by: tag: names no tag. Give one, as in tag:team")
        found[name] = None
    return tuple(found)


def _check(name: str) -> None:
    known = (*TIMES, *COLUMNS)
    if name in known:
        return
    near = get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise ReportError(f"--by: cannot group by {name!r}. {hint}There are {', '.join(known)}, and tag:NAME for a tag")
