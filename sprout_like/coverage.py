"""Which of the built-in sources cover a zone."""

from __future__ import annotations

from dataclasses import dataclass, fields

from grid import Capability, Factors, Keys, Kind, Source, ZoneError, open_source
from grid.live.asking import check_covers, close_quietly

__all__ = ["Coverage", "coverages", "covers", "source_for_zones"]

# These take any zone, and what they answer is the user's own.
_USERS_OWN = frozenset({"static", "trace"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """A built-in source that covers a zone.

    Attributes:
        keyless: whether it needs no key.
        slot_s: length of a reading's span in s.
    """

    name: str
    keyless: bool
    kind: Kind
    factors: Factors
    can: tuple[Capability, ...]
    slot_s: float


def coverages(zone: str) -> list[Coverage]:
    """The built-in sources that cover a zone, those without a key first."""
    from grid.opening.built_in import BUILT_IN, KEYLESS

    found = []
    for name in BUILT_IN.keys() - _USERS_OWN:
        source = source_for_zones(name, zone)
        if covers(source, zone):
            can = tuple(sorted(source.can))
            found.append(
                Coverage(
                    name=name,
                    keyless=name in KEYLESS,
                    kind=source.kind,
                    factors=source.factors,
                    can=can,
                    slot_s=source.slot_s,
                )
            )
        close_quietly(source)
    return sorted(found, key=lambda coverage: (not coverage.keyless, coverage.name))


def covers(source: Source, zone: str) -> bool:
    """Whether the source covers the zone.

    Raises:
        SourceSpecError: its code fails.
    """
    try:
        check_covers(source, zone)
    except ZoneError:
        return False
    return True


def source_for_zones(spec: str, zone: str) -> Source:
    """A source that can say which zones it covers, and nothing else: it is opened without the user's keys.

    Args:
        spec: what names it.
        zone: of a trace whose file does not name one.

    Raises:
        GridError: there is no such source.
    """
    keys = Keys(**{field.name: "none" for field in fields(Keys)})
    return open_source(spec, zone=zone, keys=keys, mix=True)
