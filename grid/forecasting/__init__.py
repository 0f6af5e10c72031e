"""A forecast for a source that has none of its own, from its history."""

from grid.forecasting.forecast import forecast_from

__all__ = ["forecast_from"]
