"""A profile for machines; docs/calibrate.md describes the keys."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from directives.estimate import Estimate
from directives.profile import Cell, Profile
from sprout_like.calibrate.findings import findings

__all__ = ["as_data"]


def as_data(profile: Profile) -> dict[str, Any]:
    """The profile in JSON's own types, its intervals and what follows from it spelt out."""
    data = asdict(profile)
    data["measure"] = profile.measure
    data["cells"] = [_cell(profile, cell) for cell in profile.cells]
    data["points"] = [asdict(point) for point in profile.points()]
    data["findings"] = findings(profile)
    return data


def _cell(profile: Profile, cell: Cell) -> dict[str, Any]:
    data = asdict(cell)
    for name in Cell.__slots__:
        value = getattr(cell, name)
        if isinstance(value, Estimate):
            data[name] = {"mean": value.mean, "sd": value.sd, "n": value.n, "low": value.low, "high": value.high}
    data["dominated_by"] = profile.dominated_by(cell)
    return data
