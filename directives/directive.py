"""What a directive is: data only. How each knob is applied to a live call lives in `sprout_like.knobs`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from directives.errors import CatalogueError
from directives.knobs import Budget, Draft, EarlyExit, KvCache, Reuse

__all__ = ["FULL", "Directive"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """A named, frozen set of knobs; a knob that is None leaves the caller's call as it stands.

    Attributes:
        name: lower-case identifier, stored in every row.
        instruction: text for the system turn.
        budget: limit on new tokens.
        early_exit: compute fewer layers, or end a loop.
        variant: name of another model, or of another precision of the same one, that answers.
        draft: guess several tokens and check them at once.
        kv_cache: how keys and values of past tokens are kept.
        reuse: what need not be computed again.
        knobs: names of the knobs this directive turns; empty for `full`.
    """

    name: str
    instruction: str | None = None
    budget: Budget | None = None
    early_exit: EarlyExit | None = None
    variant: str | None = None
    draft: Draft | None = None
    kv_cache: KvCache | None = None
    reuse: Reuse | None = None
    knobs: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        turned = (f.name for f in fields(self) if f.init and f.name != "name" and getattr(self, f.name) is not None)
        object.__setattr__(self, "knobs", frozenset(turned))  # once: every request asks for it
        check_name("directive", self.name)
        if self.instruction is not None and not (isinstance(self.instruction, str) and self.instruction.strip()):
            raise CatalogueError(f"instruction is {self.instruction!r}; give a text, or leave it out for none")
        if self.variant is not None:
            check_name("variant", self.variant)
        if self.name == "full" and self.knobs:
            raise CatalogueError("directive 'full' is the caller's call as it stands and can have no knobs")
        for conflict in _conflicts(self):
            raise CatalogueError(conflict)

    @property
    def lossless(self) -> bool:
        """Whether every knob in it provably leaves a greedy answer as it was."""
        exits, kv_cache = self.early_exit, self.kv_cache
        lossy_exit = exits is not None and not (
            exits.depth is None
            and exits.repetition is None
            and exits.confidence is not None
            and exits.confidence.threshold > 1
        )
        lossy_cache = kv_cache is not None and kv_cache.kind != "static"
        return not (self.knobs & {"instruction", "budget", "variant"} or lossy_exit or lossy_cache)

    @property
    def needs_judging(self) -> bool:
        """Whether its answers must have been judged before a policy may count on it.

        What is lossless need not, nor what only ends an answer that says one passage over and over, word for word.
        """
        exits = self.early_exit
        ends_loops_alone = exits is not None and exits.depth is None and exits.confidence is None
        return not (self.lossless or (self.knobs == {"early_exit"} and ends_loops_alone))

    @property
    def variants(self) -> Iterator[tuple[str, str]]:
        """The variants it names, as (key, name)."""
        if self.variant is not None:
            yield "variant", self.variant
        if self.draft is not None and self.draft.assistant is not None:
            yield "draft.assistant", self.draft.assistant


def check_name(what: str, name: object) -> None:
    """Names are identifiers: they stand in TOML keys, rows and options.

    Raises:
        CatalogueError: this one is not.
    """
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise CatalogueError(
            f"{what} name {name!r} is not usable; use lower-case letters, digits and '_', at most 40, a letter first"
        )


def _conflicts(directive: Directive) -> Iterator[str]:
    """Combinations of knobs that no engine could honour, with the reason."""
    exits, draft, reuse = directive.early_exit, directive.draft, directive.reuse
    confidence = exits is not None and exits.confidence is not None
    prefix = reuse is not None and reuse.prefix
    if confidence and draft is not None:
        yield "draft and early_exit.confidence cannot be combined: a draft is checked by all layers"
    if confidence and directive.kv_cache is not None:
        yield "kv_cache and early_exit.confidence cannot be combined: the exit keeps caches of its own"
    if confidence and prefix:
        yield "reuse.prefix and early_exit.confidence cannot be combined: the exit keeps caches of its own"
    if exits is not None and exits.repetition is not None and draft is not None:
        yield "draft and early_exit.repetition cannot be combined: drafted tokens come several at a time"
    if exits is not None and exits.depth is not None and draft is not None and draft.depth is not None:
        yield "draft.depth and early_exit.depth cannot be combined: both choose how many layers run"
    if draft is not None and directive.kv_cache is not None:
        yield "draft and kv_cache cannot be combined: only a plain cache can take back a wrong guess"
    if draft is not None and prefix:
        yield "reuse.prefix and draft cannot be combined: the drafting loop computes the whole prompt at its start"
    if directive.kv_cache is not None and prefix:
        yield "reuse.prefix and kv_cache cannot be combined: a kept beginning goes on in a plain cache"


FULL = Directive(name="full")
