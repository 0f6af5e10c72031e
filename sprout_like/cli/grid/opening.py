"""From a command's options to a grid, or to a source alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grid import Grid, Source

__all__ = ["opened", "opened_source", "source_for_zones"]


@contextmanager
def opened(source: str | None, place: str | None) -> Iterator[Grid]:
    """The grid that the options, or else the settings, name, as the middleware has it; closed at the end.

    Args:
        source: None for the setting `grid`.
        place: a zone, a cloud region or `LATITUDE,LONGITUDE`; None for the setting `zone`.

    Raises:
        SettingError: a setting does not fit.
        GridError: there is no such zone or source, or the source does not cover the zone.
    """
    from sprout_like.grids import open_grid
    from sprout_like.settings import Settings

    with closing(open_grid(Settings.load(grid=source, zone=place))) as grid:
        yield grid


@contextmanager
def opened_source(source: str | None) -> Iterator[Source]:
    """The source alone, to be asked for any zone; closed at the end.

    Raises:
        SettingError: a setting does not fit.
        GridError: there is no such source.
    """
    from sprout_like.grids import open_grid_source
    from sprout_like.settings import Settings

    with closing(open_grid_source(Settings.load(grid=source))) as opened_one:
        yield opened_one


def source_for_zones(spec: str, zone: str) -> Source:
    """A source that can say which zones it covers, and nothing else: it is opened without the user's keys.

    Args:
        spec: what names it.
        zone: of a trace whose file does not name one.

    Raises:
        GridError: there is no such source.
    """
    from dataclasses import fields

    from grid import Keys, open_source

    keys = Keys(**{field.name: "none" for field in fields(Keys)})
    return open_source(spec, zone=zone, keys=keys, mix=True)
