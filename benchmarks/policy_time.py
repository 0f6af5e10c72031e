"""The contextual policy: solving a plan for 50 bins and 12 directives, and choosing from it for one request."""

from __future__ import annotations

import statistics
from random import Random
from time import process_time

from benchmarks.harness import percentiles, timed, write_result
from directives.constraints import Constraints
from directives.estimate import Estimate
from directives.evidence import Evidence, Known, Quality
from directives.policies import ContextualPolicy
from directives.policy import Observation
from directives.solving import solve
from directives.workload import LIMIT_EDGES, PROMPT_EDGES, Bin, bin_of

BINS, DIRECTIVES = 50, 12
SOLVED, CHOSEN = 40, 20_000
_JUDGED = 200
_NAMES = ("full", *(f"brief_{i}" for i in range(1, DIRECTIVES)))


def main() -> None:
    """Measure and write the result."""
    rng = Random(0)
    requests = [_request(rng, index) for index in range(BINS)]
    solving = {}
    for name, past in {"one_level": (), "four_levels": tuple(rng.uniform(50, 400) for _ in range(168))}.items():
        evidence = _evidence(rng, requests, past)
        asked = Constraints(floor=0.9)
        solve(evidence, asked, intensity_g_per_kwh=200.0)
        before_s = process_time()
        seconds = [timed(lambda e=evidence, a=asked: solve(e, a, intensity_g_per_kwh=200.0)) for _ in range(SOLVED)]
        cpu_s = (process_time() - before_s) / SOLVED
        solving[name] = {
            "median_ms": round(statistics.median(seconds) * 1e3, 2),
            "max_ms": round(max(seconds) * 1e3, 2),
            "mean_cpu_ms": round(cpu_s * 1e3, 2),
        }
    policy = ContextualPolicy(solve(evidence, asked))
    asking = (rng.choice(requests) for _ in range(CHOSEN))
    taken = [timed(lambda r=request: policy.choose(r, _NAMES, rng)) for request in asking]
    write_result(
        "policy_time",
        {
            "bins": BINS,
            "directives": DIRECTIVES,
            "solve": solving,
            "choose": percentiles(taken),
            "wanted": "one level solved in ≤ 10 ms, chosen in ≤ 20 µs",
        },
    )


def _request(rng: Random, index: int) -> Observation:
    """One for each bin: ten tasks of five lengths."""
    limit, prompt = LIMIT_EDGES[index % 4], (*PROMPT_EDGES, 10_000)[index % 5]
    return Observation(
        intensity_g_per_kwh=rng.uniform(50, 400),
        task=f"task {index // 5}",
        prompt_tokens=prompt,
        limit_tokens=limit,
        batch_size=1,
    )


def _evidence(rng: Random, requests: list[Observation], past: tuple[float, ...]) -> Evidence:
    raw = [rng.expovariate(1.0) for _ in requests]
    homes = [bin_of(request) for request in requests]
    return Evidence(
        cells=tuple(cell for home in homes for cell in _cells(rng, home)),
        mix={home: share / sum(raw) for home, share in zip(homes, raw, strict=True)},
        intensities_g_per_kwh=past,
        requests_per_day=10_000.0,
    )


def _cells(rng: Random, home: Bin) -> list[Known]:
    """The briefer, the cheaper and mostly the worse."""
    full = rng.uniform(0.3, 0.7)
    scores = [float(rng.random() < full) for _ in range(_JUDGED)]
    cells = []
    for index, name in enumerate(_NAMES):
        energy_j = 1000 * (1 - 0.07 * index * rng.uniform(0.9, 1.1))
        worth = full - 0.03 * index * rng.uniform(-0.5, 2)
        mine = scores if name == "full" else [float(rng.random() < worth) for _ in range(_JUDGED)]
        cells.append(
            Known(
                directive=name,
                bin=home,
                lossless=False,
                energy_j=Estimate(energy_j, 100.0, 50),
                time_s=Estimate(energy_j / 250, 0.4, 50),
                quality=Quality.of(zip(mine, scores, strict=True)),
            )
        )
    return cells


if __name__ == "__main__":
    main()
