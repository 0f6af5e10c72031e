"""The directives on offer, read from TOML."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from directives.directive import FULL, Directive
from directives.errors import CatalogueError
from directives.parsing import parse_directive, parse_variant
from directives.variant import Variant

__all__ = ["Catalogue"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """An ordered set of directives that always holds `full`.

    Attributes:
        directives: by name, in the order of the file.
        version: first 12 hex digits of the SHA-256 over the directives' and variants' content; stored in every row,
            so that rows written under different catalogues are never mixed when a policy is tuned.
        variants: by name, what `variant` and `draft.assistant` may name.
        origin: the file it was read from; None for the built-in one and those built in code.
    """

    directives: Mapping[str, Directive]
    version: str
    variants: Mapping[str, Variant] = field(default_factory=dict)
    origin: Path | None = None

    @classmethod
    def of(cls, *directives: Directive, variants: Iterable[Variant] = (), origin: Path | None = None) -> Catalogue:
        """Build a catalogue in code.

        Raises:
            CatalogueError: a name occurs twice.
        """
        by_name: dict[str, Directive] = {FULL.name: FULL}
        for directive in directives:
            if directive.name in by_name and directive != FULL:
                raise CatalogueError(f"directive {directive.name!r} is given twice; names must be unique")
            by_name[directive.name] = directive
        by_variant: dict[str, Variant] = {}
        for variant in variants:
            if variant.name in by_variant:
                raise CatalogueError(f"variant {variant.name!r} is given twice; names must be unique")
            by_variant[variant.name] = variant
        # repr of frozen dataclasses is a stable, complete text of their content.
        content = "\n".join(map(repr, [*by_name.values(), *by_variant.values()]))
        return cls(by_name, hashlib.sha256(content.encode()).hexdigest()[:12], by_variant, origin)

    @classmethod
    def builtin(cls) -> Catalogue:
        """The directives shipped with the package."""
        return cls._parse(resources.files("directives").joinpath("catalogue.toml").read_text("utf-8"), None)

    @classmethod
    def load(cls, path: Path) -> Catalogue:
        """Read a catalogue file.

        Raises:
            CatalogueError: the file cannot be read, is not TOML, or describes an impossible directive.
        """
        try:
            text = path.read_text("utf-8")
        except OSError as exc:
            raise CatalogueError(f"cannot read catalogue {path}: {exc.strerror}; check the path") from exc
        return cls._parse(text, path)

    @classmethod
    def _parse(cls, text: str, origin: Path | None) -> Catalogue:
        where = "built-in" if origin is None else str(origin)
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as exc:
            raise CatalogueError(f"catalogue {where} is not valid TOML: {exc}") from exc
        directives = _parsed("directive", document.pop("directive", {}), parse_directive, where)
        variants = _parsed("variant", document.pop("variant", {}), parse_variant, where)
        if document:
            raise CatalogueError(
                f"catalogue {where}: unknown key {next(iter(document))!r}; expected [directive.NAME] or [variant.NAME]"
            )
        return cls.of(*directives, variants=variants, origin=origin)

    def __getitem__(self, name: str) -> Directive:
        """The directive of that name.

        Raises:
            CatalogueError: there is none; the message offers the nearest names.
        """
        try:
            return self.directives[name]
        except KeyError:
            near = get_close_matches(name, self.directives, n=2)
            known = f"there are {', '.join(self.directives)}"
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else known
            raise CatalogueError(f"no directive named {name!r}; {hint}") from None

    def __contains__(self, name: object) -> bool:
        return name in self.directives

    def __iter__(self) -> Iterator[Directive]:
        return iter(self.directives.values())

    def __len__(self) -> int:
        return len(self.directives)


def _parsed(kind: str, tables: Any, parse: Callable[[str, Any], _T], where: str) -> list[_T]:
    if not isinstance(tables, dict):
        raise CatalogueError(f"catalogue {where}: {kind} is {tables!r}; expected [{kind}.NAME] tables")
    parsed = []
    for name, table in tables.items():
        try:
            parsed.append(parse(name, table))
        except CatalogueError as exc:
            raise CatalogueError(f"catalogue {where}, {kind} {name!r}: {exc}") from exc
    return parsed
