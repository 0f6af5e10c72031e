"""What is known before anything was judged: what calibration measured here, and otherwise nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from directives import Directive
from directives.estimate import Estimate
from directives.evidence import Evidence, Known
from directives.profile import Cell, Profile
from directives.workload import Bin

__all__ = ["initial_evidence", "known_of"]

_EVERYWHERE = Bin()


def initial_evidence(profile: Profile | None, directives: Iterable[Directive]) -> Evidence:
    """What a fresh install knows.

    A lossless directive has an energy only where it is beyond doubt below `full`'s, so that it is never chosen for
    noise. One that calibration found dearer in every bin has nothing to unlock and is left out, as is one that loads
    a model of its own and was not calibrated: nobody's request should pay for that on a mere chance.

    Args:
        profile: of this model, hardware and catalogue; None where there is none.
        directives: those that fit the model, `full` among them.
    """
    cells: list[Known] = []
    for directive in directives:
        measured = () if profile is None else tuple(c for c in profile.cells if c.directive == directive.name)
        if not measured and (directive.name == "full" or not any(directive.variants)):
            cells.append(Known(directive=directive.name, bin=_EVERYWHERE, lossless=not directive.needs_judging))
        if directive.name == "full" or not (measured and all(map(_dearer, measured))):
            cells += _known(directive, measured, profile)
    return Evidence(cells=tuple(cells))


def known_of(directive: Directive, cell: Cell, full: Cell | None) -> Known:
    """A calibrated cell as evidence.

    Energy and time are `full`'s times the ratio to it, which is measured prompt by prompt and so varies far less.
    """
    return Known(
        directive=directive.name,
        bin=cell.bin,
        lossless=not directive.needs_judging,
        energy_j=_scaled(cell.energy_ratio, None if full is None else full.energy_j) or cell.energy_j,
        time_s=_scaled(cell.time_ratio, None if full is None else full.time_s) or cell.time_s,
    )


def _known(directive: Directive, measured: Iterable[Cell], profile: Profile | None) -> Iterator[Known]:
    for cell in measured:
        known = known_of(directive, cell, None if profile is None else profile.cell("full", cell.bin))
        if known.lossless and directive.name != "full" and not _cheaper(cell):
            known = Known(directive=known.directive, bin=known.bin, lossless=True, time_s=known.time_s)
        yield known


def _cheaper(cell: Cell) -> bool:
    high = None if cell.energy_ratio is None else cell.energy_ratio.high
    return high is not None and high < 1


def _dearer(cell: Cell) -> bool:
    low = None if cell.energy_ratio is None else cell.energy_ratio.low
    return low is not None and low > 1


def _scaled(ratio: Estimate | None, of: Estimate | None) -> Estimate | None:
    if ratio is None or of is None:
        return None
    sd = None if ratio.sd is None else ratio.sd * of.mean
    return Estimate(ratio.mean * of.mean, sd, ratio.n)
