"""Which devices a model's requests are charged for."""

from __future__ import annotations

from collections.abc import Collection

from sprout_like.meters.meter import Device

__all__ = ["bare_uuid", "charged_devices"]


def bare_uuid(gpu_id: str) -> str:
    """A GPU's UUID without NVML's prefix and in lower case: torch gives it bare, NVML as `GPU-…` or `MIG-…`."""
    return gpu_id.strip().lower().removeprefix("gpu-").removeprefix("mig-")


def charged_devices(devices: Collection[Device], model_devices: Collection[str]) -> tuple[str, ...] | None:
    """Ids of the devices to charge: the GPUs the model sits on, and always the CPU and the memory that drive them.

    GPUs are told apart by UUID; their indices differ between CUDA and NVML as soon as `CUDA_VISIBLE_DEVICES` is set.

    Args:
        devices: what the meter reads.
        model_devices: where the model sits: `cpu` or GPU UUIDs.

    Returns:
        None where the meter cannot read one of the devices the model sits on: a sum of the rest would look whole.
    """
    by_uuid = {bare_uuid(d.id): d.id for d in devices if d.component == "gpu"}
    host = [d.id for d in devices if d.component != "gpu"]
    has_cpu = any(d.component == "cpu" for d in devices)
    gpus = []
    for model_device in model_devices:
        if model_device == "cpu":
            if not has_cpu:
                return None
            continue
        gpu = by_uuid.get(bare_uuid(model_device))
        if gpu is None:
            return None
        gpus.append(gpu)
    return (*gpus, *host) if model_devices else None
