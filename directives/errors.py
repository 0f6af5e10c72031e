"""What can go wrong in `directives`.

DirectiveError
├── CatalogueError      a catalogue file or directive is malformed, or asks for the impossible
└── PolicyError         a policy is set up or called in a way it cannot honour
"""

from __future__ import annotations

__all__ = ["CatalogueError", "DirectiveError", "PolicyError"]


class DirectiveError(Exception):
    """Base of every error this package raises."""


class CatalogueError(DirectiveError, ValueError):
    """A catalogue file or a directive is malformed; the message names the file, the directive and the key."""


class PolicyError(DirectiveError, ValueError):
    """A policy's parameters do not fit the catalogue or each other; the message names the parameter."""
