"""From a name to a meter: what was asked for, or the best that this machine has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sprout_like.errors import MeterError, MeterUnavailable, SettingError
from sprout_like.meters.cpu_model import DRAM_WATTS_PER_GIB, WATTS_PER_BUSY_CORE, CpuModelMeter
from sprout_like.meters.meter import Component, Meter
from sprout_like.meters.none import NoMeter
from sprout_like.meters.nvml import NvmlMeter
from sprout_like.meters.rapl import POWERCAP, RaplMeter
from sprout_like.meters.sum import SumMeter

__all__ = ["Attempt", "MeterChoice", "MeterOptions", "auto_meter", "open_meter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterOptions:
    """What the meters are built with.

    Attributes:
        watts_per_busy_core, dram_watts_per_gib: the CPU estimate's power model.
        rapl_root: where the kernel's powercap tree is. nvml: a stand-in for `pynvml`; None for the real one.
    """

    watts_per_busy_core: float = WATTS_PER_BUSY_CORE
    dram_watts_per_gib: float = DRAM_WATTS_PER_GIB
    rapl_root: Path = POWERCAP
    nvml: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One meter that `auto` considered.

    Attributes:
        name: the meter. problem: why it is not used; None where it is. fix: what to do about it.
    """

    name: str
    problem: str | None = None
    fix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterChoice:
    """What `auto` chose and what it considered, in the order of preference, for `sprout-like doctor`."""

    meter: Meter
    attempts: tuple[Attempt, ...]


_BUILDERS: Final[Mapping[str, Callable[[MeterOptions], Meter]]] = {
    "nvml": lambda options: NvmlMeter(nvml=options.nvml),
    "rapl": lambda options: RaplMeter(options.rapl_root),
    "cpu": lambda options: CpuModelMeter(
        watts_per_busy_core=options.watts_per_busy_core, dram_watts_per_gib=options.dram_watts_per_gib
    ),
}

_DRAM_ALONE: Final[tuple[Component, ...]] = ("dram",)


def auto_meter(options: MeterOptions | None = None) -> MeterChoice:
    """GPUs by NVML where there are any; CPU and DRAM by RAPL, and by the power model what RAPL cannot tell."""
    options = options or MeterOptions()
    meters: list[Meter] = []
    attempts = []
    for name in ("nvml", "rapl"):
        try:
            meters.append(_BUILDERS[name](options))
            attempts.append(Attempt(name=name))
        except MeterUnavailable as exc:
            attempts.append(Attempt(name=name, problem=exc.problem, fix=exc.fix))
    components = {device.component for meter in meters for device in meter.devices}
    if "cpu" not in components:
        meters.append(_BUILDERS["cpu"](options))
        attempts.append(Attempt(name="cpu"))
    elif "dram" not in components:
        meters.append(CpuModelMeter(components=_DRAM_ALONE, dram_watts_per_gib=options.dram_watts_per_gib))
        attempts.append(Attempt(name="dram"))
    return MeterChoice(meter=meters[0] if len(meters) == 1 else SumMeter(*meters), attempts=tuple(attempts))


def open_meter(spec: str | Meter, options: MeterOptions | None = None) -> Meter:
    """The meter a setting names.

    Args:
        spec: `auto`, `nvml`, `rapl`, `cpu`, `none`, a sum such as `nvml+cpu`, or a meter, which is returned as it is.
        options: what the meters are built with.

    Raises:
        SettingError: there is no such meter, the sum counts something twice, or it cannot be set up on this machine.
    """
    options = options or MeterOptions()
    if not isinstance(spec, str):
        if isinstance(spec, Meter):
            return spec
        raise SettingError(
            "meter", f"{type(spec).__name__} is not a meter", "Give a name or a sprout_like.meters.Meter"
        )
    if spec == "none":
        return NoMeter()
    if spec == "auto":
        return auto_meter(options).meter
    names = [name.strip() for name in spec.split("+")]
    unknown = [name for name in names if name not in _BUILDERS]
    if unknown:
        raise SettingError(
            "meter", f"{spec!r} names no meter", "Use auto, none, or one of nvml, rapl and cpu, or a sum as in nvml+cpu"
        )
    if {"rapl", "cpu"} <= set(names):
        raise SettingError("meter", f"{spec!r} counts the CPU twice", "Leave out rapl or cpu")
    with ExitStack() as opened:
        try:
            meters = []
            for name in names:
                meters.append(_BUILDERS[name](options))
                opened.callback(meters[-1].close)
            meter = meters[0] if len(meters) == 1 else SumMeter(*meters)
        except MeterUnavailable as exc:
            raise SettingError("meter", f"{spec!r} cannot be used here: {exc.problem}", exc.fix) from exc
        except MeterError as exc:
            raise SettingError("meter", f"{spec!r} cannot be summed", str(exc)) from exc
        opened.pop_all()
    return meter
