"""What a meter's device counts: the machine, whoever runs on it, or this process alone."""

from __future__ import annotations

from collections.abc import Collection

from sprout_like.meters import Device

__all__ = ["counts_the_machine", "whole_machine"]


def counts_the_machine(device: Device) -> bool:
    """Whether what other processes draw is in its reading too; a power model of the CPU sees this process alone."""
    return device.component == "gpu" or device.method != "estimated"


def whole_machine(devices: Collection[Device]) -> tuple[str, ...]:
    """What of the machine a meter counts, whoever runs on it: `cpu`, and the ids of GPUs; empty where nothing.

    Where the GPUs are counted and the CPU is not, the GPUs alone stand here: what a window over them adds for the CPU
    is this process' own, and its method `estimated`.
    """
    counted = [device for device in devices if counts_the_machine(device)]
    cpu = ("cpu",) if any(device.component == "cpu" for device in counted) else ()
    return (*cpu, *(device.id for device in counted if device.component == "gpu"))
