"""Writes the schema's documentation: `python -m sprout_like.ledger.schema_doc > docs/schema.md`."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Final

from sqlalchemy import Table, make_url

from sprout_like.ledger.migrate import HEAD
from sprout_like.ledger.rows import KINDS, Record
from sprout_like.ledger.schema import Base

__all__ = ["schema_markdown"]

_INTRODUCTION: Final = f"""\
# The ledger's tables

Schema {HEAD}. Written by `python -m sprout_like.ledger.schema_doc` from the code; do not edit.
Units are in the names. NULL means unknown and is never stored as 0. No column here holds prompt or answer text. Two
other tables do, and are empty unless asked for: `answers` holds answers as tokens under `answer_cache = "ledger"`,
`prompts` holds prompts and answers under `sample_share`, until they expire.
"""


def schema_markdown() -> str:
    """Every column with its types, whether it may be NULL, and what it means."""
    return _INTRODUCTION + "".join(_section(Base.metadata.tables[name], record) for name, record in KINDS.items())


def meanings(record: type[Record]) -> dict[str, str]:
    """What each field means, from the `Attributes` section of the record's docstring.

    There, an entry is `name: meaning` or `name, name: meaning`, at the start of a line or after a full stop.
    """
    attributes = inspect.cleandoc(record.__doc__ or "").partition("Attributes:\n")[2]
    text = " ".join(attributes.split())
    name = "|".join(sorted(record.__slots__, key=len, reverse=True))
    parts = re.split(rf"(?:^|(?<=[.] ))((?:{name})(?:, (?:{name}))*): ", text)[1:]
    found: dict[str, str] = {}
    for names, meaning in zip(parts[::2], parts[1::2], strict=True):
        found |= dict.fromkeys(names.split(", "), meaning.strip().replace("None", "NULL"))
    return found


def _section(table: Table, record: type[Record]) -> str:
    dialects = [make_url(url).get_dialect()() for url in ("sqlite://", "postgresql://")]
    meaning = meanings(record)
    lines = [f"\n## `{table.name}`\n", "| column | SQLite | PostgreSQL | NULL | meaning |", "|---|---|---|---|---|"]
    for column in table.columns:
        types = [column.type.compile(dialect) for dialect in dialects]
        null = "yes" if column.nullable else "key" if column.primary_key else "no"
        lines.append(f"| `{column.name}` | {types[0]} | {types[1]} | {null} | {meaning[column.name]} |")
    indexes = [f"`{index.name}` ({', '.join(index.columns.keys())})" for index in table.indexes]
    lines += [f"\nIndexes beside the key: {', '.join(sorted(indexes)) or 'none'}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_markdown())
