"""An outlook as sums from now on, so that what a stretch emits is a difference of two numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grid.intensity import Series

__all__ = ["Floats", "Outlook"]

Floats = NDArray[np.float64]

_FOREVER_S = 1e11


@dataclass(frozen=True, slots=True)
class Outlook:
    """Intensity as a step function of the time since now, in s; what is unknown counts as the mean of what is known.

    Attributes:
        blind: whether nothing at all is known, so that there is nothing to wait for.
        edges_s: where the intensity may change.
    """

    blind: bool
    edges_s: Floats
    _sums: Floats
    _unknown_s: Floats

    @classmethod
    def of(cls, outlook: Series | tuple[tuple[datetime, datetime, float], ...], now_utc: datetime) -> Outlook:
        """An outlook from now on; the mean is that of the readings ahead, or of all where none lies ahead."""
        readings = (
            [(each.start_utc, each.end_utc, each.g_per_kwh) for each in outlook]
            if isinstance(outlook, Series)
            else sorted(outlook)
        )
        steps = [((a - now_utc).total_seconds(), (b - now_utc).total_seconds(), g) for a, b, g in readings]
        ahead = [(max(a, 0.0), b, g) for a, b, g in steps if b > 0]
        known = ahead or steps
        seconds = sum(b - a for a, b, _ in known)
        mean = sum((b - a) * g for a, b, g in known) / seconds if seconds > 0 else 1.0
        edges, values, unknown = [0.0], [], []
        for start, end, value in [*ahead, (_FOREVER_S, _FOREVER_S, mean)]:
            if start > edges[-1]:
                edges.append(start)
                values.append(mean)
                unknown.append(start - edges[-2])
            if end > edges[-1]:
                edges.append(end)
                values.append(value)
                unknown.append(0.0)
        lengths = np.diff(edges)
        return cls(
            seconds <= 0,
            np.array(edges),
            np.concatenate(([0.0], np.cumsum(lengths * values))),
            np.concatenate(([0.0], np.cumsum(unknown))),
        )

    def integral(self, start_s: Any, end_s: Any) -> Any:
        """Integral of the intensity over [start_s, end_s), in s·g/kWh."""
        return np.interp(end_s, self.edges_s, self._sums) - np.interp(start_s, self.edges_s, self._sums)

    def knows(self, start_s: float, end_s: float) -> bool:
        """Whether all of [start_s, end_s) is known."""
        missing = np.interp(end_s, self.edges_s, self._unknown_s) - np.interp(start_s, self.edges_s, self._unknown_s)
        return bool(missing < 1e-3)
