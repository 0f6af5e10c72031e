"""From a command's options to a grid, or to a source alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grid import Grid, Source

__all__ = ["opened", "opened_source"]


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
    from sprout_like.cli.waiting import waiting_for
    from sprout_like.grids import open_grid
    from sprout_like.settings import Settings

    with closing(open_grid(Settings.load(grid=source, zone=place))) as grid, waiting_for(grid.source.name):
        yield grid


@contextmanager
def opened_source(source: str | None) -> Iterator[Source]:
    """The source alone, to be asked for any zone; closed at the end.

    Raises:
        SettingError: a setting does not fit.
        GridError: there is no such source.
    """
    from sprout_like.cli.waiting import waiting_for
    from sprout_like.grids import opened_grid_source
    from sprout_like.settings import Settings

    with opened_grid_source(Settings.load(grid=source)) as asked, waiting_for(asked.name):
        yield asked
