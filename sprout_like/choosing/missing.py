"""What is not known yet, and what knowing it could save."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from directives import Catalogue, Directive
from directives.evidence import Evidence, Known
from directives.workload import Bin

__all__ = ["Missing", "Unlock", "missing", "unlocked"]

_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Unlock:
    """A directive that could be served if its quality proved to hold.

    Attributes:
        directive: its name.
        saving: of `full`'s energy, as a share; the mean over the bins in which both were measured.
    """

    directive: str
    saving: float


@dataclass(frozen=True, slots=True)
class Missing:
    """Evidence that a policy lacks.

    Attributes:
        unmeasured: directives of which nothing was measured, and calibration could.
        unjudged: directives that cost less and whose answers were never judged, the largest saving first.
    """

    unmeasured: tuple[str, ...]
    unjudged: tuple[Unlock, ...]


def missing(evidence: Evidence, catalogue: Catalogue, judged: Collection[str] = ()) -> Missing:
    """What the evidence lacks of the catalogue's directives that it names.

    Args:
        evidence: what a policy rests on.
        catalogue: the directives.
        judged: those that were judged since.
    """
    cells: dict[str, list[Known]] = {}
    for cell in evidence.cells:
        cells.setdefault(cell.directive, []).append(cell)
    full = {cell.bin: cell.energy_j.mean for cell in cells.pop("full", []) if cell.energy_j is not None}
    unmeasured = [
        name
        for name, known in cells.items()
        if all(cell.energy_j is None and cell.time_s is None for cell in known) and _can_be_tried(catalogue[name])
    ]
    unlocks = []
    for name, known in cells.items():
        if name not in judged and all(not cell.lossless and cell.quality is None for cell in known):
            saving = _saving(known, full)
            if saving is not None and saving > 0:
                unlocks.append(Unlock(name, saving))
    unlocks.sort(key=lambda unlock: -unlock.saving)
    return Missing(tuple(unmeasured), tuple(unlocks))


def unlocked(unlocks: Sequence[Unlock]) -> str:
    """`very_brief −31 %, brief −12 %`: the largest savings that judging could unlock."""
    named = [f"{unlock.directive} −{unlock.saving:.0%}".replace("%", " %") for unlock in unlocks[:_NAMED]]
    return ", ".join(named) + (", …" if len(unlocks) > _NAMED else "")


def _can_be_tried(directive: Directive) -> bool:
    """What kept answers save is the share of questions that come again, which the traffic knows and no trial."""
    return directive.reuse is None or not directive.reuse.answers


def _saving(known: Iterable[Known], full: Mapping[Bin, float]) -> float | None:
    ratios = [c.energy_j.mean / full[c.bin] for c in known if c.energy_j is not None and full.get(c.bin, 0.0) > 0]
    return 1 - fmean(ratios) if ratios else None
