"""What is known of this moment and of what lies ahead, told from what is in memory: pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from grid.intensity import Intensity, Series
from grid.live.refreshing import Turn

__all__ = ["Look", "Outlook", "in_words", "look_at"]


@dataclass(frozen=True, slots=True)
class Look:
    """What is known about the intensity now.

    Attributes:
        intensity: the reading to go by, or the forecast of the slot that holds now where there is none recent enough;
            None where nothing is known.
        stale: True where `intensity` is held beyond the end of its span.
        reason: why there is no reading, why it is stale, why a forecast stands in for it, or why another source than
            the first gave it; None where none of these.
    """

    intensity: Intensity | None
    stale: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known about the intensity from now on.

    Attributes:
        series: the forecast, from the slot that holds now to as far as it reaches; None where nothing is known.
        reason: why there is none, why it is not the source's own, or why it could not be renewed; None where none of
            these.
    """

    series: Series | None
    reason: str | None


def look_at(reading: Intensity | None, turn: Turn, ahead: Series | None, *, now_utc: datetime, hold_s: float) -> Look:
    """The reading while its span lasts and `hold_s` beyond, then the forecast of the slot that holds now.

    Args:
        reading: the last one; None where there never was one.
        turn: how asking for it went.
        ahead: the forecast; None where there is none.
        now_utc: now.
        hold_s: for how long a reading is held beyond its span, in s.
    """
    if reading is None:
        missing = f"no reading yet: {turn.problem or 'the source has not been asked'}"
    elif reading.start_utc > now_utc:
        return Look(None, False, f"the reading begins {reading.start_utc}, after now: check this machine's clock")
    else:
        past_s = (now_utc - reading.end_utc).total_seconds()
        instead = f"{reading.source} answered, not {'; '.join(reading.passed_over)}" if reading.passed_over else None
        if past_s < 0 or (reading.status == "static" and past_s <= hold_s):
            return Look(reading, False, instead)
        why = turn.problem or instead or _why_no_newer(reading, turn)
        if past_s <= hold_s:
            return Look(reading, True, f"the reading ended {in_words(past_s)} ago: {why}")
        missing = f"no reading for {in_words(past_s)}: {why}"
    stand_in = ahead.at(now_utc) if ahead is not None else None
    return Look(stand_in, False, missing if stand_in is None else f"a forecast, as there is {missing}")


def _why_no_newer(reading: Intensity, turn: Turn) -> str:
    if turn.asked_utc is None or turn.asked_utc < reading.end_utc:
        return "not refreshed since"
    return f"the newest that {reading.source} has"


def in_words(seconds: float) -> str:
    """A length of time, to the minute."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
