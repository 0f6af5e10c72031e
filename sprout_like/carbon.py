"""The only arithmetic from joules to kilowatt-hours to grams.

    operational_g = energy_j / 3.6e6 × PUE × intensity
    embodied_g    = embodied_total_g / lifetime_s × duration_s × share of the device

The two parts are the O = E·I and M of the Software Carbon Intensity specification (GSF SCI 1.1, ISO/IEC 21031:2024)
for R = one request; they are stored apart and never merged where one of them is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["JOULES_PER_KWH", "SECONDS_PER_YEAR", "Embodied", "embodied_g", "energy_kwh", "operational_g"]

JOULES_PER_KWH = 3.6e6
SECONDS_PER_YEAR = 365 * 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Embodied:
    """Emissions of making the hardware, spread over its life.

    Attributes:
        total_g: g CO2e of making the devices that serve the requests.
        lifetime_s: service life in s.
        share: share of those devices that serves these requests, in (0, 1].
    """

    total_g: float
    lifetime_s: float
    share: float = 1.0


def energy_kwh(energy_j: float | None) -> float | None:
    """J to kWh; None stays None."""
    return None if energy_j is None else energy_j / JOULES_PER_KWH


def operational_g(energy_j: float | None, intensity_g_per_kwh: float | None, pue: float) -> float | None:
    """Emissions of running: g CO2e, None where the energy or the intensity is unknown.

    Args:
        energy_j: energy at the IT equipment, in J.
        intensity_g_per_kwh: grid intensity, in g CO2e/kWh.
        pue: power usage effectiveness of the site, facility energy over IT energy, >= 1.
    """
    if energy_j is None or intensity_g_per_kwh is None:
        return None
    return energy_j / JOULES_PER_KWH * pue * intensity_g_per_kwh


def embodied_g(embodied: Embodied | None, duration_s: float | None) -> float | None:
    """A request's share of the emissions of making the hardware: g CO2e, None where either is unknown."""
    if embodied is None or duration_s is None:
        return None
    return embodied.total_g / embodied.lifetime_s * duration_s * embodied.share
