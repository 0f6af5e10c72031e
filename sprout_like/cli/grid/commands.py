"""The commands and their options; what they find and print is in the file of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from sprout_like.cli.grid.coordinates import TakesPlaces
from sprout_like.cli.moment import moment

if TYPE_CHECKING:
    from grid import Grid
    from sprout_like.cli.grid.screen import Screen

__all__ = ["grid"]

grid = typer.Typer(rich_markup_mode=None)

_A_DAY_H: Final = 24
_WINDOW_H: Final = 3
_LONGEST_AHEAD_H: Final = 96
_LONGEST_BACK_H: Final = 366 * 24

_Place = Annotated[
    str | None,
    typer.Option("--zone", metavar="PLACE", help="GB, aws:eu-west-1 or 48.85,2.35.  [default: the setting `zone`]"),
]
_Source = Annotated[
    str | None,
    typer.Option(
        "--grid", metavar="SOURCE", help="Whom to ask: uk, yearly, trace:FILE.  [default: the setting `grid`]"
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
_Utc = Annotated[bool, typer.Option("--utc", help="Show times in UTC, not in this machine's zone.")]


@grid.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Carbon intensity now, ahead and before, with its provenance."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@grid.command()
def now(place: _Place = None, source: _Source = None, utc: _Utc = False, as_json: _Json = False) -> None:
    """The reading by which requests would go now.

    And how it compares with the last and the next 24 hours. Exit code 1 if there is no reading.
    """
    from grid.clock import utc_now
    from sprout_like.cli.grid.now import as_data, find, show

    with _quietly_opened(source, place) as asked:
        found = find(asked, utc_now())
    if as_json:
        _print_json(as_data(found))
    elif found.look.intensity is not None:
        show(_screen(utc), found, found.look.intensity)
    if found.look.intensity is None:
        _no_answer(f"no reading for {found.zone}: {found.look.reason}")


@grid.command()
def forecast(
    hours: Annotated[int, typer.Option(min=1, max=_LONGEST_AHEAD_H, help="How far ahead.")] = 24,
    window: Annotated[
        int | None,
        typer.Option(
            min=1, max=_LONGEST_AHEAD_H, help="Find the best time for something of so many hours.  [default: 3]"
        ),
    ] = None,
    place: _Place = None,
    source: _Source = None,
    utc: _Utc = False,
    as_json: _Json = False,
) -> None:
    """The hours ahead, and the best time to run something.

    Drawn with the interval around it where there is one. Exit code 1 if there is no forecast.
    """
    from grid.clock import utc_now
    from sprout_like.cli.grid.forecast import as_data, find, show
    from sprout_like.errors import SettingError

    if window is not None and window > hours:
        raise SettingError("--window", f"{window} h do not fit into the {hours} h of --hours", "Give a longer --hours")
    length_h = min(_WINDOW_H, hours) if window is None else window
    with _quietly_opened(source, place) as asked, _or_exit():
        found = find(asked, utc_now(), timedelta(hours=hours), timedelta(hours=length_h))
    if as_json:
        _print_json(as_data(found))
    else:
        show(_screen(utc), found)


@grid.command()
def history(
    hours: Annotated[
        int | None, typer.Option(min=1, max=_LONGEST_BACK_H, help="How far back from --to.  [default: 24]")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--from", parser=moment, metavar="MOMENT", help="First moment, UTC: 2026-03-01T18:30."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", parser=moment, metavar="MOMENT", help="The moment after the last, UTC.  [default: now]"),
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write a trace, which trace:FILE plays back.")
    ] = None,
    place: _Place = None,
    source: _Source = None,
    utc: _Utc = False,
    as_json: _Json = False,
) -> None:
    """The hours that lie behind.

    Exit code 1 if nothing is known of them.
    """
    from sprout_like.cli.grid.history import as_data, find, show, write_trace
    from sprout_like.cli.grid.opening import opened

    start, end = _span(hours, since, until)
    with opened(source, place) as asked, _or_exit():
        found = find(asked, start, end)
    if csv_file is not None:
        write_trace(found, csv_file)
    if as_json:
        _print_json(as_data(found))
        return
    screen = _screen(utc)
    show(screen, found)
    if csv_file is not None:
        screen.text(f"Trace: {csv_file}")


@grid.command(cls=TakesPlaces)
def zones(
    place: Annotated[
        str | None, typer.Argument(metavar="PLACE", help="A place: DE, aws:eu-west-1 or 48.85,2.35.")
    ] = None,
    source: _Source = None,
    as_json: _Json = False,
) -> None:
    """The zones a source covers, or the sources that cover a place."""
    from grid import resolve_zone
    from grid.live.asking import close_quietly
    from sprout_like.cli.grid import zones as found
    from sprout_like.coverage import coverages, source_for_zones
    from sprout_like.settings import Settings

    if place is not None:
        place = place.strip()
        zone = resolve_zone(place)
        sources = coverages(zone)
        if as_json:
            _print_json(found.coverages_as_data(place, zone, sources))
        else:
            found.show_coverages(_screen(utc=False), place, zone, sources)
        return
    settings = Settings.load(grid=source)
    asked = source_for_zones(settings.grid, resolve_zone(settings.zone))
    names = found.covered(asked)
    if as_json:
        _print_json(found.zones_as_data(asked, names))
    else:
        found.show_zones(_screen(utc=False), asked, names)
    close_quietly(asked)


@grid.command(cls=TakesPlaces)
def compare(
    places: Annotated[list[str], typer.Argument(metavar="PLACES", help="Places, as for --zone.")],
    hours: Annotated[int, typer.Option(min=1, max=_LONGEST_AHEAD_H, help="How many hours.")] = 24,
    source: _Source = None,
    utc: _Utc = False,
    as_json: _Json = False,
) -> None:
    """Zones side by side, cleanest first.

    Over the next hours, or the last of a source without a forecast. Exit code 1 if no zone has a reading.
    """
    from grid import resolve_zone
    from grid.clock import utc_now
    from sprout_like.cli.grid.compare import as_data, find, show
    from sprout_like.cli.grid.opening import opened_source

    zones = [resolve_zone(place) for place in places]
    with opened_source(source) as asked:
        found = find(asked, zones, utc_now(), timedelta(hours=hours))
    if as_json:
        _print_json(as_data(found))
    else:
        show(_screen(utc), found)
    if all(row.now is None for row in found.rows):
        raise typer.Exit(1)


@contextmanager
def _quietly_opened(source: str | None, place: str | None) -> Iterator[Grid]:
    """As `opened`; what the log would warn of is in what is printed."""
    from sprout_like.cli.grid.opening import opened
    from sprout_like.cli.quiet import quiet_grid_log

    with quiet_grid_log(), opened(source, place) as asked:
        yield asked


@contextmanager
def _or_exit() -> Iterator[None]:
    """A source that gives no answer is one line on stderr and exit code 1; wrong input has another code."""
    from grid import SourceError

    try:
        yield
    except SourceError as exc:
        _no_answer(str(exc))


def _no_answer(reason: str) -> NoReturn:
    typer.echo(" ".join(reason.split()), err=True)
    raise typer.Exit(1)


def _span(hours: int | None, since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """The span that the options name.

    Raises:
        SettingError: they contradict each other, or it is too long.
    """
    from grid.clock import utc_now
    from sprout_like.errors import SettingError

    if hours is not None and since is not None:
        raise SettingError("--hours", "--from says already where the span begins", "Give one of the two")
    end = until or utc_now()
    start = since or end - timedelta(hours=hours or _A_DAY_H)
    if start >= end:
        raise SettingError("--to", "the span ends before it begins", "Give a moment after --from")
    if end - start > timedelta(hours=_LONGEST_BACK_H):
        raise SettingError("--from", "the span is longer than a year", "Ask for it in parts")
    return start, end


def _screen(utc: bool) -> Screen:
    from sprout_like.cli.grid.screen import Screen
    from sprout_like.cli.grid.times import Times

    return Screen(Times(utc=utc))


def _print_json(data: Mapping[str, Any]) -> None:
    from sprout_like.reports.machine import to_json

    typer.echo(to_json(data))
