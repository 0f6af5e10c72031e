"""A large ledger of made-up requests that adds up: `python -m benchmarks.synthetic_ledger FILE|URL --rows 10000000`.

Three models on four machines in three zones, half-hourly intensity that drifts, a policy that shortens answers where
it is high beside a control group of 5 %, errors, unknown energies and intensities, settled and provisional rows, jobs,
evaluations, kept answers, tags. `sprout-like ledger check` passes. The same seed gives the same rows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from time import perf_counter
from typing import Any, Final

from sqlalchemy import Engine, insert

from benchmarks.synthetic_requests import MODELS, Traffic, accounts
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.postgres_store import PostgresStore
from sprout_like.ledger.rows import Record
from sprout_like.ledger.schema import Base, EvaluationRow, JobItemRow, JobRow, JobRunRow, VerdictRow
from sprout_like.ledger.sqlite_store import SqliteStore
from sprout_like.record import RequestRecord

__all__ = ["fill"]

_BATCH: Final = 5_000
_ITEMS: Final = 4


def main() -> None:
    """Fill a ledger and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ledger", metavar="FILE|URL")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--months", type=int, default=1, help="of 30 days each, from 2026-01-01")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begun_s = perf_counter()
    for done in fill(options.ledger, rows=options.rows, days=30 * options.months, seed=options.seed):
        if sys.stderr.isatty():
            print(f"\r{done:,} requests, {perf_counter() - begun_s:,.0f} s", end="", file=sys.stderr, flush=True)
    print(f"{options.rows:,} requests in {perf_counter() - begun_s:,.1f} s")


def fill(spec: str, *, rows: int, days: int = 30, seed: int = 0) -> Iterator[int]:
    """Write that many requests, and all that belongs to them, into a new ledger; yields how many are written.

    Every row goes through the ledger's own store, so that nothing here depends on how that keeps them.
    """
    traffic = Traffic(rows=rows, hours=24 * days, seed=seed)
    engine = build_engine(parse_address(spec))
    store = SqliteStore(engine) if engine.dialect.name == "sqlite" else PostgresStore(engine)
    store.prepare()
    _write(store, traffic.published())
    written = 0
    for hour in range(traffic.hours):
        requests = traffic.requests(hour)
        _write(store, [*requests, *accounts(requests)])
        if hour % 24 == 12:
            _add_job(engine, [row for row in requests if row.purpose == "job" and row.status == "ok"][:_ITEMS])
            _add_evaluations(engine, requests)
        written += len(requests)
        yield written
    store.close()


def _write(store: SqliteStore | PostgresStore, records: Sequence[Record]) -> None:
    for first in range(0, len(records), _BATCH):
        store.insert(records[first : first + _BATCH])


def _add_job(engine: Engine, answered: Sequence[RequestRecord]) -> None:
    """A job whose items these requests were, its texts forgotten."""
    if not answered:
        return
    first, last = answered[0], answered[-1]
    job_id = first.request_id
    ended_utc = last.started_utc + timedelta(seconds=last.duration_s)
    tokens, limits = sum(row.new_tokens or 0 for row in answered), sum(row.limit_tokens or 0 for row in answered)
    sums = {
        name: sum(known)
        if (known := [value for row in answered if (value := getattr(row, name)) is not None])
        else None
        for name in ("energy_j", "operational_g")
    }
    job = {
        "job_id": job_id,
        "submitted_utc": first.started_utc - timedelta(hours=6),
        "deadline_utc": first.started_utc + timedelta(hours=18),
        "model": first.model,
        "zones": [first.zone],
        "tags": {"team": "research"},
        "items_n": len(answered),
        "state": "done",
        "finished_utc": ended_utc,
        "planned_g": sums["operational_g"],
        "at_once_g": None if sums["operational_g"] is None else 1.4 * sums["operational_g"],
        "limit_tokens": limits,
        "done_n": len(answered),
        "failed_n": 0,
        "done_tokens": tokens,
        "done_limit_tokens": limits,
        "failed_limit_tokens": 0,
        "forgotten_utc": ended_utc + timedelta(days=1),
        **sums,
    }
    run = {
        "run_id": job_id,
        "job_id": job_id,
        "worker_id": "a" * 32,
        "zone": first.zone,
        "started_utc": first.started_utc,
        "ended_utc": ended_utc,
        "items_n": len(answered),
        "new_tokens": tokens,
        **sums,
    }
    items = [_item(job_id, place, row) for place, row in enumerate(answered)]
    _insert(engine, (JobRow, [job]), (JobItemRow, items), (JobRunRow, [run]))


def _item(job_id: str, place: int, row: RequestRecord) -> dict[str, Any]:
    copied = ("request_id", "directive", "prompt_tokens", "new_tokens", "finish_reason", "energy_j", "energy_method")
    return {
        **{name: getattr(row, name) for name in (*copied, "operational_g", "task", "limit_tokens")},
        "job_id": job_id,
        "place": place,
        "turn": place,
        "arguments": {},
        "state": "done",
        "attempts": 1,
        "lost_n": 0,
        "finished_utc": row.started_utc + timedelta(seconds=row.duration_s),
    }


def _add_evaluations(engine: Engine, requests: Sequence[RequestRecord]) -> None:
    """One run of the evaluator per model, of those requests that were generated for it."""
    for model in MODELS:
        rows = [row for row in requests if row.purpose == "evaluation" and row.model == model]
        if not rows:
            continue
        known_g = [row.operational_g for row in rows if row.operational_g is not None]
        evaluation = {
            "evaluation_id": rows[0].request_id,
            "started_utc": rows[0].started_utc,
            "ended_utc": rows[-1].started_utc + timedelta(seconds=rows[-1].duration_s),
            "reason": "new evidence",
            "ended": "enough",
            "model": model,
            "catalogue_version": rows[0].catalogue_version,
            "judge": "synthetic",
            "prompts_n": len(rows),
            "verdicts_n": len(rows),
            "dropped_n": 0,
            "ties_n": 0,
            "first_n": len(rows),
            "second_n": 0,
            "dropped": {},
            "energy_j": sum(row.energy_j or 0.0 for row in rows),
            "operational_g": sum(known_g) if known_g else None,
            "embodied_g": sum(row.embodied_g or 0.0 for row in rows),
            "judge_energy_j": 2.0 * len(rows),
            "judge_energy_method": "estimated",
            "judge_operational_g": None,
            "judge_tokens": 200 * len(rows),
            "judge_s": 0.5 * len(rows),
        }
        _insert(engine, (EvaluationRow, [evaluation]), (VerdictRow, _verdicts(rows)))


def _verdicts(rows: Sequence[RequestRecord]) -> list[dict[str, Any]]:
    return [
        {
            "evaluation_id": rows[0].request_id,
            "place": place,
            "judged_utc": row.started_utc,
            "prompt_number": place,
            "request_id": row.request_id,
            "directive": row.directive,
            "bin_task": row.task or "",
            "bin_prompt_tokens": "",
            "bin_limit_tokens": "",
            "bin_batch_size": "",
            "score": 0.95,
            "full_score": 1.0,
        }
        for place, row in enumerate(rows)
    ]


def _insert(engine: Engine, *parts: tuple[type[Base], list[dict[str, Any]]]) -> None:
    with engine.begin() as connection:
        for table, rows in parts:
            connection.execute(insert(table), rows)


if __name__ == "__main__":
    main()
