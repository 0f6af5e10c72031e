"""From evidence and constraints to a plan: one linear program over bins, intensity levels and directives."""

from directives.solving.solver import solve

__all__ = ["solve"]
