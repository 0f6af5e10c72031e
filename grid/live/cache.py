"""Readings on disk, shared by the processes of a machine: a restart without a network still knows something."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path

from grid.clock import UtcNow, utc_now
from grid.intensity import Intensity, Series
from grid.live.cache_file import CacheKey, Unreadable, parse, to_text
from grid.live.merging import merged

__all__ = ["CacheKey", "DiskCache"]

logger = logging.getLogger("grid")

_FORECAST = "forecast.json"
_DAY_FILES = "????-??-??.json"
# Added to the name of a file while it is being written, and where it cannot be read.
_HALF, _ASIDE = ".half", ".unreadable"
_A_DAY = timedelta(days=1)


class DiskCache:
    """Readings per source, zone, kind and factors: a JSON file per UTC day, and the last forecast in one of its own.

    Of two readings of a span the better one is kept (`grid.live.merging`); `static` figures are not stored at all.
    Files are replaced as a whole, under a lock, so that a reader sees the old one or the new one and no writer undoes
    another's work. One that cannot be read is set aside as `….unreadable`. A disk that is full or read-only costs one
    warning; nothing in here raises.

    Args:
        folder: made where it does not exist.
        now_utc: the clock that says how old a day is.
        keep: days older than this are removed.
        lock_wait_s: for how long to wait for another writer, who takes milliseconds, in s.
    """

    def __init__(
        self,
        folder: Path,
        *,
        now_utc: UtcNow = utc_now,
        keep: timedelta = timedelta(days=30),
        lock_wait_s: float = 5.0,
    ) -> None:
        self.folder = folder
        self.keep = keep
        self._lock_wait_s = lock_wait_s
        self._now_utc = now_utc
        self._swept: date | None = None
        self._warned = False

    def store(self, source: str, readings: Iterable[Intensity]) -> None:
        """Add readings that `source` gave, whatever their zone, kind and factors."""
        oldest = self._oldest()
        days: dict[tuple[CacheKey, date], list[Intensity]] = {}
        for reading in readings:
            day = reading.start_utc.date()
            if reading.status != "static" and day >= oldest:
                days.setdefault((_key(source, reading), day), []).append(reading)
        with self._going_on_without():
            for (key, day), fresh in days.items():
                with self._lock(key):
                    path = self._path(key, f"{day}.json")
                    known = self._read_locked(key, path) or Series(())
                    better = merged([*known, *fresh])
                    if better != known:
                        _replace(path, to_text(key, better))
            if days:
                self._sweep(oldest)

    def readings(self, key: CacheKey, start_utc: datetime, end_utc: datetime) -> Series:
        """What is stored that touches [start_utc, end_utc); empty where nothing is."""
        # A span that began the day before may reach into the first one.
        first, last = f"{(start_utc - _A_DAY).date()}.json", f"{end_utc.date()}.json"
        found: list[Intensity] = []
        with self._going_on_without():
            for path in sorted((self.folder / key.folder).glob(_DAY_FILES)):
                if first <= path.name <= last:
                    found += self._read(key, path) or ()
        return merged(found).between(start_utc, end_utc)

    def store_forecast(self, source: str, forecast: Series) -> None:
        """Keep a forecast in place of the one before; one that holds `static` figures, or nothing, is not kept."""
        if not len(forecast) or any(reading.status == "static" for reading in forecast):
            return
        key = _key(source, forecast[0])
        with self._going_on_without(), self._lock(key):
            path = self._path(key, _FORECAST)
            known = self._read_locked(key, path)
            # One from the future was written by a clock that has been set back since.
            if not known or not forecast[0].fetched_at_utc < known[0].fetched_at_utc <= self._now_utc():
                _replace(path, to_text(key, forecast))

    def forecast(self, key: CacheKey) -> Series | None:
        """The last forecast that was stored; None where there is none."""
        found = None
        with self._going_on_without():
            found = self._read(key, self._path(key, _FORECAST))
        return found  # noqa: RET504 - an error ends the block above, not the method

    def _read(self, key: CacheKey, path: Path) -> Series | None:
        try:
            return parse(key, path.read_bytes())
        except FileNotFoundError:
            return None
        except Unreadable:
            with self._lock(key):
                return self._read_locked(key, path)  # somebody may have replaced it meanwhile

    def _read_locked(self, key: CacheKey, path: Path) -> Series | None:
        try:
            return parse(key, path.read_bytes())
        except FileNotFoundError:
            return None
        except Unreadable:
            aside = path.with_name(path.name + _ASIDE)
            path.replace(aside)
            logger.warning("grid cache: %s cannot be read and was set aside as %s", path, aside.name)
            return None

    def _path(self, key: CacheKey, name: str) -> Path:
        return self.folder / key.folder / name

    @contextmanager
    def _lock(self, key: CacheKey) -> Iterator[None]:
        from filelock import FileLock  # loads asyncio: not at `import grid`

        folder = self.folder / key.folder
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=self._lock_wait_s):
            yield

    @contextmanager
    def _going_on_without(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:  # filelock's Timeout is one too
            if not self._warned:
                logger.warning(
                    "grid cache: %s cannot be used (%s): going on without; a restart offline will know less",
                    self.folder,
                    exc.strerror or type(exc).__name__,
                )
            self._warned = True

    def _oldest(self) -> date:
        return (self._now_utc() - self.keep).date()

    def _sweep(self, oldest: date) -> None:
        """Remove the days that are too old, of every key; nothing but this cache's own day files is touched."""
        if self._swept == oldest:
            return
        self._swept = oldest
        for suffix in ("", _HALF, _ASIDE):
            for path in self.folder.glob(f"*/*/*/{_DAY_FILES}{suffix}"):
                with suppress(ValueError):  # a name that only looks like a day's
                    if date.fromisoformat(path.name[:10]) < oldest:
                        path.unlink(missing_ok=True)


def _key(source: str, reading: Intensity) -> CacheKey:
    return CacheKey(source, reading.zone, reading.kind, reading.factors)


def _replace(path: Path, text: str) -> None:
    # Only the holder of the lock writes, so the name may be fixed, and what a killed writer left is overwritten. No
    # fsync: what a power cut leaves unreadable is set aside and asked for again.
    half = path.with_name(path.name + _HALF)
    half.write_text(text, "utf-8")
    half.replace(path)
