"""A metering window: the span of one request, and the energy it was charged."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Final

from sprout_like.meters.device_account import DeviceAccount, Stake
from sprout_like.meters.meter import METHODS, UNKNOWN, Component, Energy

__all__ = ["Window", "energy_of"]


class Window:
    """Opened by `Accounts`; must be closed, on whatever thread, or it goes on drawing its share.

    Attributes:
        owner: whose request it is.
        stakes: its part in the account of each device charged.
        to_overhead: it is nobody's request.
        requests_n: how many requests' rows will share its energy.
        pauses: how many pauses it is in now. paused_at_s: when the outermost began, in monotonic s.
        paused_s: time spent in pauses that have ended, in s.
        dropped: no row will tell of it.
        energy: what it was charged; None until it is closed.
    """

    def __init__(
        self,
        *,
        owner: Hashable,
        stakes: Mapping[str, Stake],
        to_overhead: bool,
        requests_n: int = 1,
        set_paused: Callable[[Window, bool], None],
        settle: Callable[[Window], Energy],
    ) -> None:
        self.owner: Final = owner
        self.stakes: Final = stakes
        self.to_overhead: Final = to_overhead
        self.requests_n: Final = requests_n
        self.pauses = 0
        self.paused_at_s: float | None = None
        self.paused_s = 0.0
        self.dropped = False
        self.energy: Energy | None = None
        self._set_paused = set_paused
        self._settle = settle

    def pause(self) -> None:
        """From here on the energy is overhead (compilation); pairs with `resume` may be nested."""
        self._set_paused(self, True)

    def resume(self) -> None:
        """From here on the energy is the request's again."""
        self._set_paused(self, False)

    def drop(self) -> None:
        """Make its energy overhead when it closes: call where no row will tell of it."""
        self.dropped = True

    def close(self) -> Energy:
        """End the window and tell its energy; safe to call twice. Never raises for a meter's fault."""
        return self._settle(self)


def energy_of(window: Window, accounts: Mapping[str, DeviceAccount], account_id: str) -> Energy:
    """What a window was charged; `UNKNOWN` where it has no devices or a reading of one of them failed."""
    stakes = window.stakes
    if not stakes or any(stake.void for stake in stakes.values()):
        return UNKNOWN
    by_component: dict[Component, float] = {}
    method, uncertainty_j = METHODS[0], 0.0
    known = True
    for device_id, stake in stakes.items():
        account = accounts[device_id]
        component = account.device.component
        by_component[component] = by_component.get(component, 0.0) + stake.energy_j
        shared = METHODS[2] if stake.estimated else METHODS[1] if stake.shared else METHODS[0]
        method = max(method, account.device.method, shared, key=METHODS.index)
        half_width_j = account.uncertainty_j(stake)
        known = known and half_width_j is not None
        uncertainty_j += half_width_j or 0.0
    return Energy(
        energy_j=sum(by_component.values()),
        gpu_j=by_component.get("gpu"),
        cpu_j=by_component.get("cpu"),
        dram_j=by_component.get("dram"),
        by_device_j={device_id: stake.energy_j for device_id, stake in stakes.items()},
        method=method,
        uncertainty_j=uncertainty_j if known else None,
        account_id=account_id,
    )
