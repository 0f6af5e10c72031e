"""What a report can be grouped by; apart from the sums, so that the command line knows it without a database."""

from __future__ import annotations

from typing import Literal

__all__ = ["GroupBy"]

GroupBy = Literal["directive", "day", "model", "zone", "task", "policy", "energy_method", "meter", "status"]
