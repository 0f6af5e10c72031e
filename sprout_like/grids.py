"""From settings to a grid source, and to the grid that holds its readings in memory."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from grid import DiskCache, FallbackSource, Grid, Keys, Source, SourceRefused, TraceSource, open_source, resolve_zone
from grid.clock import UtcNow, utc_now
from grid.live.asking import close_quietly
from sprout_like.background import within

if TYPE_CHECKING:
    from sprout_like.settings import Settings

__all__ = ["close_grid", "open_grid", "open_grid_source", "opened_grid_source", "prime_grid"]

_LOG = logging.getLogger("sprout_like")

_LONGEST_NAME: Final = 60

# Sources let go of connections, which takes milliseconds.
_CLOSE_WAIT_S: Final = 5.0


def open_grid_source(settings: Settings, spec: Any = None, *, now_utc: UtcNow = utc_now) -> Source:
    """The source of the settings, or the one that `spec` names.

    Raises:
        grid.GridError: see `grid.open_source`.
    """
    return open_source(
        settings.grid if spec is None else spec,
        zone=resolve_zone(settings.zone),
        keys=_keys(settings),
        mix=settings.grid_mix,
        now_utc=now_utc,
    )


@contextmanager
def opened_grid_source(settings: Settings) -> Iterator[Source]:
    """The source of the settings, closed at the end.

    Raises:
        grid.GridError: see `grid.open_source`.
    """
    source = open_grid_source(settings)
    try:
        yield source
    finally:
        close_quietly(source)


def open_grid(settings: Settings, spec: Any = None, *, now_utc: UtcNow = utc_now) -> Grid:
    """A grid on the source of the settings, or on the one that `spec` names; to be closed by whoever opens it.

    Raises:
        grid.GridError: see `grid.open_source` and `grid.Grid`.
    """
    spec = settings.grid if spec is None else spec
    source = open_grid_source(settings, spec, now_utc=now_utc)
    return Grid(
        source,
        resolve_zone(settings.zone),
        now_utc=now_utc,
        hold_s=settings.intensity_hold_s,
        cache=_cache(settings, spec, source, now_utc),
    )


def prime_grid(grid: Grid, wait_s: float) -> None:
    """Ask for the first reading, waiting no longer than `wait_s`, in s.

    Raises:
        grid.SourceRefused: the source refused the key.
    """
    refused: list[SourceRefused] = []

    def ask() -> None:
        try:
            grid.prime()
        except SourceRefused as exc:
            refused.append(exc)

    within(wait_s, ask, name="sprout-like-first-reading")
    if refused:
        raise refused[0]


def close_grid(grid: Grid) -> None:
    """Close it, and leave it to itself where its source does not come to an end."""
    if not within(_CLOSE_WAIT_S, grid.close, name="sprout-like-closing-grid"):
        _LOG.warning("grid %s has not closed within %g s and is left to itself", grid.source.name, _CLOSE_WAIT_S)


def _keys(settings: Settings) -> Keys:
    secrets = {field.name: getattr(settings, field.name) for field in fields(Keys)}
    return Keys(**{name: None if secret is None else secret.get_secret_value() for name, secret in secrets.items()})


def _cache(settings: Settings, spec: Any, source: Source, now_utc: UtcNow) -> DiskCache | None:
    """A folder for each spec: what another server or another choice of factors said is something else.

    None for an object, which may be anything, and where a file is read that can change under the same name.
    """
    members = source.sources if isinstance(source, FallbackSource) else (source,)
    if settings.grid_cache == "off" or not isinstance(spec, str) or any(isinstance(m, TraceSource) for m in members):
        return None
    folder = settings.grid_cache
    if folder is None:
        import platformdirs

        folder = platformdirs.user_cache_path("sprout-like") / "grid"
    # A spec may hold a key, in its options or in the path of a URL: of it only the digest is in the name.
    name = re.sub(r"[^a-z0-9]+", "-", source.name.lower())[:_LONGEST_NAME].strip("-")
    digest = hashlib.sha256(spec.strip().encode()).hexdigest()[:12]
    return DiskCache(Path(folder) / f"{name}-{digest}".lstrip("-"), now_utc=now_utc)
