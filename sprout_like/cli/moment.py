"""Moments as options."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

__all__ = ["moment"]


def moment(text: str) -> datetime:
    """A moment as people write it; without an offset it is UTC.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        when = datetime.fromisoformat(text)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is not a moment; write 2026-03-01 or 2026-03-01T18:30") from None
