"""What a directive is: data only. How each knob is applied to a live call lives in `sprout_like.knobs`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields

from directives.errors import CatalogueError

__all__ = ["FULL", "Budget", "Directive"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit on new tokens with a soft ending.

    Attributes:
        max_new_tokens: hard limit per row; the caller's own limit wins where it is lower.
        soft_tokens: how many tokens before the limit the preference for ending (at a sentence end) begins to grow.
    """

    max_new_tokens: int
    soft_tokens: int = 0

    def __post_init__(self) -> None:
        # TOML gives values of any type, so what the annotations promise is checked.
        for name in ("max_new_tokens", "soft_tokens"):
            if type(getattr(self, name)) is not int:
                raise CatalogueError(f"budget.{name} is {getattr(self, name)!r}; give a whole number of tokens")
        if self.max_new_tokens < 1:
            raise CatalogueError(f"budget.max_new_tokens is {self.max_new_tokens}; give 1 or more")
        if not 0 <= self.soft_tokens < self.max_new_tokens:
            raise CatalogueError(
                f"budget.soft_tokens is {self.soft_tokens}; give 0 to {self.max_new_tokens - 1} (below max_new_tokens)"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """A named, frozen set of knobs; a knob that is None leaves the caller's call as it stands.

    Attributes:
        name: lower-case identifier, stored in every row.
        instruction: text for the system turn.
        budget: limit on new tokens.
        knobs: names of the knobs this directive turns; empty for `full`.
    """

    name: str
    instruction: str | None = None
    budget: Budget | None = None
    knobs: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        turned = (f.name for f in fields(self) if f.init and f.name != "name" and getattr(self, f.name) is not None)
        object.__setattr__(self, "knobs", frozenset(turned))  # once: every request asks for it
        if not _NAME.fullmatch(self.name):
            raise CatalogueError(
                f"directive name {self.name!r} is not usable; use lower-case letters, digits and '_', at most 40"
            )
        if self.instruction is not None and not (isinstance(self.instruction, str) and self.instruction.strip()):
            raise CatalogueError(f"instruction is {self.instruction!r}; give a text, or leave it out for none")
        if self.name == "full" and self.knobs:
            raise CatalogueError("directive 'full' is the caller's call as it stands and can have no knobs")


FULL = Directive(name="full")
