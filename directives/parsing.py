"""From TOML tables to directives and variants; an error names the table and the key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from directives.directive import Directive
from directives.errors import CatalogueError
from directives.knobs import Budget, Confidence, Depth, Draft, EarlyExit, KvCache, Lookup, Repetition, Reuse
from directives.variant import Variant

__all__ = ["parse_directive", "parse_variant"]

_T = TypeVar("_T")

_TABLES: Final[Mapping[type, Mapping[str, type]]] = {
    Directive: {"budget": Budget, "early_exit": EarlyExit, "draft": Draft, "kv_cache": KvCache, "reuse": Reuse},
    EarlyExit: {"depth": Depth, "confidence": Confidence, "repetition": Repetition},
    Draft: {"lookup": Lookup},
}
"""Which keys hold tables, and of what."""


def parse_directive(name: str, table: Any) -> Directive:
    """One `[directive.NAME]` table.

    Raises:
        CatalogueError: a key is unknown, missing or does not fit; the message begins with it.
    """
    return _build(Directive, table, path="", name=name)


def parse_variant(name: str, table: Any) -> Variant:
    """One `[variant.NAME]` table.

    Raises:
        CatalogueError: a key is unknown, missing or does not fit; the message begins with it.
    """
    return _build(Variant, table, path="", name=name)


def _build(cls: type[_T], table: Any, *, path: str, **given: Any) -> _T:
    if not isinstance(table, dict):
        raise CatalogueError(f"{path or 'the entry'} must be a table, not {table!r}")
    prefix = f"{path}." if path else ""
    known = {f.name: f for f in fields(cls) if f.init and f.name not in given}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
            raise CatalogueError(f"unknown key {prefix}{key}; {hint}")
    for key, each in known.items():
        if key not in table and each.default is MISSING and each.default_factory is MISSING:
            raise CatalogueError(f"{prefix}{key} is missing")
    nested = _TABLES.get(cls, {})
    values = {
        key: _build(nested[key], value, path=f"{prefix}{key}") if key in nested else value
        for key, value in table.items()
    }
    return cls(**given, **values)
