"""`python -m benchmarks.job_windows FOLDER`: jobs that wait, on every trace in the folder, with our own forecast.

For each trace as much as it holds after two weeks of history: 1,000 jobs a year, a quarter of them with each deadline,
each on a worker of its own, against running at once; and the share of what perfect foresight would have saved. Then one
trace with all jobs on one worker, all zones of one quarter together, and the time of a whole year.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from time import process_time
from typing import Any

from benchmarks.harness import write_result
from sprout_like.jobs.simulating import Order, Report, simulate

JOBS_A_YEAR = 1000
HISTORY_DAYS = 14


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description="Jobs that wait, on traces of the past")
    parser.add_argument("traces", type=Path, help="folder of traces: CSV with direct_g_per_kwh")
    folder = parser.parse_args().traces
    quarters = sorted(folder.glob("*_????Q?.csv"))
    years = sorted(folder.glob("*_????.csv.gz"))
    alone, cpu_s = {}, {}
    for path in (*quarters, *years):
        before_s, name = process_time(), path.name.partition(".")[0]
        alone[name] = _run((path,))
        cpu_s[name] = process_time() - before_s
    shared = {path.name.partition(".")[0]: _run((path,), shared=True) for path in quarters[:1]}
    together = _run(tuple(quarters))
    shares = [report.of("planned").all.of_optimum_pct or 0.0 for report in alone.values()]
    write_result(
        "job_windows",
        {
            "wanted": ">= 90 % of the optimum's saving on average, no deadline missed, a year of 1,000 jobs in <= 60 s",
            "of_optimum_pct": {"mean": round(statistics.mean(shares), 1), "least": round(min(shares), 1)},
            "of_optimum_pct_by_deadline_h": {
                f"{hours:g}": round(
                    statistics.mean(
                        share.of_optimum_pct or 0.0
                        for report in alone.values()
                        for share in report.of("planned").by_deadline
                        if share.hours == hours
                    ),
                    1,
                )
                for hours in Order(traces=(folder,)).deadline_hours
            },
            "missed": sum(report.of("planned").all.missed for report in alone.values()),
            "a_year_of_1000_jobs": {
                name: {"wall_s": round(report.wall_s, 1), "cpu_s": round(cpu_s[name], 1)}
                for name, report in alone.items()
                if report.jobs_n == JOBS_A_YEAR
            },
            "zones": {name: _told(report) for name, report in alone.items()},
            "one_worker_for_all_jobs": {name: _told(report) for name, report in shared.items()},
            "all_zones_together": {"home": together.order.names[0], **_told(together)},
        },
    )


def _run(paths: tuple[Path, ...], *, shared: bool = False) -> Report:
    days = 365 if paths[0].name.endswith(".gz") else 90
    jobs = JOBS_A_YEAR if days > 300 else round(JOBS_A_YEAR * (days - HISTORY_DAYS) / 365)
    return simulate(Order(traces=paths, jobs=jobs, shared=shared))


def _told(report: Report) -> dict[str, Any]:
    return {
        "jobs": report.jobs_n,
        "wall_s": round(report.wall_s, 1),
        "policies": {
            each.policy: {
                "saving_pct": _rounded(each.all.saving_pct),
                "of_optimum_pct": _rounded(each.all.of_optimum_pct),
                "missed": each.all.missed,
                "starts": each.starts,
                "of_optimum_pct_by_deadline_h": {
                    f"{share.hours:g}": _rounded(share.of_optimum_pct) for share in each.by_deadline
                },
            }
            for each in report.figures
        },
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


if __name__ == "__main__":
    main()
