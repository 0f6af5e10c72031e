"""Sources that other installed packages offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grid.errors import GridError, SourceSpecError
from grid.live.asking import fault
from grid.opening.opening import Opening
from grid.source import Source

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["ENTRY_POINTS", "offered", "open_offered"]

ENTRY_POINTS = "sprout_like.grid_sources"
"""Group of entry points: each names a source and points to a function from an `Opening` to a `Source`."""


def offered() -> dict[str, EntryPoint]:
    """What there is, by name."""
    from importlib.metadata import entry_points  # slow to load, and only asked for names that are not ours

    return {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}


def open_offered(entry: EntryPoint, opening: Opening) -> Source:
    """Open one.

    Raises:
        SourceSpecError: the package cannot be imported, or what it offers fails or gives no source.
        GridError: what it raises itself.
    """
    try:
        make = entry.load()
    except (ImportError, AttributeError) as exc:
        raise SourceSpecError(
            f"{entry.name}: {entry.value} cannot be imported ({exc}); reinstall that package"
        ) from exc
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - whatever a module does when it is imported
        raise SourceSpecError(fault(entry.name, exc)) from None
    try:
        made = make(opening)
        if isinstance(made, Source):  # looks at every attribute, and they may be properties
            return made
    except GridError:
        raise
    except (Exception, SystemExit) as exc:  # noqa: BLE001
        raise SourceSpecError(fault(entry.name, exc)) from None
    raise SourceSpecError(f"{entry.name}: {entry.value} gave a {type(made).__name__}, which is not a grid source")
