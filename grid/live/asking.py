"""Asking a source, so that whatever it does comes back as a usable answer or an error of ours."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

from grid.errors import (
    BadData,
    GridError,
    NoData,
    SourceDown,
    SourceError,
    SourceRefused,
    SourceSpecError,
    ZoneError,
)
from grid.intensity import Intensity, Series
from grid.source import Source

__all__ = [
    "ask_latest",
    "ask_series",
    "check_covers",
    "close_quietly",
    "contained",
    "fault",
    "joined",
    "type_and_place",
]

logger = logging.getLogger("grid")

T = TypeVar("T")


def ask_latest(source: Source, zone: str, now_utc: datetime) -> Intensity:
    """The source's latest reading, for that zone and no later than now.

    Raises:
        SourceError: there is none, whatever the source did instead of giving one.
    """
    reading = contained(source.name, lambda: source.latest(zone, now_utc))
    if not isinstance(reading, Intensity):
        raise BadData(f"{source.name}: latest returned {type(reading).__name__}, not an Intensity")
    _check_zone(source, zone, reading)
    if reading.start_utc > now_utc:
        raise BadData(f"{source.name}: the reading begins {reading.start_utc}, in the future; check the clock")
    return reading


def ask_series(
    source: Source, capability: Literal["forecast", "history"], zone: str, start_utc: datetime, end_utc: datetime
) -> Series:
    """The source's forecast or history that touches [start_utc, end_utc), for that zone; one reading or more.

    Raises:
        SourceError: there is none, whatever the source did instead of giving one.
    """
    if capability not in source.can:
        raise SourceError(f"{source.name}: it has no {capability}")
    ask = source.forecast if capability == "forecast" else source.history
    series = contained(source.name, lambda: ask(zone, start_utc, end_utc))
    if not isinstance(series, Series):
        raise BadData(f"{source.name}: {capability} returned {type(series).__name__}, not a Series")
    if not len(series):
        raise NoData(f"{source.name}: its {capability} from {start_utc} to {end_utc} is empty")
    _check_zone(source, zone, series[0])
    return series


def check_covers(source: Source, zone: str) -> None:
    """`source.check_zone(zone)`.

    Raises:
        ZoneError: the source does not cover the zone.
        SourceSpecError: it raised what is no `GridError`.
    """
    try:
        source.check_zone(zone)
    except GridError:
        raise
    except (Exception, SystemExit) as exc:  # noqa: BLE001
        raise SourceSpecError(fault(source.name, exc)) from None


def close_quietly(source: Source) -> None:
    """Close it; what it raises is told in the log: its answers have been given."""
    try:
        source.close()
    except (Exception, SystemExit) as exc:  # noqa: BLE001
        logger.warning("it could not be closed: %s", fault(source.name, exc))


def contained(name: str, call: Callable[[], T]) -> T:
    """What `call` returns.

    Raises:
        SourceRefused: it raised `ZoneError`: as with a wrong key, asking again will not help.
        SourceError: it raised one, or anything else, of which only the type and place are told.
    """
    try:
        return call()
    except SourceError:
        raise
    except ZoneError as exc:
        raise SourceRefused(f"{name}: {exc}") from exc
    # A source may be anybody's code. Its bugs must neither end the thread that refreshes nor reach a generation.
    except (Exception, SystemExit) as exc:  # noqa: BLE001
        raise SourceError(fault(name, exc)) from None


def fault(name: str, exc: BaseException) -> str:
    """What is told of an error in a source's code."""
    return f"{name}: {type_and_place(exc)}: a fault in the source's code; correct it"


def type_and_place(exc: BaseException) -> str:
    """What can be told of anybody's error. Its message may quote addresses and keys."""
    place = traceback.extract_tb(exc.__traceback__)[-1]
    return f"{type(exc).__name__} in {Path(place.filename).name}, line {place.lineno}"


def joined(errors: Sequence[SourceError]) -> SourceError:
    """One error for several that together left no answer; it is as worth a retry as the one most worth it.

    That is `SourceDown`, then `BadData`, `NoData`, `SourceError`, and `SourceRefused` only where all refused. The wait
    is the shortest that was asked for; None where one that is down did not say.
    """
    message = "; ".join(dict.fromkeys(map(str, errors)))
    downs = [error for error in errors if isinstance(error, SourceDown)]
    if downs:
        waits_s = [error.retry_after_s for error in downs]
        known_s = [wait_s for wait_s in waits_s if wait_s is not None]
        return SourceDown(message, retry_after_s=min(known_s) if len(known_s) == len(waits_s) else None)
    for kind in (BadData, NoData):
        if any(isinstance(error, kind) for error in errors):
            return kind(message)
    refused = [error for error in errors if isinstance(error, SourceRefused)]
    if refused and len(refused) == len(errors):
        return SourceRefused(message, unknown_key=any(error.unknown_key for error in refused))
    return SourceError(message)


def _check_zone(source: Source, zone: str, reading: Intensity) -> None:
    if reading.zone != zone:
        raise BadData(f"{source.name}: asked for {zone}, got a reading for {reading.zone}")
