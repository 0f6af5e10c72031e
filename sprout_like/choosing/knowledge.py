"""What a live policy rests on, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from directives.constraints import Constraints
from directives.evidence import Evidence
from directives.plan import Plan
from sprout_like.choosing.breaker import LiveQuality

__all__ = ["Basis", "Knowledge", "Nothing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What plans are solved from until something newer is known.

    Attributes:
        key: another one for every other basis.
        evidence: what is known of the directives.
        constraints: those that the tuned policy was judged by; None for the settings' own.
        plan: the tuned policy's; None where none is active, as on a fresh install.
        span_s: span of the requests from which the evidence is, in s; None where unknown.
    """

    key: str
    evidence: Evidence
    constraints: Constraints | None = None
    plan: Plan | None = None
    span_s: float | None = None


class Knowledge(Protocol):
    """Where a live policy learns of newer bases. Called in the background alone."""

    def basis(self) -> Basis:
        """The newest; the same object as long as nothing newer is known.

        Raises:
            SproutError: it cannot be read now.
        """
        ...

    def quality(self) -> LiveQuality | None:
        """What was judged of the answers served since the newest basis became active; None where nothing was.

        Raises:
            SproutError: it cannot be read now.
        """
        ...

    def close(self) -> None:
        """Release connections; safe to call twice."""
        ...


class Nothing:
    """No database: a basis that never changes.

    Args:
        evidence: what is known of the directives, which is what fits and no more.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._basis = Basis(key="", evidence=evidence)

    def basis(self) -> Basis:
        """The one."""
        return self._basis

    def quality(self) -> LiveQuality | None:
        """Nothing was judged."""
        return None

    def close(self) -> None:
        """Nothing to release."""
