"""The directives on offer, read from TOML."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

from directives.directive import FULL, Budget, Directive
from directives.errors import CatalogueError

__all__ = ["Catalogue"]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """An ordered set of directives that always holds `full`.

    Attributes:
        directives: by name, in the order of the file.
        version: first 12 hex digits of the SHA-256 over the directives' content; stored in every row, so that
            rows written under different catalogues are never mixed when a policy is tuned.
    """

    directives: Mapping[str, Directive]
    version: str

    @classmethod
    def of(cls, *directives: Directive) -> Catalogue:
        """Build a catalogue in code.

        Raises:
            CatalogueError: a name occurs twice.
        """
        by_name: dict[str, Directive] = {FULL.name: FULL}
        for directive in directives:
            if directive.name in by_name and directive != FULL:
                raise CatalogueError(f"directive {directive.name!r} is given twice; names must be unique")
            by_name[directive.name] = directive
        # repr of frozen dataclasses is a stable, complete text of their content.
        digest = hashlib.sha256("\n".join(map(repr, by_name.values())).encode()).hexdigest()
        return cls(by_name, digest[:12])

    @classmethod
    def builtin(cls) -> Catalogue:
        """The directives shipped with the package."""
        return cls._parse(resources.files("directives").joinpath("catalogue.toml").read_text("utf-8"), "built-in")

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
        return cls._parse(text, str(path))

    @classmethod
    def _parse(cls, text: str, where: str) -> Catalogue:
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as exc:
            raise CatalogueError(f"catalogue {where} is not valid TOML: {exc}") from exc
        tables = document.pop("directive", {})
        if document:
            raise CatalogueError(f"catalogue {where}: unknown key {next(iter(document))!r}; expected [directive.NAME]")
        return cls.of(*(_directive(name, table, where) for name, table in tables.items()))

    def __getitem__(self, name: str) -> Directive:
        """The directive of that name.

        Raises:
            CatalogueError: there is none; the message offers the nearest names.
        """
        try:
            return self.directives[name]
        except KeyError:
            near = get_close_matches(name, self.directives, n=2) or list(self.directives)
            raise CatalogueError(f"no directive named {name!r}; did you mean {' or '.join(map(repr, near))}?") from None

    def __contains__(self, name: object) -> bool:
        return name in self.directives

    def __iter__(self) -> Iterator[Directive]:
        return iter(self.directives.values())

    def __len__(self) -> int:
        return len(self.directives)


def _directive(name: str, table: Any, where: str) -> Directive:
    try:
        if not isinstance(table, dict):
            raise CatalogueError(f"[directive.{name}] must be a table")
        budget = table.get("budget")
        return Directive(name=name, **{**table, "budget": Budget(**budget) if budget is not None else None})
    except TypeError as exc:  # a key the dataclass does not have, or lacks
        raise CatalogueError(f"catalogue {where}, directive {name!r}: {_plain(exc)}") from exc
    except CatalogueError as exc:
        raise CatalogueError(f"catalogue {where}, directive {name!r}: {exc}") from exc


def _plain(exc: TypeError) -> str:
    return str(exc).removeprefix("Directive.__init__() ").removeprefix("Budget.__init__() ")
