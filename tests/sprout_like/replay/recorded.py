"""Small recorded requests, a trace and a mix, as a user would give them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_FIRST = datetime(2023, 1, 1, tzinfo=UTC)
_TASKS = {"sums": "add the apples and double them", "songs": "who sang the chorus of the album"}
_ENERGY_J = {"full": 1000.0, "brief": 300.0, "very_brief": 200.0}
_SCORE = {
    "sums": {"full": 0.4, "brief": 0.2, "very_brief": 0.1},
    "songs": {"full": 0.4, "brief": 0.6, "very_brief": 0.5},
}
"""Share of the prompts whose answer is good: brevity costs quality in sums and gains some in songs."""


def requests_columns(per_task: int = 60) -> dict[str, list[Any]]:
    """Columns of prompts of two tasks, the same in every run."""
    columns: dict[str, list[Any]] = {"task": [], "prompt_index": [], "prompt": []}
    for task, words in _TASKS.items():
        for i in range(per_task):
            columns["task"].append(task)
            columns["prompt_index"].append(i)
            columns["prompt"].append(f"{words}, number {i}" + " please" * (i % 7))
            for name, energy_j in _ENERGY_J.items():
                columns.setdefault(f"quality_{name}", []).append(float(i % 10 < 10 * _SCORE[task][name]))
                columns.setdefault(f"energy_j_{name}", []).append(energy_j + i)
                columns.setdefault(f"duration_s_{name}", []).append(energy_j / 250)
    return columns


@dataclass(frozen=True)
class Given:
    """Three files, and how to write each of them anew."""

    folder: Path

    @property
    def requests(self) -> Path:
        return self.folder / "requests.parquet"

    @property
    def trace(self) -> Path:
        return self.folder / "XX_2023.csv"

    @property
    def mix(self) -> Path:
        return self.folder / "mix.csv"

    @property
    def arguments(self) -> tuple[object, ...]:
        """Of the command, in a window of two days."""
        files = ("--requests", self.requests, "--trace", self.trace, "--mix", self.mix)
        return ("replay", *files, "--start-hour", 48, "--hours", 48, "--requests-per-hour", 300)

    def write_requests(self, columns: dict[str, list[Any]]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        with self.requests.open("wb") as raw:
            pq.write_table(pa.table(columns), raw)

    def write_trace(self, rows: Sequence[tuple[str, object]], column: str = "direct_g_per_kwh") -> None:
        _write_csv(self.trace, [("time_utc", column), *rows])

    def write_mix(self, rows: Sequence[Sequence[object]], header: Sequence[object] = ("hour", *_TASKS)) -> None:
        _write_csv(self.mix, [header, *rows])


def trace_rows(hours: int = 120) -> list[tuple[str, object]]:
    """Clean nights and dirty days."""
    stamps = (_FIRST + timedelta(hours=i) for i in range(hours))
    return [(f"{stamp:%Y-%m-%dT%H:%M:%SZ}", 100 + 10 * (stamp.hour % 12)) for stamp in stamps]


def mix_rows(hours: int = 48) -> list[tuple[object, ...]]:
    """Half sums, half songs."""
    return [(hour, 0.5, 0.5) for hour in range(hours)]


def _write_csv(file: Path, rows: Sequence[Sequence[object]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(rows)
