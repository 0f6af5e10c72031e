"""What can go wrong in `directives`.

DirectiveError
├── CatalogueError      a catalogue file or directive is malformed, or asks for the impossible
└── PolicyError         a policy is set up or called in a way it cannot honour
    └── Infeasible      what is asked of a policy cannot hold together: which constraint, and what would do
        └── NotYetKnown what one constraint needs to be told by is unknown: what, and how to learn it
"""

from __future__ import annotations

__all__ = ["CatalogueError", "DirectiveError", "Infeasible", "NotYetKnown", "PolicyError"]


class DirectiveError(Exception):
    """Base of every error this package raises."""


class CatalogueError(DirectiveError, ValueError):
    """A catalogue file or a directive is malformed; the message names the file, the directive and the key."""


class PolicyError(DirectiveError, ValueError):
    """A policy's parameters do not fit the catalogue or each other; the message names the parameter."""


class Infeasible(PolicyError):
    """No plan meets the constraints.

    Attributes:
        constraints: names of those that cannot hold, as in `Constraints`.
    """

    def __init__(self, message: str, constraints: tuple[str, ...]) -> None:
        super().__init__(message)
        self.constraints = constraints


class NotYetKnown(Infeasible):
    """Whether a constraint is met cannot be told: a budget without an intensity, a limit where no time was measured."""
