"""What a report reads, grouped by day, model, directive, task and a tag, against DuckDB on the same rows.

Ours come from the sums that are kept beside the rows; DuckDB reads all rows, in its own format, each time. SQLite and
PostgreSQL. And a month's report as HTML with its manifest: the command from its start to its end.
`python -m benchmarks.report_time --rows 10000000`, or `--ledger FILE --ledger URL` for those that are there already:
they are rolled up by this, and stay.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow
from sqlalchemy import JSON, Engine, Select, Text, cast, func, select, text, type_coerce

from benchmarks.harness import interleaved, timed, write_result
from benchmarks.synthetic_ledger import fill
from benchmarks.synthetic_requests import BEGIN_UTC
from sprout_like.ledger import open_engine
from sprout_like.ledger.best_known import FACTORS, KIND, OPERATIONAL_G, PROVISIONAL, SETTLED
from sprout_like.ledger.rollups.facts import daily_facts
from sprout_like.ledger.rollups.roller import roll_up
from sprout_like.ledger.schema import DayRow, HourRow, RequestRow
from sprout_like.ledger.testing_postgres import find_postgres, temporary_postgres

_ROUNDS: Final = 7
_PAGES: Final = 5
_CHUNK: Final = 100_000
_GROUPINGS: Final = ("day", "model", "directive", "task", "tag:team")
_LATER: Final = datetime(2100, 1, 1, tzinfo=UTC)

_SUMS: Final = (
    "requests_n",
    "errors_n",
    "new_tokens",
    "energy_j",
    "energy_known_n",
    "uncertainty_j",
    "operational_g",
    "embodied_g",
    "carbon_known_n",
    "settled_n",
    "provisional_n",
)

_DUCK_GROUPS: Final = {
    "day": "date_trunc('day', started_utc)",
    "model": "model",
    "directive": "directive",
    "task": "task",
    "tag:team": "tags->>'$.team'",
}
_DUCK_QUERY: Final = """
SELECT {group} AS line, purpose, kind, factors, count(*), sum(errors), sum(new_tokens), sum(energy_j), count(energy_j),
    sum(uncertainty_j), sum(operational_g), sum(embodied_g), count(operational_g), sum(settled), sum(provisional)
FROM requests GROUP BY ALL
"""


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--ledger", metavar="FILE|URL", action="append", help="a filled ledger; then none is made")
    options = parser.parse_args()
    figures = dict(map(_measure, options.ledger or _made(options.rows)))
    write_result("report_time", {**figures, "wanted": "over_duckdb <= 3 for every grouping, html_s <= 5"})


def _made(rows: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        spec = str(Path(folder) / "ledger.sqlite")
        _fill(spec, rows)
        yield spec
    binaries = find_postgres()
    if binaries is not None:
        with temporary_postgres(binaries) as server:
            spec = server.create_database()
            _fill(spec, rows)
            yield spec


def _fill(spec: str, rows: int) -> None:
    for _ in fill(spec, rows=rows):
        pass


def _measure(spec: str) -> tuple[str, dict[str, Any]]:
    """The database's name, and its figures."""
    engine = open_engine(spec)
    bytes_of_rows = _bytes(engine)
    outcomes: list[Any] = []
    roll_up_s = timed(lambda: outcomes.append(roll_up(engine, now_utc=_LATER)))
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
    with _duck(engine) as duck:
        calls: dict[str, Callable[[], object]] = {}
        for grouping in _GROUPINGS:
            calls[f"ours {grouping}"] = lambda by=grouping: _ours(engine, by)
            calls[f"duckdb {grouping}"] = lambda by=grouping: _theirs(duck, by)
            _assert_same(_ours(engine, grouping), _theirs(duck, grouping))
        seconds = interleaved(calls, _ROUNDS, warm_up=1)
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    with engine.connect() as connection:
        requests_n = connection.scalar(select(func.count()).select_from(RequestRow)) or 0
        lines = {
            row.__tablename__: connection.scalar(select(func.count()).select_from(row)) for row in (HourRow, DayRow)
        }
    bytes_in_all = _bytes(engine)
    name = engine.dialect.name
    engine.dispose()
    return name, {
        "rows": requests_n,
        "first_roll_up_s": round(roll_up_s, 2) if outcomes[0].hours_n else None,
        "hours_rolled_up": outcomes[0].hours_n,
        "lines": lines,
        "bytes_per_row_before_roll_up": round(bytes_of_rows / requests_n, 1) if outcomes[0].hours_n else None,
        "bytes_per_row": round(bytes_in_all / requests_n, 1),
        "report_ms": {
            grouping: {
                "ours": round(medians[f"ours {grouping}"] * 1e3, 1),
                "duckdb": round(medians[f"duckdb {grouping}"] * 1e3, 1),
                "over_duckdb": round(medians[f"ours {grouping}"] / medians[f"duckdb {grouping}"], 2),
            }
            for grouping in _GROUPINGS
        },
        "html_s": _html(spec),
    }


