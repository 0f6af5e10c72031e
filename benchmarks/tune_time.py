"""`tune` on a ledger of a million requests, on SQLite and PostgreSQL, in a process of its own each."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.harness import write_result
from sprout_like.record import RequestRecord

ROWS = 1_000_000
RUNS = 3
START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 28
COST_J = {"full": 40.0, "brief": 20.0, "very_brief": 10.0, "lookup": 25.0}
CHANCES = {"full": 0.15, "brief": 0.35, "very_brief": 0.45, "lookup": 0.05}


def main() -> None:
    """Fill, measure, write the result."""
    if len(sys.argv) > 1:
        _tune(sys.argv[1])
        return
    found: dict[str, Any] = {}
    for name, ledger in (("sqlite", _sqlite), ("postgresql", _postgres)):
        with ledger() as spec:
            if spec is None:
                continue
            start = time.monotonic()
            _fill(spec)
            filled_s = time.monotonic() - start
            runs = [
                json.loads(subprocess.run([sys.executable, "-m", "benchmarks.tune_time", spec], **_CAPTURED).stdout)
                for _ in range(RUNS)
            ]
            found[name] = {"runs": runs, "least_s": min(run["tune_s"] for run in runs), "filled_s": round(filled_s, 1)}
    write_result("tune_time", {"rows": ROWS, **found, "wanted": "tune ≤ 5 s each"})


_CAPTURED: dict[str, Any] = {"check": True, "capture_output": True, "text": True}


def _tune(spec: str) -> None:
    from sprout_like.ledger import open_engine
    from sprout_like.policies import open_catalogue
    from sprout_like.settings import Settings
    from sprout_like.tuning.propose import tune

    settings = Settings.load(floor=0.9, pue=1.2)
    engine = open_engine(spec)
    start, cpu = time.monotonic(), time.process_time()
    proposal = tune(engine, settings, open_catalogue(settings), now_utc=START + timedelta(days=DAYS), dry_run=True)
    took = {"tune_s": round(time.monotonic() - start, 2), "cpu_s": round(time.process_time() - cpu, 2)}
    load = round(os.getloadavg()[0], 2)  # of which this process is up to 1; on a busy machine all takes longer
    print(
        json.dumps({**took, "load": load, "requests": proposal.estimate["read"]["requests"], "state": proposal.state})
    )


def _fill(spec: str) -> None:
    from sqlalchemy import text

    from directives import Catalogue
    from sprout_like.ledger.address import parse_address
    from sprout_like.ledger.engine import build_engine
    from sprout_like.ledger.migrate import ensure_schema
    from sprout_like.ledger.packing import ROW
    from sprout_like.ledger.request_rows import RequestWriter

    engine = build_engine(parse_address(spec))
    ensure_schema(engine)
    rng, writer, version = Random(0), RequestWriter(), Catalogue.builtin().version
    with engine.begin() as connection:
        for first in range(0, ROWS, 10_000):
            rows = [_row(number, rng, version) for number in range(first, first + 10_000)]
            if engine.dialect.name == "sqlite":
                writer.write(connection, rows)
            else:
                packed = [writer.packed(row) for row in rows]
                writer.write_parts(connection, packed)
                _copy(connection, "request_rows", ROW, [part.values for part in packed])
        _judge(connection)
        if engine.dialect.name != "sqlite":
            connection.execute(text("ANALYZE"))  # a server does so by itself after a while
    engine.dispose()


def _copy(connection: Any, table: str, names: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    """Into PostgreSQL five times as fast as by INSERT."""
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([json.dumps(value) if isinstance(value, dict) else value for value in row])


def _row(number: int, rng: Random, catalogue_version: str) -> RequestRecord:
    """A request of 18 bins, 672 hours and 4 directives, in the order of time as real ones are."""
    from sprout_like.carbon import operational_g
    from sprout_like.ledger.testing import sample_request

    at = START + timedelta(days=DAYS * number / ROWS)
    hour = int((at - START) / timedelta(hours=1))
    intensity = round(180 + 80 * math.sin(hour / 24 * 2 * math.pi) + 7.3 * (hour % 11), 1)
    directive = rng.choices(list(CHANCES), list(CHANCES.values()))[0]
    energy = rng.gammavariate(4, COST_J[directive] / 4)
    changes = {
        "started_utc": at,
        "catalogue_version": catalogue_version,
        "task": rng.choice(["chat", "question", "summary"]),
        "prompt_tokens": rng.choice([20, 300, 900]),
        "caller_limit_tokens": rng.choice([100, 400]),
        "directive": directive,
        "propensity": CHANCES[directive],
        "candidates": "full,brief,lookup,very_brief",
        "intensity_g_per_kwh": intensity,
        "intensity_start_utc": START + timedelta(hours=hour),
        "energy_j": energy,
        "engine_s": energy / 40,
        "gpu_j": energy * 0.75,
        "cpu_j": energy * 0.2,
        "dram_j": energy * 0.05,
        "energy_by_device_j": {"GPU-0": energy * 0.75, "rapl:package-0": energy * 0.2, "rapl:dram-0": energy * 0.05},
        "operational_g": operational_g(energy, intensity, 1.2),
    }
    return sample_request(number, **changes)


def _judge(connection: Any) -> None:
    from sqlalchemy import insert

    from directives import Catalogue
    from sprout_like.ledger.schema import EvaluationRow, VerdictRow
    from sprout_like.ledger.testing import sample_request

    run = {
        "evaluation_id": "e" * 32, "started_utc": START, "ended_utc": START, "reason": "asked", "ended": "all",
        "model": sample_request().model, "catalogue_version": Catalogue.builtin().version, "judge": "exact",
        "prompts_n": 2000, "verdicts_n": 4000, "dropped_n": 0, "ties_n": 0, "first_n": 0, "second_n": 0, "dropped": {},
        "judge_energy_method": "none", "judge_s": 0.0,
    }  # fmt: skip
    verdicts = [
        {
            "evaluation_id": run["evaluation_id"], "place": place, "judged_utc": START, "prompt_number": place // 2,
            "directive": ("brief", "very_brief")[place % 2], "bin_task": ("chat", "question", "summary")[place % 3],
            "bin_prompt_tokens": "1-128", "bin_limit_tokens": "33-128", "bin_batch_size": "1",
            "score": float(place % 10 < 7), "full_score": float(place % 10 < 8),
        }
        for place in range(4000)
    ]  # fmt: skip
    connection.execute(insert(EvaluationRow), [run])
    connection.execute(insert(VerdictRow), verdicts)


@contextmanager
def _sqlite() -> Iterator[str | None]:
    with tempfile.TemporaryDirectory() as folder:
        yield str(Path(folder) / "ledger.sqlite")


@contextmanager
def _postgres() -> Iterator[str | None]:
    from sprout_like.ledger.testing_postgres import find_postgres, temporary_postgres

    binaries = find_postgres()
    if binaries is None:
        yield None
        return
    with temporary_postgres(binaries) as server:
        yield server.create_database()


if __name__ == "__main__":
    main()
