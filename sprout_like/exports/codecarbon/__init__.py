"""A ledger as CodeCarbon's `emissions.csv`, for what reads such files: carbonboard, pandas, spreadsheets."""

from __future__ import annotations

import csv
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

from sprout_like.exports.codecarbon.lines import COLUMNS, line
from sprout_like.reports.formats.comma import harmless

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from sprout_like.exports.codecarbon.read import Per

__all__ = ["COLUMNS", "write_codecarbon"]


def write_codecarbon(
    engine: Engine,
    out: TextIO,
    *,
    per: Per = "request",
    since_utc: datetime | None = None,
    until_utc: datetime | None = None,
    project: str = "sprout-like",
    known_only: bool = False,
) -> int:
    """Write the file; returns how many lines of data it has.

    What is unknown is an empty cell, and grams of different kinds or factors are in lines of their own. Texts that a
    spreadsheet would take for a formula begin with an apostrophe.

    Args:
        engine: of a ledger.
        out: a text file opened with `newline=""`.
        per: what a line stands for: a `request`, or those of a `session` or a `day`.
        since_utc: the first moment.
        until_utc: the moment after the last.
        project: CodeCarbon's `project_name`.
        known_only: leave out requests of unknown energy or grams, where a reader adds up without looking: to
            carbonboard one empty cell makes a project's sum `nan`.
    """
    from sprout_like.exports.codecarbon.read import parts

    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    lines_n = 0
    for part in parts(engine, per=per, since_utc=since_utc, until_utc=until_utc, known_only=known_only):
        writer.writerow({name: harmless(value) for name, value in line(part, project).items()})
        lines_n += 1
    return lines_n