def _html(spec: str) -> dict[str, float]:
    """The command as a process of its own: by the wall, and of the processor where it runs."""
    command = [sys.executable, "-m", "sprout_like", "report", "--period", f"{BEGIN_UTC:%Y-%m}", "--force", "--out"]
    taken: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(_PAGES + 1):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            whole_s = timed(
                lambda: subprocess.run(
                    [*command, str(Path(folder) / "month.html")],
                    env={**os.environ, "SPROUT_LEDGER": spec},
                    check=True,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            taken.append((whole_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    walls, processors = zip(*taken[1:], strict=True)
    return {
        "p50": round(statistics.median(walls), 2),
        "max": round(max(walls), 2),
        "processor_p50": round(statistics.median(processors), 2),
        "n": _PAGES,
    }


def _ours(engine: Engine, by: str) -> list[Any]:
    lines = daily_facts(engine)
    groups = {"day": func.date(lines.c.hour_utc), "tag:team": _team(engine, lines.c.tags)}
    keys = (groups.get(by, lines.c.get(by)), lines.c.purpose, lines.c.kind, lines.c.factors)
    query: Select[Any] = select(*keys, *(func.sum(lines.c[name]) for name in _SUMS)).group_by(*keys)
    with engine.connect() as connection:
        return list(connection.execute(query).all())


def _bytes(engine: Engine) -> int:
    """The whole database on the disk, indexes and sums included."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return Path(str(engine.url.database)).stat().st_size
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)


def _team(engine: Engine, tags: Any) -> Any:
    if engine.dialect.name == "postgresql":
        return func.json_extract_path_text(cast(tags, JSON), "team")
    return func.json_extract(tags, "$.team")


def _theirs(duck: duckdb.DuckDBPyConnection, by: str) -> list[Any]:
    return duck.execute(_DUCK_QUERY.format(group=_DUCK_GROUPS[by])).fetchall()


def _assert_same(ours: list[Any], theirs: list[Any]) -> None:
    """As many lines, requests and joules on both sides."""
    assert len(ours) == len(theirs), (len(ours), len(theirs))
    assert sum(line[4] for line in ours) == sum(line[4] for line in theirs)
    joules = [sum(line[7] or 0.0 for line in lines) for lines in (ours, theirs)]
    assert abs(joules[0] - joules[1]) <= 1e-9 * joules[1], joules


@contextmanager
def _duck(engine: Engine) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same rows, of the columns that a report reads, in a table of DuckDB's own on the disk."""
    postgres = engine.dialect.name == "postgresql"
    columns: dict[str, tuple[Any, str]] = {
        "started_utc": (RequestRow.started_utc, "TIMESTAMP"),
        "purpose": (RequestRow.purpose, "VARCHAR"),
        "model": (RequestRow.model, "VARCHAR"),
        "directive": (RequestRow.directive, "VARCHAR"),
        "task": (func.coalesce(RequestRow.task, RequestRow.inferred_task), "VARCHAR"),
        "tags": (type_coerce(cast(RequestRow.tags, Text) if postgres else RequestRow.tags, Text), "VARCHAR"),
        "kind": (KIND, "VARCHAR"),
        "factors": (FACTORS, "VARCHAR"),
        "errors": (RequestRow.status == "error", "INTEGER"),
        "new_tokens": (RequestRow.new_tokens, "INTEGER"),
        "energy_j": (RequestRow.energy_j, "DOUBLE"),
        "uncertainty_j": (RequestRow.energy_uncertainty_j, "DOUBLE"),
        "operational_g": (OPERATIONAL_G, "DOUBLE"),
        "embodied_g": (RequestRow.embodied_g, "DOUBLE"),
        "settled": (SETTLED, "INTEGER"),
        "provisional": (PROVISIONAL, "INTEGER"),
    }
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "duck.db")) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        types = ", ".join(f"{name} {kind}" for name, (_, kind) in columns.items())
        duck.execute(f"CREATE TABLE requests ({types})")
        query = select(*(value.label(name) for name, (value, _) in columns.items()))
        with engine.connect().execution_options(yield_per=_CHUNK) as connection:
            for chunk in connection.execute(query).partitions():
                table = pyarrow.table(dict(zip(columns, map(list, zip(*chunk, strict=True)), strict=True)))
                duck.register("chunk", table)
                duck.execute("INSERT INTO requests SELECT * FROM chunk")
        duck.execute("CHECKPOINT")
        yield duck


if __name__ == "__main__":
    main()
