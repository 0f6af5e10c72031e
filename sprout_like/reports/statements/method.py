"""How the figures are known, and what is not. Data alone; unknown is None."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Gap", "Method"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that the report does not know.

    Attributes:
        what: in a few words. requests: how many it concerns. of: of how many. why: the reason, and what to do.
    """

    what: str
    requests: int
    of: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How the figures are known, in plain words.

    Attributes:
        meters: name of the meter, energy method and requests, largest first.
        intensities: zone, kind, factors and requests, largest first; None where the intensity is unknown.
        sources: who published intensities for the span, as the ledger keeps them: zone, source, status and slots.
        notes: sentences. gaps: what is unknown, how many requests, why.
    """

    meters: tuple[tuple[str, str, int], ...] = ()
    intensities: tuple[tuple[str, str | None, str | None, int], ...] = ()
    sources: tuple[tuple[str, str, str, int], ...] = ()
    notes: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
