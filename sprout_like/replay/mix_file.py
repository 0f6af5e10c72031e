"""The mix of the work: which tasks come in each hour, from a CSV file."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sprout_like.errors import NothingToLearn

if TYPE_CHECKING:
    from directives.replay.data import Floats

__all__ = ["Mix", "read_mix"]

_ROUNDED: Final = 1e-3
"""How far shares that were rounded for printing may be from summing to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Shares of the tasks (columns) in each hour (rows)."""

    tasks: tuple[str, ...]
    shares: Floats


def read_mix(file: Path, hours: int) -> Mix:
    """Read `hour` and one column per task; each row's shares sum to 1.

    Tasks that never come in these hours are left out.

    Raises:
        NothingToLearn: it cannot be read, there are too few hours, they are out of order, or their shares are none.
    """
    import numpy as np

    header, rows = _table(file)
    if len(rows) < hours:
        raise NothingToLearn(f"{file}: it has {len(rows)} hours of the {hours} asked for; give more, or fewer --hours")
    shares = np.array([_shares(file, hour, rows[hour], header[1:]) for hour in range(hours)])
    met = shares.sum(axis=0) > 0
    tasks = tuple(name for name, comes in zip(header[1:], met, strict=True) if comes)
    return Mix(tasks=tasks, shares=shares[:, met] / shares.sum(axis=1, keepdims=True))


def _table(file: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            header, *rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if row] or [[]]
    except OSError as exc:
        raise NothingToLearn(f"{file}: cannot be read: {exc.strerror or exc}; check the path") from exc
    except (UnicodeDecodeError, csv.Error) as exc:
        raise NothingToLearn(f"{file}: it is no CSV file in UTF-8 ({exc}); give one") from exc
    if header[:1] != ["hour"] or len(header) < 2 or "" in header or len(set(header)) < len(header):
        raise NothingToLearn(
            f"{file}: its header is {','.join(header) or 'empty'}; give hour and a column per task, each once"
        )
    return header, rows


def _shares(file: Path, hour: int, row: list[str], tasks: list[str]) -> list[float]:
    where = f"{file}, row {hour + 1}"
    if len(row) != len(tasks) + 1 or row[0] not in (str(hour), f"{hour}.0"):
        raise NothingToLearn(f"{where}: it is not hour {hour} with {len(tasks)} shares; give every hour, from 0 on")
    shares = []
    for task, cell in zip(tasks, row[1:], strict=True):
        try:
            share = float(cell)
        except ValueError:
            share = math.nan
        if not 0 <= share <= 1 + _ROUNDED:
            raise NothingToLearn(f"{where}: the share of {task} is {cell or 'empty'}; give one from 0 to 1")
        shares.append(share)
    if abs(math.fsum(shares) - 1) > _ROUNDED:
        raise NothingToLearn(f"{where}: the shares sum to {math.fsum(shares):g}; give shares that sum to 1")
    return shares
