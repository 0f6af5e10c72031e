"""16 threads × 500 requests on an engine that does nothing, against SQLite and against PostgreSQL: is every row there?

Counts, propensities and sums are compared with what the threads were given back; times are reported, not judged.
"""

from __future__ import annotations

import math
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.harness import write_result

THREADS = 16
REQUESTS = 500


def storm(ledger: str, *, spool: Path) -> dict[str, Any]:
    """Serve `THREADS × REQUESTS` and compare the database with what was handed out.

    Returns:
        Counts and differences; everything is right where `missing`, `extra` and `different` are 0.
    """
    from sqlalchemy import select

    from sprout_like import CarbonAware, Settings
    from sprout_like.ledger import open_engine
    from sprout_like.ledger.check import check
    from sprout_like.ledger.schema import RequestRow
    from sprout_like.testing import NullEngine

    settings = Settings.load(control_share=0.25, spool=spool)
    with CarbonAware(
        None, engine=NullEngine(), grid=250, policy="threshold", ledger=ledger, settings=settings
    ) as aware:

        def client(_: int) -> list[Any]:
            return [aware.chat("x").record for _ in range(REQUESTS)]

        start = perf_counter()
        with ThreadPoolExecutor(THREADS) as pool:
            served = [record for records in pool.map(client, range(THREADS)) for record in records]
        seconds = perf_counter() - start
    engine = open_engine(ledger)
    columns = (RequestRow.request_id, RequestRow.propensity, RequestRow.directive, RequestRow.energy_j)
    with engine.connect() as connection:
        rows = connection.execute(select(*columns)).all()
    report = check(engine)
    engine.dispose()
    stored = {row.request_id: tuple(row[1:]) for row in rows}
    given = {r.request_id: (r.propensity, r.directive, r.energy_j) for r in served}
    return {
        "rows": len(rows),
        "missing": len(given.keys() - stored.keys()),
        "extra": len(rows) - len(given),
        "different": sum(stored.get(key) != value for key, value in given.items()),
        "sum_of_energy_j_differs_by": abs(math.fsum(r.energy_j for r in rows) - math.fsum(r.energy_j for r in served)),
        "control_share": round(sum(r.decision_group == "control" for r in served) / len(served), 4),
        "wrong_propensities": sum(r.propensity != (0.25 if r.directive == "full" else 0.75) for r in served),
        "ledger_check_ok": report.ok,
        "requests_per_s": round(len(served) / seconds),
    }


def main() -> None:
    """Run against both databases and write the result."""
    from sprout_like.ledger.testing_postgres import find_postgres, temporary_postgres

    result: dict[str, Any] = {"threads": THREADS, "requests_per_thread": REQUESTS}
    with tempfile.TemporaryDirectory() as folder:
        spool = Path(folder) / "spool.sqlite"
        result["sqlite"] = storm(str(Path(folder) / "ledger.sqlite"), spool=spool)
        binaries = find_postgres()
        if binaries is None:
            result["postgresql"] = "not measured: there is no server to start"
        else:
            with temporary_postgres(binaries) as server:
                result["postgresql"] = storm(server.create_database(), spool=spool)
    write_result("concurrency", result)


if __name__ == "__main__":
    main()
