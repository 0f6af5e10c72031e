"""How far a total of J or g may be off, from what each row says of its own energy.

A row holds one half-width: the systematic error of its devices plus one tick of power (`meters.Device`). In a total:

- Systematic errors (a counter's calibration, a power model's constants, the rule by which a counter is shared out) are
  the same in all rows of a meter: they add up.
- A counter that is renewed every tick is up to one tick behind at both ends of a window. What it has not shown yet at
  the start was drawn before the window, what it has not shown at the end was drawn in it. The two are independent, so
  their scatter adds up in quadrature: of two uniform delays it is at most t²/6 per row, t being a tick of power. But
  they cancel on average only where the device was as busy before the window as in it. After idling, the window lacks
  half a tick of power on average and idle energy has it: that is the same sign in all rows, and adds up.
- Shares of one counter's energy add up to the counter, whatever they are of each row's own draw: how a shared window
  is cut moves joules between rows, and is in no total of all of them.

So a total is at most its systematic part too high, and at most that and about half of its ticks too low.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sprout_like.reports.interval import UNKNOWN, Figure

__all__ = ["COVERS", "SYSTEMATIC", "EnergyPart", "carbon_total", "energy_total"]

COVERS: Final = (
    "Intervals of energy hold the meter's systematic error, added up over all rows, and the counter's tick at the ends "
    "of every request, of which the random part is taken at 95 %. Intervals of CO2e hold the same error of the energy. "
    "CO2e that rests in any part on an intensity that is no published actual has none, as no source says how far off "
    "such an intensity is. The error of published actuals, of PUE and of embodied emissions is unknown and in no "
    "interval."
)
"""For people: what the intervals of this module are worth."""

_Z_95: Final = 1.959964
"""Two-sided 95 % of the normal distribution."""

SYSTEMATIC: Final[Mapping[tuple[str, str], float]] = {("nvml", "measured"): 0.05}
"""Relative error of all devices that a meter gives such rows for. Elsewhere it differs by device (a MIG instance, a
shared GPU), and the row does not tell which it was: all of its half-width is then taken to be systematic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyPart:
    """Sums over rows of one meter and method, as `facts` has them.

    Attributes:
        meter, method: as in the rows.
        energy_j: Σ energy; None where no row knows it. energy_known_n: rows that do.
        uncertainty_j: Σ half-widths; None where no row knows its own. uncertainty_squares: Σ of their squares;
            None where it was not added up: the whole half-width is then taken to be systematic.
        uncertainty_known_n: rows that know their half-width; the others are taken to be like them.
    """

    meter: str
    method: str
    energy_j: float | None
    energy_known_n: int
    uncertainty_j: float | None
    uncertainty_squares: float | None
    uncertainty_known_n: int


@dataclass(frozen=True, slots=True)
class _Errors:
    """Of one part, in J: systematic; what ticks lack on average at most; their 95 % of chance, down and up."""

    systematic_j: float
    lacking_j: float = 0.0
    down_j: float = 0.0
    up_j: float = 0.0


def energy_total(parts: Iterable[EnergyPart]) -> Figure:
    """The energy of all parts together, in J.

    Its value is None where no row knows its energy; it has no interval where in some part no row knows how far off it
    is.
    """
    known = [(part, part.energy_j) for part in parts if part.energy_j is not None]
    if not known:
        return UNKNOWN
    total_j = math.fsum(energy_j for _, energy_j in known)
    errors = [_errors(part, energy_j) for part, energy_j in known]
    told = [error for error in errors if error is not None]
    if len(told) < len(errors):
        return Figure(total_j)
    systematic_j = math.fsum(error.systematic_j for error in told)
    lacking_j = math.fsum(error.lacking_j for error in told)
    low_j = total_j - systematic_j - math.hypot(*(error.down_j for error in told))
    high_j = total_j + systematic_j + lacking_j + math.hypot(*(error.up_j for error in told))
    return Figure(total_j, max(0.0, low_j), high_j)


def carbon_total(operational_g: float | None, energy: Figure, *, provisional: bool) -> Figure:
    """Operational g CO2e, as uncertain as the energy they were computed from.

    Args:
        operational_g: the sum; None where unknown.
        energy: of the same rows, in J.
        provisional: some of the grams rest on no published actual. Nobody says how far off those intensities are, and
            they are off together, so that there is no interval: that of the energy alone would look like all of it.
    """
    if operational_g is None:
        return UNKNOWN
    if provisional or energy.value is None or energy.low is None or energy.high is None or not energy.value > 0:
        return Figure(operational_g)
    return Figure(operational_g, operational_g * energy.low / energy.value, operational_g * energy.high / energy.value)


def _errors(part: EnergyPart, energy_j: float) -> _Errors | None:
    """None where no row of the part knows its half-width."""
    if part.uncertainty_j is None or not part.uncertainty_known_n:
        # Without a meter nothing is known, except that answers given again from the cache took nothing.
        return _Errors(0.0) if part.method == "none" and not energy_j else None
    scale = max(1.0, part.energy_known_n / part.uncertainty_known_n)
    half_widths_j = part.uncertainty_j * scale
    relative = SYSTEMATIC.get((part.meter, part.method))
    if relative is None or part.uncertainty_squares is None:
        return _Errors(half_widths_j)
    systematic_j = min(relative * energy_j, half_widths_j)
    ticks_j = half_widths_j - systematic_j
    # Rows of earlier releases, and of devices whose highest power was not seen yet, take a tick at the power that their
    # own reading shows, which lacks that half tick as well: of windows of k ticks the mean lack is k/(2k - 1) of what
    # such rows say. Where k is small that is all of it.
    lacking_j = ticks_j * (energy_j / (2 * energy_j - ticks_j) if ticks_j < energy_j else 1.0)
    # The squares are of whole half-widths, which are above those of their ticks: wider than need be, if anything.
    chance_j = _Z_95 * math.sqrt(min(part.uncertainty_squares * scale, ticks_j**2) / 6)
    return _Errors(systematic_j, lacking_j, chance_j, min(chance_j, ticks_j - lacking_j))
