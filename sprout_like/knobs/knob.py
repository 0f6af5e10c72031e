"""What a knob is: one part of a directive, applied to a live call."""

from __future__ import annotations

from typing import Protocol

from directives import Directive
from sprout_like.engines.engine import Call, Host, Plan

__all__ = ["Knob"]


class Knob(Protocol):
    """Applies one field of a `Directive` to calls of any host; keeps nothing of a single request."""

    @property
    def name(self) -> str:
        """The field of `Directive` it applies."""
        ...

    def misfit(self, directive: Directive, host: Host) -> str | None:
        """Why it can never be applied to this host's model; begins with the key. None where some call may have it."""
        ...

    def refusal(self, directive: Directive, call: Call) -> str | None:
        """Why it cannot be applied to this call; None where it can. What no directive changes is asked `call.once`."""
        ...

    def apply(self, directive: Directive, plan: Plan, call: Call) -> Plan:
        """The plan with this knob applied."""
        ...
