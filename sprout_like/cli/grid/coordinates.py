"""Coordinates as arguments: `-33.87,151.21` is a place in the south and no option."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand

__all__ = ["TakesPlaces"]

_NEGATIVE_NUMBER = re.compile(r"-\.?\d")


class TakesPlaces(TyperCommand):
    """A command whose arguments may begin with a minus sign; no option of it begins with a digit."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse them; the space in front, which a place may have, keeps a number from being read as an option."""
        return super().parse_args(ctx, [f" {each}" if _NEGATIVE_NUMBER.match(each) else each for each in args])
