"""A policy from evidence: what is known, what is asked, the plan made of it, one decision. Plain values, no model."""

import random

from directives import (
    Bin,
    Constraints,
    ContextualPolicy,
    Estimate,
    Evidence,
    Infeasible,
    Known,
    Observation,
    Quality,
    bin_of,
)
from directives.solving import solve


def judged(directive: str, task: str, energy_j: float, wins: int, prompts: int = 1000) -> Known:
    """A directive whose answers a judge preferred to `full`'s in some of the prompts; `full` in the others."""
    pairs = [(1.0, 0.0)] * wins + [(0.0, 1.0)] * (prompts - wins)
    return Known(
        directive=directive,
        bin=Bin(task=task),
        lossless=False,
        energy_j=Estimate(energy_j, 0.1 * energy_j, prompts),
        quality=Quality.of(pairs),
    )


evidence = Evidence(
    cells=(
        *(
            Known(directive="full", bin=Bin(task=t), lossless=True, energy_j=Estimate(40.0, 4.0, 400))
            for t in ("qa", "poem")
        ),
        judged("brief", "qa", 15.0, wins=575),
        judged("brief", "poem", 12.0, wins=225),
        Known(directive="lookup", bin=Bin(task="qa"), lossless=True, energy_j=Estimate(31.0, 3.0, 50)),
        Known(directive="very_brief", bin=Bin(task="qa"), lossless=False, energy_j=Estimate(8.0, 1.0, 50)),
    ),
    mix={Bin(task="qa"): 0.7, Bin(task="poem"): 0.3},
)

plan = solve(evidence, Constraints(floor=0.95), intensity_g_per_kwh=300)
for home, shares in sorted(plan.levels[0].items()):
    tried = f"; tries {', '.join(plan.explored[home])}" if home in plan.explored else ""
    print(
        f"{home.task or 'anything else'}: " + ", ".join(f"{share:.0%} {name}" for name, share in shares.items()) + tried
    )
expected = plan.expected
print(
    f"saves {1 - expected.carbon_g / expected.full_carbon_g:.0%}, quality at least {expected.quality_low:.0%} of full's"
)

policy = ContextualPolicy(plan)
seen = Observation(task="qa", intensity_g_per_kwh=300)
decision = policy.choose(seen, candidates=["full", "brief", "lookup", "very_brief"], rng=random.Random(1))
print(f"{bin_of(seen).task}: {decision.directive}, with probability {decision.propensity:.3f} ({decision.reason})")

try:
    solve(evidence, Constraints(floor=0.95, latency_limit_s={"qa": 0.2}), intensity_g_per_kwh=300)
except Infeasible as exc:
    print(exc)
