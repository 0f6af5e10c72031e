"""What a report's savings are worth: how often the measured one's interval covers the truth, how far the other errs.

`python -m benchmarks.savings_proof [--runs N]` simulates a fleet whose savings are known (`benchmarks/fleet.py`).
"Before" is the comparison of the two groups' plain means with normal quantiles, which ignores when and for what work a
request came.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from benchmarks.fleet import DIRECTIVES, KINDS, WEEKS, Fleet, Ledger, Whole, drawn_j, expected_j, moments_of, simulate
from benchmarks.harness import write_result
from sprout_like.reports.saving import overall_savings, savings

__all__ = ["MODELS_OF_SAVING", "SCENARIOS", "Found", "Model", "bias", "coverage", "measured", "modelled"]

_NO_EFFECT: Final = ((1.0, 1.0, 1.0),) * len(DIRECTIVES)
_DEARER: Final = ((1.0, 1.0, 1.0), (1.1, 1.1, 1.1), (1.2, 1.2, 1.2), (1.0, 1.0, 1.0))
_SAME: Final = (1.0,) * len(DIRECTIVES)

SCENARIOS: Final[Mapping[str, Fleet]] = {
    "30 control rows": Fleet(requests=600),
    "100 control rows": Fleet(requests=2_000),
    "1,000 control rows": Fleet(requests=20_000),
    "control share falls from 20 to 2 %": Fleet(requests=5_000, control_share=(0.2, 0.1, 0.05, 0.02)),
    "no control group in the last week": Fleet(requests=5_000, control_share=(0.05, 0.05, 0.05, 0.0)),
    "40 % of one directive's energies unknown": Fleet(requests=5_000, unknown_of=(0.0, 0.0, 0.4, 0.0)),
    "two kinds of intensity": Fleet(requests=5_000, second_kind=True),
    "a directive caps all answers": Fleet(requests=5_000, shortening=_NO_EFFECT, capped_tokens=60.0),
    "nothing is saved": Fleet(requests=5_000, shortening=_NO_EFFECT, per_request_factor=_SAME),
    "the policy is dearer": Fleet(requests=5_000, shortening=_DEARER, per_request_factor=_SAME),
}

_Z_95: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Found:
    """One saving with its interval, and the true one."""

    truth: float
    saving: float
    low: float
    high: float


def measured(fleet: Fleet, seed: int) -> dict[str, Found]:
    """One run: by what is compared, and for energy and grams by the plain means as well."""
    ledger = simulate(fleet, seed)
    rows = moments_of(ledger)
    covered = {week for week in range(WEEKS) if fleet.control_share[week] > 0}
    found: dict[str, Found] = {}
    for each in overall_savings(rows, []):
        name = each.quantity if each.intensity_kind in (None, KINDS[0][0]) else f"carbon, {each.intensity_kind}"
        found[name] = Found(
            _truth(ledger, each.quantity, each.intensity_kind, covered), each.saving, each.low, each.high
        )
    for each in savings([row for row in rows if row[0] == "contextual:0"], []):
        truth = _truth(ledger, each.quantity, each.intensity_kind, {0})
        found[f"{each.quantity}, first plan alone"] = Found(truth, each.saving, each.low, each.high)
    for quantity, columns in (("energy", (11, 12, 13)), ("carbon", (14, 15, 16))):
        plain = _plain([row for row in rows if quantity == "energy" or row[5] == KINDS[0][0]], columns)
        if plain is not None and quantity in found:
            found[f"{quantity}, before"] = Found(found[quantity].truth, *plain)
    return found


def _truth(ledger: Ledger, quantity: str, kind: str | None, weeks: set[int]) -> float:
    where = ledger.answered & np.isin(ledger.week, list(weeks))
    if quantity == "carbon":
        where &= ledger.kind == [name for name, _ in KINDS].index(kind or "")
    weight = ledger.g_per_kwh[where] if quantity == "carbon" else 1.0
    return float(1 - (ledger.expected_policy_j[where] * weight).sum() / (ledger.expected_full_j[where] * weight).sum())


def _plain(rows: Sequence[tuple[Any, ...]], columns: tuple[int, int, int]) -> tuple[float, float, float] | None:
    """1 - the ratio of the plain means, with the interval by the delta method on its logarithm and normal quantiles."""
    means, variance = [], 0.0
    for group in ("policy", "control"):
        n, total, squares = (sum(row[column] for row in rows if row[8] == group) for column in columns)
        if n < 2:
            return None
        mean = total / n
        variance += (squares - n * mean**2) / (n - 1) / (n * mean**2)
        means.append(mean)
    ratio, spread = means[0] / means[1], math.exp(_Z_95 * math.sqrt(variance))
    return 1 - ratio, 1 - ratio * spread, 1 - ratio / spread


def coverage(runs: Sequence[Found]) -> dict[str, float | int]:
    """How the intervals did: shares, points of saving, and the excess of the truth above and below them."""
    low, high = (np.array([getattr(run, name) for run in runs]) for name in ("low", "high"))
    truth, saving = (np.array([getattr(run, name) for run in runs]) for name in ("truth", "saving"))
    off = saving - truth
    return {
        "runs": len(runs),
        "covered": round(float(((low <= truth) & (truth <= high)).mean()), 4),
        "truth_above": round(float((truth > high).mean()), 4),
        "truth_below": round(float((truth < low).mean()), 4),
        "excludes_zero": round(float(((low > 0) | (high < 0)).mean()), 4),
        "true_saving": round(float(truth.mean()), 4),
        "mean_error": round(float(off.mean()), 4),
        "mean_error_standard_error": round(float(off.std() / math.sqrt(len(runs))), 4),
        "median_error": round(float(np.median(off)), 4),
        "root_mean_square_error": round(float(np.sqrt((off**2).mean())), 4),
        "median_width": round(float(np.median(high - low)), 4),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """How a saving is modelled: from a profile of the first week's requests, per model and task.

    Attributes:
        rounds: requests measured per directive, model and task.
        rivals: the directive that measures cheapest of so many that are equally good is served; 1 for the first
            week's shares of the directives.
        prompt_factor: how many times longer the prompts that come are than those measured.
        later: whether the plan is served in the last week, to the mix and the work that has drifted there.
    """

    rounds: int
    rivals: int = 1
    prompt_factor: float = 1.0
    later: bool = False


MODELS_OF_SAVING: Final[Mapping[str, Model]] = {
    "profile of 30, same week": Model(rounds=30),
    "profile of 300, same week": Model(rounds=300),
    "profile of 300, served three weeks later": Model(rounds=300, later=True),
    "profile of 300, prompts four times longer than measured": Model(rounds=300, prompt_factor=4.0),
    "profile of 10, cheapest of 4 equals": Model(rounds=10, rivals=4),
    "profile of 30, cheapest of 4 equals": Model(rounds=30, rivals=4),
    "profile of 300, cheapest of 4 equals": Model(rounds=300, rivals=4),
}


def modelled(model: Model, seed: int) -> tuple[float, float]:
    """One run of measuring, choosing and serving: the saving of energy as modelled, and as it is."""
    fleet = Fleet(requests=20_000)
    rng = np.random.default_rng([seed, model.rounds, model.rivals])
    ledger = simulate(fleet, seed)
    first, served = ledger.week == 0, ledger.week == (WEEKS - 1 if model.later else 0)
    planned_j = full_j = true_j = true_full_j = 0.0
    for place in sorted(set(zip(ledger.model.tolist(), ledger.task.tolist(), strict=True))):
        alike = (ledger.model == place[0]) & (ledger.task == place[1])
        measured_j = partial(_profiled, rng, ledger, np.flatnonzero(alike & first), model)
        here = np.flatnonzero(alike & served)
        full = measured_j(0)
        if model.rivals > 1:
            shares = np.eye(len(DIRECTIVES))[1]
            costs = np.full(len(DIRECTIVES), min(measured_j(1) for _ in range(model.rivals)))
        else:
            counts = np.bincount(ledger.directive[alike & first & ~ledger.control], minlength=len(DIRECTIVES))
            shares = counts / counts.sum()
            costs = np.array([full, *(measured_j(directive) for directive in range(1, len(DIRECTIVES)))])
        true = np.array([_expected(ledger, here, model, directive) for directive in range(len(DIRECTIVES))])
        # Modelled over the mix that the plan was made for, as `Expected` is.
        n = int((alike & first).sum())
        planned_j, full_j = planned_j + n * float(shares @ costs), full_j + n * full
        true_j, true_full_j = true_j + float(shares @ true), true_full_j + float(true[0])
    return 1 - planned_j / full_j, 1 - true_j / true_full_j


def _profiled(rng: np.random.Generator, ledger: Ledger, pool: Whole, model: Model, directive: int) -> float:
    """Mean J of requests of the pool, measured under a directive."""
    chosen = rng.choice(pool, model.rounds)
    which = np.full(model.rounds, directive)
    return float(
        drawn_j(
            rng,
            ledger.fleet,
            ledger.model[chosen],
            ledger.task[chosen],
            which,
            ledger.prompt_tokens[chosen],
            ledger.batch_size[chosen],
        ).mean()
    )


def _expected(ledger: Ledger, here: Whole, model: Model, directive: int) -> float:
    """J of those requests under a directive, in expectation."""
    prompt = ledger.prompt_tokens[here] * model.prompt_factor
    which = np.full(len(here), directive)
    each_j = expected_j(ledger.fleet, ledger.model[here], ledger.task[here], which, prompt, ledger.batch_size[here])
    return float(each_j.sum())


def bias(runs: Sequence[tuple[float, float]]) -> dict[str, float | int]:
    """Of savings as modelled, against what they are."""
    said, true = (np.array(values) for values in zip(*runs, strict=True))
    return {
        "runs": len(runs),
        "modelled": round(float(said.mean()), 4),
        "true": round(float(true.mean()), 4),
        "bias": round(float((said - true).mean()), 4),
        "bias_standard_error": round(float((said - true).std() / math.sqrt(len(runs))), 4),
        "spread": round(float((said - true).std()), 4),
    }


def explained(runs: int = 20) -> dict[str, float]:
    """Share of the control group's variance that is left within strata, and with a regression on prompts beside.

    The square root of a share is how much narrower an interval can get by it; the regression would need three more
    sums per hour and group in the ledger's roll-ups.
    """
    left: dict[str, list[float]] = {"within_strata": [], "within_strata_regressed_on_prompts": []}
    for seed in range(runs):
        ledger = simulate(Fleet(requests=20_000), seed)
        known = ~np.isnan(ledger.energy_j)
        y, x, control = ledger.energy_j[known], ledger.prompt_tokens[known], ledger.control[known]
        within = np.empty_like(y)
        regressed = np.empty_like(y)
        code = ((ledger.week * 3 + ledger.model) * 3 + ledger.task)[known]
        for part in np.unique(code):
            here = code == part
            policy = here & ~control
            slope = np.cov(x[policy], y[policy])[0, 1] / x[policy].var(ddof=1)
            within[here] = y[here] - y[here].mean()
            regressed[here] = within[here] - slope * (x[here] - x[here].mean())
        for name, residual in zip(left, (within, regressed), strict=True):
            left[name].append(float(residual[control].var() / y[control].var()))
    return {name: round(float(np.mean(values)), 3) for name, values in left.items()}


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    runs: int = parser.parse_args().runs
    found: dict[str, dict[str, dict[str, float | int]]] = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name, fleet in SCENARIOS.items():
            of: dict[str, list[Found]] = {}
            for run in pool.map(partial(measured, fleet), range(runs), chunksize=10):
                for what, each in run.items():
                    of.setdefault(what, []).append(each)
            found[name] = {what: coverage(each) for what, each in sorted(of.items())}
            print(name, {what: each["covered"] for what, each in found[name].items()}, flush=True)
        models = {
            name: bias(list(pool.map(partial(modelled, model), range(max(1, runs // 5)), chunksize=10)))
            for name, model in MODELS_OF_SAVING.items()
        }
    write_result("savings_proof", {"measured": found, "modelled": models, "control_variance_left": explained()})


if __name__ == "__main__":
    main()
