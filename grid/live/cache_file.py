"""One file of the disk cache as text: JSON with one reading a line, to be read by people and by other versions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from grid.errors import BadData
from grid.intensity import Factors, Intensity, Kind, Series

__all__ = ["CacheKey", "Unreadable", "parse", "to_text"]

_FORMAT = "sprout-like grid cache, version 1"
# File systems take 255 bytes; the rest is for suffixes.
_LONGEST_NAME = 120


class Unreadable(ValueError):
    """The text is not a file of this cache, or not that of this key."""


@dataclass(frozen=True, slots=True)
class CacheKey:
    """What readings in one folder have in common.

    Attributes:
        source: name of the source that was asked; a reading may name another, where that one had asked further.
        zone: canonical zone name.
        kind, factors: as in `Intensity`.
    """

    source: str
    zone: str
    kind: Kind
    factors: Factors

    @property
    def folder(self) -> Path:
        """Relative path of the key's folder, in characters that every file system takes."""
        return Path(_safe(self.source), _safe(self.zone), f"{self.kind}-{self.factors}")


def to_text(key: CacheKey, readings: Iterable[Intensity]) -> str:
    """The file's text."""
    head = {"format": _FORMAT, **_header(key)}
    rows = ",\n".join(json.dumps(_row(reading)) for reading in readings)
    return f'{json.dumps(head)[:-1]}, "readings": [\n{rows}\n]}}\n'


def parse(key: CacheKey, text: bytes) -> Series:
    """The readings in a file's text.

    Raises:
        Unreadable: it was cut short, written by something else, or is for another key.
    """
    try:
        document = json.loads(text)
        if document["format"] != _FORMAT or any(document[name] != value for name, value in _header(key).items()):
            raise Unreadable("another format or key")
        return Series(_reading(key, row) for row in document["readings"])
    except (BadData, AttributeError, KeyError, TypeError, ValueError, RecursionError) as exc:
        raise Unreadable(str(exc)) from exc


def _header(key: CacheKey) -> dict[str, str]:
    return {"source": key.source, "zone": key.zone, "kind": key.kind, "factors": key.factors}


def _row(reading: Intensity) -> dict[str, Any]:
    row: dict[str, Any] = {
        "start_utc": reading.start_utc.isoformat(),
        "end_utc": reading.end_utc.isoformat(),
        "g_per_kwh": reading.g_per_kwh,
        "status": reading.status,
        "source": reading.source,
        "fetched_at_utc": reading.fetched_at_utc.isoformat(),
    }
    if reading.low_g_per_kwh is not None:
        row |= {"low_g_per_kwh": reading.low_g_per_kwh, "high_g_per_kwh": reading.high_g_per_kwh}
    if reading.passed_over:
        row["passed_over"] = reading.passed_over
    return row


def _reading(key: CacheKey, row: dict[str, Any]) -> Intensity:
    passed_over = tuple(row.get("passed_over", ()))
    if not all(isinstance(text, str) for text in (row["source"], *passed_over)):
        raise Unreadable("a name that is not text")
    return Intensity(
        zone=key.zone,
        start_utc=datetime.fromisoformat(row["start_utc"]),
        end_utc=datetime.fromisoformat(row["end_utc"]),
        g_per_kwh=row["g_per_kwh"],
        kind=key.kind,
        factors=key.factors,
        status=row["status"],
        source=row["source"],
        fetched_at_utc=datetime.fromisoformat(row["fetched_at_utc"]),
        low_g_per_kwh=row.get("low_g_per_kwh"),
        high_g_per_kwh=row.get("high_g_per_kwh"),
        passed_over=passed_over,
    )


def _safe(name: str) -> str:
    # `quote` leaves dots as they are, and `..` would be the folder above.
    quoted = quote(name, safe=" ").replace(".", "%2E").strip()
    if len(quoted) <= _LONGEST_NAME and quoted:
        return quoted
    return f"{quoted[:_LONGEST_NAME]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
