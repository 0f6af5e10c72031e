"""The forecast to go by: the source's own, else one made from its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from grid.errors import BadData, NoData, SourceDown, SourceError
from grid.intensity import Series
from grid.live.asking import ask_series, contained, joined
from grid.live.fallback import FallbackSource
from grid.live.merging import of_one_source
from grid.live.past import Past
from grid.source import Source

__all__ = ["FITTED_ON", "Foresight", "foresee"]

# Four weeks hold each hour of the week four times; what was longer ago was another season.
FITTED_ON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Foresight:
    """A forecast and where it is from.

    Attributes:
        series: one source's, or ours; as far ahead as whoever made it gave.
        why_ours: why it is not the source's own; None where it is.
        missed: why the source's own could not be had, where that may pass; None otherwise.
    """

    series: Series
    why_ours: str | None = None
    missed: SourceError | None = None


def foresee(source: Source, zone: str, past: Past, *, now_utc: datetime, end_utc: datetime, held: bool) -> Foresight:
    """The source's own forecast from now to `end_utc`; ours where it has none, or the plan does not include it.

    A forecast that is one `static` figure throughout, or that ends with the slot that holds now, says nothing that
    could be planned by: ours goes before it where the history holds more than that. A source that is down is not asked
    for its history too: it would only be waited for again, and ours is made from what is known.

    Args:
        source: whom to ask.
        zone: canonical zone name.
        past: the source's readings, to make ours from.
        now_utc: now.
        end_utc: how far to look ahead.
        held: whether an earlier forecast can still be used, so that a passing fault is no reason to make ours.

    Raises:
        SourceError: neither can be had.
    """
    own: Series | None = None
    missed: SourceError | None = None
    try:
        own = ask_series(source, "forecast", zone, now_utc, end_utc)
    except SourceError as exc:
        if held and isinstance(exc, SourceDown | BadData):
            raise
        missed = exc
    if own is not None and any(reading.status != "static" and reading.start_utc > now_utc for reading in own):
        return Foresight(own)
    # Of a chain another member may have a history, though no forecast.
    ask = not isinstance(missed, SourceDown) or isinstance(source, FallbackSource)
    try:
        ours = _ours(source.name, past, now_utc, end_utc, ask=ask)
    except SourceError as exc:
        if own is not None:
            return Foresight(own)
        if missed is not None and not ask:
            raise missed from None
        raise joined([error for error in (missed, exc) if error is not None]) from exc
    why = str(missed) if missed is not None else f"{source.name}: its forecast says nothing of what lies ahead"
    return Foresight(ours, why, missed if isinstance(missed, SourceDown | BadData) else None)


def _ours(name: str, past: Past, now_utc: datetime, end_utc: datetime, *, ask: bool) -> Series:
    readings, problem = past.recall(now_utc - FITTED_ON, now_utc, now_utc, ask=ask)
    # Where several answered, only one of them: their levels differ.
    history = Series(r for r in of_one_source(readings) if r.status != "static")
    if not len(history):
        raise problem or NoData(f"{name}: no history to make a forecast from")

    from grid.forecasting import forecast_from  # loads numpy

    try:
        return contained(name, lambda: forecast_from(history, start_utc=now_utc, end_utc=end_utc, issued_utc=now_utc))
    except NoData as exc:
        raise joined([error for error in (exc, problem) if error is not None]) from exc
