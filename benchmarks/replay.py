"""`python -m benchmarks.replay FOLDER [--seeds N] [--workers N]`: our policy against SPROUT's, on SPROUT's own data.

FOLDER holds sprout/ and traces/. Every policy serves hours 800 to 1519 of every zone once per seed; a seed splits the
prompts into the half that is served and the evaluator's, and draws the requests. Figures are means over the seeds.

At equal preference, `none` is held against SPROUT's frontier over floor slacks in the same zone, straight between its
points and from always `full` (no saving, preference 100) to the first; outside of it nothing is compared.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from benchmarks.harness import write_result
from directives.replay import replay
from sprout_like.replay.run import Order, prepare

START, HOURS = 800, 720
SLACKS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3)
BLIND_SLACKS = (0.1, 0.2, 0.3, 0.4)


class Case(NamedTuple):
    """One policy on one zone with one seed."""

    zone: str
    policy: str
    context: str
    slack: float
    seed: int


CASES = (
    *((name, "", 0.1) for name in ("co2opt", "static", "oracle")),
    *(("sprout", "", slack) for slack in SLACKS),
    *(("contextual", "task", slack) for slack in (0.1, 0.15)),
    ("contextual", "text", 0.1),
    *(("contextual", "none", slack) for slack in BLIND_SLACKS),
)


def main() -> None:
    """Replay all, and write the result."""
    parser = argparse.ArgumentParser(description="Our policy against SPROUT's")
    parser.add_argument("data", type=Path, help="folder with sprout/ and traces/")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    zones = [path.name.removesuffix("_2023Q1.csv") for path in sorted((options.data / "traces").glob("*_2023Q1.csv"))]
    cases = [Case(zone, *case, seed) for case in CASES for zone in zones for seed in range(options.seeds)]
    with ProcessPoolExecutor(options.workers) as pool:
        figures = list(pool.map(figures_of, cases, [options.data] * len(cases), chunksize=options.seeds))
    by_case = defaultdict(list)
    for case, figure in zip(cases, figures, strict=True):
        by_case[f"{case.policy} {case.context}".strip(), case.slack, case.zone].append(figure)
    table = {key: summary(found) for key, found in by_case.items()}
    rows: dict[str, Any] = {}
    for (name, slack, zone), row in table.items():
        rows.setdefault(f"{name} slack {slack:g}", {})[zone] = row
    for by_zone in rows.values():
        by_zone["mean"] = {
            key: round(fmean(row[key] for row in by_zone.values()), 2)
            for key in ("saving_pct", "preference_pct", "hours_below_floor_pct", "evaluation_share_pct")
        }
    write_result(
        "replay",
        {
            "seeds": options.seeds,
            "hours": [START, START + HOURS],
            "policies": rows,
            "sprout_minus_published": published_gaps(options.data, table),
            "none_over_sprout_at_equal_preference": {zone: over_sprout(table, zone) for zone in zones},
        },
    )


def figures_of(case: Case, data: Path) -> dict[str, float]:
    """One replay's."""
    order = Order(
        requests=data / "sprout" / "requests.parquet",
        trace=data / "traces" / f"{case.zone}_2023Q1.csv",
        mix=data / "sprout" / "mix.csv",
        policy=case.policy,
        start_hour=START,
        hours=HOURS,
        floor_slack=case.slack,
        context=case.context or "task",
        seed=case.seed,
    )
    outcome = replay(order.policy, prepare(order)[0])
    return {
        "saving_pct": outcome.saving_pct,
        "preference_pct": outcome.preference_pct,
        "hours_below_floor_pct": outcome.hours_below_pct(1 - case.slack),
        "evaluations": len(outcome.evaluations),
        "evaluation_share_pct": outcome.evaluation_share_pct,
    }


def summary(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means over the seeds, and how far single seeds lie from them."""
    means = {key: round(fmean(figure[key] for figure in found), 2) for key in found[0]}
    for key in ("saving_pct", "preference_pct"):
        means[f"{key}_sd"] = round(float(np.std([figure[key] for figure in found])), 2)
    means["seeds_below_floor"] = sum(figure["hours_below_floor_pct"] > 0 for figure in found)
    return means


def published_gaps(data: Path, table: dict[tuple[str, float, str], dict[str, float]]) -> dict[str, Any]:
    """Saving and preference of `sprout`, less what its authors' simulator published, in points."""
    gaps = {}
    with (data / "sprout" / "published_february.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["scheme"] == "sprout":
                ours = table["sprout", 0.1, row["zone"]]
                gaps[row["zone"]] = {
                    key: round(ours[key] - float(row[key]), 1) for key in ("saving_pct", "preference_pct")
                }
    return gaps


def over_sprout(table: dict[tuple[str, float, str], dict[str, float]], zone: str) -> dict[str, float]:
    """By slack of `none`: its saving less SPROUT's at the same preference, in points."""
    theirs = sorted(
        (table["sprout", s, zone]["preference_pct"], table["sprout", s, zone]["saving_pct"]) for s in SLACKS
    )
    preferences, savings = zip(*[point for point in theirs if point[0] < 100], (100.0, 0.0), strict=True)
    found = {}
    for slack in BLIND_SLACKS:
        ours = table["contextual none", slack, zone]
        if preferences[0] <= ours["preference_pct"] <= 100:
            gap = ours["saving_pct"] - np.interp(ours["preference_pct"], preferences, savings)
            found[f"{slack:g}"] = round(float(gap), 1)
    return found


if __name__ == "__main__":
    main()
