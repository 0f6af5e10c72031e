"""The forecast itself: three Gaussian processes and four medians of the same hour, weighted by their past errors.

The model in full. Figures are logarithms, with one spread for each hour of the day (`scale`), after jumps of level
were taken out (`levels`). On them stand three Gaussian processes of fixed covariance (`process`) and four simple
forecasts: the same hour of the last day, of the last week, and its median over 7 days and 4 weeks (`same_hours`). Each
is back-tested at seven leads from every hour after the first third of the history. At a lead, its weight goes with its
mean absolute error there to a negative power; between leads, weights are on straight lines in the logarithm of the
lead. The interval is the processes' own deviation, scaled so that it would have held 80 % of the weighted forecast's
past errors. Nothing is fitted across zones.
"""

from __future__ import annotations

import numpy as np

from grid.forecasting.hours import Floats
from grid.forecasting.process import Covariance, Process, Ticks
from grid.forecasting.same_hours import SameHours, by_hour

__all__ = ["mixed"]

# Round figures, none of them a zone's own. The first is what most grids do; the second knows the hour of the week
# better than the weather; the third drifts, and does not trust its newest figures alone.
_COVARIANCES = (
    Covariance(weather=2.0, weather_h=100.0),
    Covariance(weather=0.3, weather_h=30.0, swing=0.1, daily=0.5, weekly=2.0, weekly_sharpness=0.3, weekly_h=5000.0),
    Covariance(weather=2.0, weather_h=400.0, swing=0.05, weekly=0.2, noise=0.1),
)
_SAME_HOURS = (SameHours(24, 1), SameHours(168, 1), SameHours(24, 7), SameHours(168, 4))

# Weights before any error is known: a process counts like three of the simple ones.
_AT_FIRST = np.array([3.0, 3.0, 3.0, 1.0, 1.0, 1.0, 1.0])

# Weights go with the past error to the power of minus this, less where there are few errors to tell by.
_TRUST, _FEW_ERRORS = 12.0, 4.0

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
    processes = [
        Process.given(covariance, ticks, values, noise, tick_h=tick_h, until=int(wanted[-1]))
        for covariance in _COVARIANCES
    ]
    first = max(_LEAST_PAST_H, len(values) // 3)
    leads = [lead for lead in _LEADS_H if first + lead < len(values)]
    pasts = [process.past(leads, first) for process in processes]
    hours = np.floor(ticks * tick_h).astype(np.int64)
    hours -= hours[0]
    # Of two figures in one hour, the first is the hour's and the second the newest slot's.
    known_hours, of_hour = np.unique(hours, return_index=True)
    figures = by_hour(known_hours, values[of_hour])
    weights, widths = [], []
    for index, lead in enumerate(leads):
        later = hours[first + lead :]
        missed = np.array(
            [past[index][0] for past in pasts]
            + [values[first + lead :] - simple.at(figures, later, lead) for simple in _SAME_HOURS]
        )
        claimed = np.array([past[index][1] for past in pasts])
        # The errors of neighbouring hours are one error, as far as the lead reaches.
        errors = missed.shape[1] / lead
        mean_error = np.maximum(np.abs(missed).mean(axis=1), 1e-9)
        weight = _AT_FIRST * (mean_error / mean_error.min()) ** (-_TRUST * errors / (errors + _FEW_ERRORS))
        weight /= weight.sum()
        weights.append(weight)
        held = np.quantile(np.abs(weight @ missed) / _of_processes(weight, claimed), _HELD)
        widths.append((errors * held + _WIDTH_AT_FIRST) / (errors + 1))
    lead_h = np.log(np.maximum(wanted * tick_h + 0.5, 1.0))
    steps = np.log(leads)
    weight_at = np.array([np.interp(lead_h, steps, column) for column in np.transpose(weights)])
    known = [process.at(wanted) for process in processes]
    ahead_h = np.floor(wanted * tick_h).astype(np.int64)
    ahead = np.array(
        [mean for mean, _ in known]
        + [simple.at(figures, len(figures) + ahead_h, ahead_h + 1) for simple in _SAME_HOURS]
    )
    mean = np.einsum("ij,ij->j", weight_at, ahead)
    deviation = _of_processes(weight_at, np.array([deviation for _, deviation in known]))
    return mean, deviation, np.interp(lead_h, steps, widths)


def _of_processes(weights: Floats, deviations: Floats) -> Floats:
    """Mean of the processes' deviations by their share of the weights; the simple forecasts claim none."""
    weights = weights[: len(deviations)] / weights[: len(deviations)].sum(axis=0)
    return np.asarray((weights.T * deviations.T).sum(axis=-1), dtype=np.float64)
