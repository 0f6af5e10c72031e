"""NVIDIA GPUs by NVML, the only place that imports `pynvml`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sprout_like.errors import MeterError, MeterUnavailable
from sprout_like.meters.charge import bare_uuid
from sprout_like.meters.meter import Device, ProcessUse, require_known
from sprout_like.meters.nvml_survey import Gpu, survey
from sprout_like.meters.nvml_use import gpu_use, own_pid

__all__ = ["NvmlMeter"]

_FIX_DRIVER = (
    "Install the NVIDIA driver, or start the container with GPUs (`docker run --gpus all …`); `nvidia-smi` must work"
)


class NvmlMeter:
    """Reads the energy counter of each GPU, or integrates its power where it has no counter.

    See `nvml_survey.py` for what a GPU or a MIG instance is worth, and why.

    Args:
        uuids: GPUs and MIG instances to read, as `GPU-…`, `MIG-…` or bare UUIDs; None for all that NVML shows.
        nvml: the `pynvml` module or a stand-in. monotonic_s: a monotonic clock in s, for integrating power.
        unix_s: s since 1970, as the driver stamps its figures of processes.
        pid: this process' id as the driver sees it, None where it cannot be known; by default, looked up.

    Attributes:
        skipped: UUID to the reason, for each GPU that NVML shows and that cannot be read.

    Raises:
        MeterUnavailable: there is no driver, a GPU asked for is not there, or none can be read.
    """

    name = "nvml"

    def __init__(
        self,
        uuids: Collection[str] | None = None,
        *,
        nvml: Any = None,
        monotonic_s: Callable[[], float] = time.perf_counter,
        unix_s: Callable[[], float] = time.time,
        pid: Callable[[], int | None] = own_pid,
    ) -> None:
        self._nvml = nvml = nvml or _pynvml()
        self._unix_s = unix_s
        self._ids_are_ours = pid() is not None
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as exc:
            raise MeterUnavailable(f"NVML did not start ({exc})", _FIX_DRIVER) from exc
        self._open = True
        self._gpus: dict[str, Gpu] = {}
        try:
            found, self.skipped = survey(nvml, monotonic_s=monotonic_s)
            self._gpus = {gpu.device.id: gpu for gpu in _chosen(found, self.skipped, uuids)}
        except nvml.NVMLError as exc:
            raise MeterUnavailable(f"NVML does not list the GPUs ({exc})", _FIX_DRIVER) from exc
        finally:
            if not self._gpus:
                self.close()

    @property
    def devices(self) -> tuple[Device, ...]:
        """One per GPU or MIG instance, by UUID."""
        return tuple(gpu.device for gpu in self._gpus.values())

    def read_j(self, device_ids: Collection[str]) -> Mapping[str, float]:
        """J since the driver was loaded; where power is polled, since the first reading.

        Raises:
            MeterError: NVML gave an error, or a device is unknown.
        """
        require_known(device_ids, self._gpus, self.name)
        readings = {}
        for device_id in device_ids:
            gpu = self._gpus[device_id]
            try:
                readings[device_id] = gpu.share * gpu.counter.read_j()
            except self._nvml.NVMLError as exc:
                raise MeterError(f"NVML could not read the energy of {device_id}: {exc}. Check `nvidia-smi`") from exc
        return readings

    def process_use(self, device_id: str, span_s: float) -> ProcessUse:
        """Who used a GPU or MIG instance in the last `span_s` seconds; what the driver does not tell is None."""
        return gpu_use(
            self._nvml,
            self._gpus[device_id].handle,
            span_s=span_s,
            now_unix_s=self._unix_s(),
            ids_are_ours=self._ids_are_ours,
        )

    def close(self) -> None:
        """Stop polling and shut NVML down; safe to call twice."""
        for gpu in self._gpus.values():
            gpu.counter.close()
        if self._open:
            self._open = False
            self._nvml.nvmlShutdown()


def _pynvml() -> Any:
    import pynvml

    return pynvml


def _chosen(found: Collection[Gpu], skipped: Mapping[str, str], uuids: Collection[str] | None) -> list[Gpu]:
    if uuids is None:
        if not found:
            reasons = "; ".join(f"{uuid}: {reason}" for uuid, reason in skipped.items()) or "it lists none"
            raise MeterUnavailable(f"NVML shows no GPU that can be metered ({reasons})", "Set meter to cpu or rapl")
        return list(found)
    by_uuid = {bare_uuid(gpu.device.id): gpu for gpu in found}
    reason_of = {bare_uuid(uuid): reason for uuid, reason in skipped.items()}
    chosen = {}
    for uuid in uuids:
        bare = bare_uuid(uuid)
        if bare not in by_uuid:
            shown = ", ".join(gpu.device.id for gpu in found) or "none"
            reason = reason_of.get(bare, "NVML does not show it")
            raise MeterUnavailable(f"GPU {uuid} cannot be metered: {reason}", f"GPUs that can: {shown}")
        chosen[bare] = by_uuid[bare]
    return list(chosen.values())
