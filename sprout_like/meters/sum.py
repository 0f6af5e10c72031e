"""Several meters as one, e.g. GPU by NVML and CPU by RAPL."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sprout_like.errors import MeterError
from sprout_like.meters.meter import Device, Meter, ProcessUse, TellsUse, require_known

__all__ = ["SumMeter"]


class SumMeter:
    """Reads each device from the meter that has it; owns its parts and closes them.

    Raises:
        MeterError: two of the meters have the same device, whose energy would be counted twice.
    """

    def __init__(self, *meters: Meter) -> None:
        self._meters = meters
        self._meter_of: dict[str, Meter] = {}
        for meter in meters:
            for device in meter.devices:
                if device.id in self._meter_of:
                    first = self._meter_of[device.id].name
                    raise MeterError(f"meters {first} and {meter.name} both read {device.id}; name only one of them")
                self._meter_of[device.id] = meter

    @property
    def name(self) -> str:
        """The parts' names, joined by `+`."""
        return "+".join(meter.name for meter in self._meters)

    @property
    def devices(self) -> tuple[Device, ...]:
        """All parts' devices."""
        return tuple(device for meter in self._meters for device in meter.devices)

    def read_j(self, device_ids: Collection[str]) -> Mapping[str, float]:
        """All devices asked for, or an error: a sum with a part missing would look whole.

        Raises:
            MeterError: a part's reading failed, or a device is unknown.
        """
        require_known(device_ids, self._meter_of, self.name)
        readings: dict[str, float] = {}
        for meter in self._meters:
            own = [device_id for device_id in device_ids if self._meter_of[device_id] is meter]
            if own:
                readings.update(meter.read_j(own))
        return readings

    def process_use(self, device_id: str, span_s: float) -> ProcessUse:
        """What the part that has the device tells, if it tells."""
        meter = self._meter_of[device_id]
        return meter.process_use(device_id, span_s) if isinstance(meter, TellsUse) else ProcessUse()

    def close(self) -> None:
        """Close every part."""
        for meter in self._meters:
            meter.close()
