"""The meter for those who do not want one: no devices, so that every energy is unknown."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sprout_like.meters.meter import Device, require_known

__all__ = ["NoMeter"]


class NoMeter:
    """Reads nothing."""

    name = "none"
    devices: tuple[Device, ...] = ()

    def read_j(self, device_ids: Collection[str]) -> Mapping[str, float]:
        """Nothing.

        Raises:
            MeterError: a device is asked for; there are none.
        """
        require_known(device_ids, (), self.name)
        return {}

    def close(self) -> None:
        """Nothing to release."""
