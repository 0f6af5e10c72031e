"""Several processes, weighted at each lead by how well they would have forecast the history itself."""

from __future__ import annotations

import numpy as np

from grid.forecasting.hours import Floats
from grid.forecasting.process import Covariance, Process, Ticks

__all__ = ["mixed"]

# Round figures, none of them a zone's own. The first is what most grids do; the second knows the hour and the weekday
# better than the weather; the third drifts, and does not trust its newest figures alone.
_COVARIANCES = (
    Covariance(weather=2.0, weather_h=100.0),
    Covariance(weather=0.3, weather_h=30.0, swing=0.1, daily=1.5, weekly=1.0, weekly_h=3000.0),
    Covariance(weather=2.0, weather_h=400.0, swing=0.05, weekly=0.2, noise=0.1),
)
_AT_FIRST = (0.6, 0.2, 0.2)

# Weights go with the past error to the power of minus this, less where there are few errors to tell by.
_TRUST, _FEW_ERRORS = 8.0, 4.0

# Errors are measured at these leads in h, from origins after a third of the history on.
_LEADS_H = (1, 3, 6, 12, 24, 48, 96)
_LEAST_PAST_H = 24
# More than 0.8 of the past: scale and width come from the history itself, and the days ahead are never quite like it.
_HELD = 0.84
# Counts like one error of the past. A normal distribution has 1.28; the covariances claim more variance at long leads
# than a history of spread 1 can have.
_WIDTH_AT_FIRST = 0.9


def mixed(
    ticks: Ticks, values: Floats, noise: Floats, *, wanted: Ticks, tick_h: float
) -> tuple[Floats, Floats, Floats]:
    """Forecast at the wanted ticks.

    Args:
        ticks: when each known figure was, ascending, below 0; an hour apart but for gaps.
        values: the figures, about 0 and of spread 1.
        noise: variance of each figure.
        wanted: ticks of 0 or later, ascending.
        tick_h: length of a tick in h.

    Returns:
        Mean, standard deviation, and how many of these deviations hold 80 % on either side.
    """
    lags = np.abs(ticks[:, None] - ticks[None, :])
    processes = [
        Process.given(covariance, ticks, lags, values, noise, tick_h=tick_h, until=int(wanted[-1]))
        for covariance in _COVARIANCES
    ]
    first = max(_LEAST_PAST_H, len(values) // 3)
    leads = [lead for lead in _LEADS_H if first + lead < len(values)]
    pasts = [process.past(leads, first) for process in processes]
    weights, widths = [], []
    for index, lead in enumerate(leads):
        missed = np.array([past[index][0] for past in pasts])
        claimed = np.array([past[index][1] for past in pasts])
        # The errors of neighbouring hours are one error, as far as the lead reaches.
        errors = missed.shape[1] / lead
        mean_error = np.maximum(np.abs(missed).mean(axis=1), 1e-9)
        weight = _AT_FIRST * (mean_error / mean_error.min()) ** (-_TRUST * errors / (errors + _FEW_ERRORS))
        weight /= weight.sum()
        weights.append(weight)
        held = np.quantile(np.abs(weight @ missed) / (weight @ claimed), _HELD)
        widths.append((errors * held + _WIDTH_AT_FIRST) / (errors + 1))
    lead_h = np.log(np.maximum(wanted * tick_h + 0.5, 1.0))
    steps = np.log(leads)
    weight_at = np.array([np.interp(lead_h, steps, column) for column in np.transpose(weights)])
    ahead = [process.at(wanted) for process in processes]
    mean = np.sum([weight * mean for weight, (mean, _) in zip(weight_at, ahead, strict=True)], axis=0)
    deviation = np.sum([weight * each for weight, (_, each) in zip(weight_at, ahead, strict=True)], axis=0)
    return mean, deviation, np.interp(lead_h, steps, widths)
