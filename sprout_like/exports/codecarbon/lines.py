"""A request, or the requests of a session or a day, as a line of CodeCarbon's file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final, NamedTuple

from sprout_like.carbon import energy_kwh
from sprout_like.exports.codecarbon.countries import three_letters

__all__ = ["COLUMNS", "Part", "line"]

COLUMNS: Final = (
    "timestamp",
    "project_name",
    "run_id",
    "experiment_id",
    "duration",
    "emissions",
    "emissions_rate",
    "cpu_power",
    "gpu_power",
    "ram_power",
    "cpu_energy",
    "gpu_energy",
    "ram_energy",
    "energy_consumed",
    "water_consumed",
    "country_name",
    "country_iso_code",
    "region",
    "cloud_provider",
    "cloud_region",
    "os",
    "python_version",
    "codecarbon_version",
    "cpu_count",
    "cpu_model",
    "gpu_count",
    "gpu_model",
    "longitude",
    "latitude",
    "ram_total_size",
    "tracking_mode",
    "cpu_utilization_percent",
    "gpu_utilization_percent",
    "ram_utilization_percent",
    "ram_used_gb",
    "on_cloud",
    "pue",
    "wue",
)
"""CodeCarbon 3.3's, in its order: emissions in kg, energy in kWh, power in W, times in s."""

_G_PER_KG: Final = 1000.0


class Part(NamedTuple):
    """Requests that share their place, kind and factors, so that their grams may be added up.

    Attributes:
        run: what they are: a request's id, a session's or a day.
        ended_utc: the last one's end; of several, the last one's start.
        duration_s: in requests, added up.
        zone: canonical zone name. kind, factors: of the emissions; None where these are unknown.
        pue: theirs; None where they differ.
        cpu_j, gpu_j, dram_j, energy_j: with the power usage effectiveness; None where unknown.
        operational_g: best known; None where unknown.
        alone: whether it is one request.
    """

    run: str
    ended_utc: datetime
    duration_s: float
    zone: str
    kind: str | None
    factors: str | None
    pue: float | None
    cpu_j: float | None
    gpu_j: float | None
    dram_j: float | None
    energy_j: float | None
    operational_g: float | None
    alone: bool


def line(part: Part, project: str) -> Mapping[str, Any]:
    """Values by column; None for what CodeCarbon knows and the ledger does not, which is never written as 0.

    `on_cloud` is N as CodeCarbon writes it wherever no cloud is named: carbonboard fails on an empty one.
    """
    emissions_kg = None if part.operational_g is None else part.operational_g / _G_PER_KG
    return dict.fromkeys(COLUMNS) | {
        "timestamp": part.ended_utc.strftime("%Y-%m-%dT%H:%M:%S"),
        "project_name": project,
        "run_id": part.run if part.alone else _group_id(part),
        "experiment_id": None if part.kind is None else f"{part.kind} {part.factors}",
        "duration": part.duration_s,
        "emissions": emissions_kg,
        "emissions_rate": _per_second(emissions_kg, part.duration_s),
        "cpu_power": _per_second(part.cpu_j, part.duration_s),
        "gpu_power": _per_second(part.gpu_j, part.duration_s),
        "ram_power": _per_second(part.dram_j, part.duration_s),
        "cpu_energy": energy_kwh(part.cpu_j),
        "gpu_energy": energy_kwh(part.gpu_j),
        "ram_energy": energy_kwh(part.dram_j),
        "energy_consumed": energy_kwh(part.energy_j),
        "country_iso_code": three_letters(part.zone),
        "region": part.zone,
        "codecarbon_version": f"sprout-like {version('sprout-like')}",
        "tracking_mode": "process",
        "on_cloud": "N",
        "pue": part.pue,
    }


def _group_id(part: Part) -> str:
    """Unique in a file, as CodeCarbon takes lines of one id for one run."""
    words = [part.run, part.zone, part.kind, part.factors]
    if part.operational_g is None:
        words.append("emissions unknown")
    if part.energy_j is None:
        words.append("energy unknown")
    return "/".join(word for word in words if word is not None)


def _per_second(amount: float | None, duration_s: float) -> float | None:
    return None if amount is None or duration_s <= 0 else amount / duration_s
