"""A linear program to which rows are added between solutions, each of which starts from the last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from directives.errors import PolicyError
from directives.solving.tree import Flags, Floats

__all__ = ["LinearProgram", "Places", "Rows"]

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a matrix by their entries; no two in one place."""

    row: Places
    column: Places
    value: Floats
    count: int

    @classmethod
    def one(cls, value: Floats, column: Places) -> Rows:
        """A single row."""
        return cls(np.zeros(len(column), np.intp), column, value, 1)

    def at(self, x: Floats) -> Floats:
        """Each row's sum."""
        return np.asarray(np.bincount(self.row, self.value * x[self.column], self.count), dtype=float)


class LinearProgram:
    """The x of least cost x within its bounds and under the rows added so far; 0 where not `kept`.

    By HiGHS' dual simplex method: a solution to which rows are added is a few steps from the next one.
    """

    def __init__(self, cost: Floats, *, lower: Floats, upper: Floats, kept: Flags) -> None:
        from highspy import Highs, HighsStatus, kHighsInf  # takes a while to load, and many policies need none

        self._inf, self._error = kHighsInf, HighsStatus.kError
        self._kept = kept
        self._place = (np.cumsum(kept) - 1).astype(np.int32)
        self._highs = Highs()  # type: ignore[no-untyped-call]
        self._highs.setOptionValue("output_flag", False)
        self._highs.setOptionValue("presolve", "off")
        self._highs.setOptionValue("threads", 1)
        # The solver's tolerances are absolute, and grams per request are small.
        cost = cost[kept] / (np.abs(cost).max(initial=0.0) or 1.0)
        none = np.empty(0, np.int32)
        self._highs.addCols(len(cost), cost, lower[kept], upper[kept], 0, none, none, np.empty(0))

    def add(self, rows: Rows, *, most: Floats, least: Floats | None = None) -> None:
        """Keep each row's sum at or under `most` and, if given, at or over `least`."""
        kept = self._kept[rows.column]
        row, column, value = rows.row[kept], self._place[rows.column[kept]], rows.value[kept]
        order = np.argsort(row, kind="stable")
        starts = np.searchsorted(row[order], np.arange(rows.count)).astype(np.int32)
        low = np.full(rows.count, -self._inf) if least is None else least
        status = self._highs.addRows(rows.count, low, most, len(value), starts, column[order], value[order])
        if status == self._error:
            raise ValueError("rows the solver does not take: two entries in one place, or one that is not finite")

    def solved(self) -> Floats | None:
        """The best x; None where the rows contradict each other.

        Raises:
            PolicyError: the solver gave up.
        """
        from highspy import HighsModelStatus

        self._highs.run()
        status = self._highs.getModelStatus()
        if status == HighsModelStatus.kInfeasible:
            return None
        if status != HighsModelStatus.kOptimal:
            raise PolicyError(f"the linear program was not solved: {self._highs.modelStatusToString(status)}")
        x = np.zeros(len(self._kept))
        x[self._kept] = self._highs.getSolution().col_value
        return x
