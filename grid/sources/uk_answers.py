"""What the UK's Carbon Intensity API answers, in each of its shapes, to a series."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from grid.errors import BadData
from grid.intensity import Intensity, Series, Status
from grid.sources.uk_places import UKPlace

__all__ = ["HALF_HOUR", "UKAnswers"]

HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class UKAnswers:
    """Reads answers about one place.

    Attributes:
        name: the source's.
        place: what was asked for.
        fetched_at_utc: when it was answered.
        measured: take the measured figure where there is one.
    """

    name: str
    place: UKPlace
    fetched_at_utc: datetime
    measured: bool

    def series(self, document: Any, path: str) -> Series:
        """The half hours of an answer that have a figure.

        Raises:
            BadData: it is not in one of the API's shapes, is about another place, or holds something that is not a
                figure, or two figures for one half hour.
        """
        readings = (self._reading(item) for item in self._half_hours(document, path))
        return Series.of_answer(reading for reading in readings if reading is not None)

    def _half_hours(self, document: Any, path: str) -> Iterator[dict[str, Any]]:
        # Three shapes: half hours; a place with its half hours; half hours with all regions each. And where one answer
        # holds a list, another, or the same one on another day, holds the single object.
        found = False
        others: set[str] = set()
        for item in self._objects(document, "data"):
            if "regions" in item:
                for region in self._objects(item, "regions"):
                    if self.place.is_named_by(region):
                        found = True
                        yield {**region, "from": item.get("from"), "to": item.get("to")}
                    else:
                        others.add(reprlib.repr(region.get("regionid")))
                continue
            if not self.place.is_named_by(item):
                raise BadData(
                    f"{self.name}: {path} answered {reprlib.repr(item)}, which is not about {self.place.zone}"
                )
            found = True
            if "data" in item:
                yield from self._objects(item, "data")
            else:
                yield item
        if others and not found:
            raise BadData(f"{self.name}: {path} answered about {len(others)} regions, none of them {self.place.zone}")

    def _objects(self, document: Any, key: str) -> list[dict[str, Any]]:
        held = document.get(key) if isinstance(document, dict) else None
        items = [held] if isinstance(held, dict) else held
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise BadData(f"{self.name}: {reprlib.repr(document)} holds no list of objects named {key!r}")
        return items

    def _reading(self, item: dict[str, Any]) -> Intensity | None:
        try:
            start_utc, end_utc = (datetime.fromisoformat(item[key]) for key in ("from", "to"))
            figure, status = self._figure(item["intensity"], end_utc)
        except (KeyError, TypeError, ValueError) as exc:
            raise BadData(f"{self.name}: {reprlib.repr(item)} is not a half hour with an intensity") from exc
        if figure is None:
            return None
        reading = Intensity(
            zone=self.place.zone,
            start_utc=start_utc,
            end_utc=end_utc,
            g_per_kwh=figure,
            kind="average",
            factors="direct",
            status=status,
            source=self.name,
            fetched_at_utc=self.fetched_at_utc,
        )
        if end_utc - start_utc != HALF_HOUR:
            raise BadData(f"{self.name}: the span from {start_utc} to {end_utc} is not half an hour")
        return reading

    def _figure(self, intensity: dict[str, Any], end_utc: datetime) -> tuple[Any, Status]:
        forecast = intensity["forecast"]
        if not self.place.national:
            # Nothing is measured in a region: what the model said of a half hour is all there will ever be.
            return forecast, "estimated" if end_utc <= self.fetched_at_utc else "forecast"
        measured = intensity["actual"]
        return (measured, "actual") if self.measured and measured is not None else (forecast, "forecast")
