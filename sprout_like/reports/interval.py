"""A figure with the interval in which its true value should lie."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["UNKNOWN", "Figure"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure; its unit is in the name of the field that holds it.

    Attributes:
        value: None where unknown.
        low, high: the interval; both None where there is none, as where nobody knows how far off the meter is.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def half_width(self) -> float | None:
        """Half of the interval; None where there is none."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    def times(self, factor: float | None) -> Figure:
        """The figure in another unit, or per something; unknown where `factor` is. The factor is not negative."""
        if factor is None or self.value is None:
            return UNKNOWN
        low = None if self.low is None else self.low * factor
        high = None if self.high is None else self.high * factor
        return Figure(self.value * factor, low, high)


UNKNOWN = Figure(None)
