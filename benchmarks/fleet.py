"""A synthetic fleet whose savings are known: what a ledger would hold of it, and what is true.

Requests of three models and three tasks arrive over four weeks. Their mix drifts, the grid's intensity has a daily
cycle and weather, and every week a new plan is promoted: it picks directives by intensity and task. What a request
takes is skewed twice (log-normal prompts and answers, batches of up to 8), and directives shorten answers by factors
that differ by task. All numbers come from one seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sprout_like.reports.saving import LEVELS_G_PER_KWH

__all__ = [
    "DIRECTIVES",
    "KINDS",
    "WEEKS",
    "Fleet",
    "Ledger",
    "Whole",
    "drawn_j",
    "expected_j",
    "moments_of",
    "simulate",
]

DIRECTIVES = ("full", "brief", "very_brief", "draft")
WEEKS = 4
HOURS = WEEKS * 7 * 24
MODELS, TASKS = 3, 3

_J_PER_KWH = 3.6e6
_SCALE_J = np.array([0.2, 1.0, 4.0])
"""J per new token by model, from a small one to a large one."""
_PROMPT_PART = 0.02
"""What a prompt token takes beside a new one."""
_PROMPT_TOKENS = np.array([120.0, 1500.0, 500.0])
_NEW_TOKENS = np.array([180.0, 120.0, 400.0])
_SPREAD = 0.7
"""Of the logarithm of prompts' and answers' lengths."""
_LIMIT_TOKENS = np.array([512.0, 512.0, 1024.0])
"""On the new tokens of a row, by task; what an answer's length would be beyond is cut off."""

KINDS = (("average", "lifecycle"), ("marginal", "direct"))

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What is simulated.

    Attributes:
        requests: how many. control_share: of each week's plan, drawn into the control group.
        shortening: by directive, by what factor it multiplies the new tokens of each task, in expectation.
        per_request_factor: by directive, a factor on all energy of a request.
        capped_tokens: limit on new tokens per row under `very_brief`; 0 for none. It cuts the policy's scatter, too.
        unknown: share of the requests whose energy is unknown. unknown_of: more of them, by directive.
        second_kind: whether the last week's intensities are of another kind, higher by half.
    """

    requests: int
    control_share: tuple[float, ...] = (0.05, 0.05, 0.05, 0.05)
    shortening: tuple[tuple[float, ...], ...] = ((1.0, 1.0, 1.0), (0.7, 0.8, 0.9), (0.35, 0.5, 0.7), (1.0, 1.0, 1.0))
    per_request_factor: tuple[float, ...] = (1.0, 1.0, 1.0, 0.85)
    capped_tokens: float = 0.0
    unknown: float = 0.02
    unknown_of: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    second_kind: bool = False


@dataclass(frozen=True)
class Ledger:
    """The requests as columns, and what is true of each.

    Attributes:
        energy_j: NaN where unknown. carbon_g: likewise. g_per_kwh: by request. kind: 0 or 1. answered: not in error.
        expected_full_j, expected_policy_j: what each request takes in expectation.
    """

    week: Whole
    hour: Whole
    model: Whole
    task: Whole
    prompt_tokens: Floats
    batch_size: Floats
    directive: Whole
    control: NDArray[np.bool_]
    answered: NDArray[np.bool_]
    kind: Whole
    g_per_kwh: Floats
    energy_j: Floats
    expected_full_j: Floats
    expected_policy_j: Floats
    fleet: Fleet = field(repr=False)

    @property
    def carbon_g(self) -> Floats:
        """Operational g CO2e."""
        return self.energy_j / _J_PER_KWH * self.g_per_kwh


def intensities(rng: np.random.Generator) -> Floats:
    """Hourly g/kWh: a daily cycle times weather that changes over days."""
    hours = np.arange(HOURS)
    shocks = rng.normal(0, 0.08, HOURS)
    weather = np.empty(HOURS)
    level = rng.normal(0, 0.3)
    for hour in range(HOURS):
        level = 0.97 * level + shocks[hour]
        weather[hour] = level
    return 180 * np.exp(weather) * (1 + 0.3 * np.cos((hours % 24 - 18) / 24 * 2 * np.pi))


def plan(week: int, g_per_kwh: Floats, task: Whole, edges: Floats) -> Floats:
    """Probabilities of the directives, a row per request: stronger in dirty hours, and bolder every week."""
    level = np.searchsorted(edges, g_per_kwh)
    strong = np.clip(0.15 + 0.25 * level + 0.1 * week - 0.15 * (task == 1), 0, 0.9)
    explored = 0.02
    shares = np.zeros((len(task), len(DIRECTIVES)))
    shares[:, 1] = (1 - strong) * 0.6
    shares[:, 2] = strong * 0.7
    shares[:, 3] = strong * 0.2
    shares[:, 0] = 1 - shares.sum(axis=1)
    return (1 - explored) * shares + explored / len(DIRECTIVES)


def simulate(fleet: Fleet, seed: int) -> Ledger:
    """One run of it."""
    rng = np.random.default_rng(seed)
    n = fleet.requests
    hourly = intensities(rng)
    busy = 1 + 0.8 * np.cos((np.arange(HOURS) % 24 - 14) / 24 * 2 * np.pi)
    hour = np.sort(rng.choice(HOURS, n, p=busy / busy.sum()))
    week = hour // (7 * 24)
    g_per_kwh = hourly[hour]
    kind = ((week == WEEKS - 1) & fleet.second_kind).astype(np.int64)
    g_per_kwh = np.where(kind == 1, 1.5 * g_per_kwh, g_per_kwh)
    model, task = _mix(rng, hour / HOURS)
    batch = np.where(rng.random(n) < 0.1, rng.integers(2, 9, n), 1).astype(float)
    prompt = prompts(rng, task, batch)
    shares = np.zeros((n, len(DIRECTIVES)))
    edges = np.quantile(hourly, [0.33, 0.67])
    for each in range(WEEKS):
        here = week == each
        shares[here] = plan(each, hourly[hour[here]], task[here], edges)
    control = rng.random(n) < np.array(fleet.control_share)[week]
    drawn = (rng.random((n, 1)) > np.cumsum(shares, axis=1)).sum(axis=1).clip(0, len(DIRECTIVES) - 1)
    directive = np.where(control, 0, drawn)
    expected = np.stack([expected_j(fleet, model, task, np.full(n, d), prompt, batch) for d in range(len(DIRECTIVES))])
    energy = drawn_j(rng, fleet, model, task, directive, prompt, batch)
    lost = rng.random(n) < fleet.unknown + np.array(fleet.unknown_of)[directive]
    full_j, policy_j = expected[0], (shares.T * expected).sum(axis=0)
    answered = rng.random(n) >= 0.01
    return Ledger(
        week=week,
        hour=hour,
        model=model,
        task=task,
        prompt_tokens=prompt,
        batch_size=batch,
        directive=directive,
        control=control,
        answered=answered,
        kind=kind,
        g_per_kwh=g_per_kwh,
        energy_j=np.where(lost, np.nan, energy),
        expected_full_j=full_j,
        expected_policy_j=policy_j,
        fleet=fleet,
    )


def expected_j(fleet: Fleet, model: Whole, task: Whole, directive: Whole, prompt: Floats, batch: Floats) -> Floats:
    """What calls take in expectation, given their prompts: prompt tokens and batch are those of the whole call."""
    mean, limit, scale = _answers(fleet, model, task, directive, prompt / batch)
    return scale * (batch * _cut_mean(mean, limit) + _PROMPT_PART * prompt)


def drawn_j(
    rng: np.random.Generator,
    fleet: Fleet,
    model: Whole,
    task: Whole,
    directive: Whole,
    prompt: Floats,
    batch: Floats,
) -> Floats:
    """What such calls took: the length of their answers is log-normal, up to the limit."""
    mean, limit, scale = _answers(fleet, model, task, directive, prompt / batch)
    length = rng.lognormal(-(_SPREAD**2) / 2, _SPREAD, len(mean))
    tokens = batch * np.minimum(mean * length, limit)
    return scale * (tokens + _PROMPT_PART * prompt) * rng.lognormal(-0.005, 0.1, len(mean))


def prompts(rng: np.random.Generator, task: Whole, batch: Floats) -> Floats:
    """Prompt tokens of calls."""
    return np.ceil(_PROMPT_TOKENS[task] * rng.lognormal(-(_SPREAD**2) / 2, _SPREAD, len(task)) * batch)


def _answers(
    fleet: Fleet, model: Whole, task: Whole, directive: Whole, prompt: Floats
) -> tuple[Floats, Floats, Floats]:
    """Mean length before the limit, the limit, and J per token; long prompts get somewhat longer answers."""
    mean = _NEW_TOKENS[task] * (prompt / _PROMPT_TOKENS[task]) ** 0.4 * np.array(fleet.shortening)[directive, task]
    limit = np.where((directive == 2) & (fleet.capped_tokens > 0), fleet.capped_tokens, _LIMIT_TOKENS[task])
    return mean, limit, np.array(fleet.per_request_factor)[directive] * _SCALE_J[model]


def _cut_mean(mean: Floats, limit: Floats) -> Floats:
    """Mean of the lesser of a log-normal length of that mean and a limit."""
    middle = (np.log(limit / mean) - _SPREAD**2 / 2) / _SPREAD
    return np.asarray(mean * ndtr(middle) + limit * ndtr(-middle - _SPREAD))


def _mix(rng: np.random.Generator, at: Floats) -> tuple[Whole, Whole]:
    """Models and tasks: the large model's share falls from a half to a fifth, code takes over from chat."""
    n = len(at)
    large, code = 0.5 - 0.3 * at, 0.2 + 0.4 * at
    model = np.where(rng.random(n) < large, 2, (rng.random(n) < 0.5).astype(int))
    task = np.where(rng.random(n) < code, 2, (rng.random(n) < 0.4).astype(int))
    return model.astype(np.int64), task.astype(np.int64)


def moments_of(ledger: Ledger) -> list[tuple[object, ...]]:
    """What `sprout_like.reports.saving.moments` would answer of it."""
    level = np.searchsorted(np.array(LEVELS_G_PER_KWH), ledger.g_per_kwh, side="right")
    known = ~np.isnan(ledger.energy_j)
    parts = (ledger.week, ledger.model, ledger.task, ledger.kind, level, ledger.control, ledger.directive)
    sizes = (WEEKS, MODELS, TASKS, len(KINDS), len(LEVELS_G_PER_KWH) + 1, 2, len(DIRECTIVES))
    code = np.ravel_multi_index([part.astype(np.int64) for part in parts], sizes)
    codes, place = np.unique(code, return_inverse=True)

    def sums(figure: Floats) -> list[float]:
        return list(map(float, np.bincount(place, np.where(ledger.answered, figure, 0.0), len(codes))))

    energy, carbon = np.nan_to_num(ledger.energy_j), np.nan_to_num(ledger.carbon_g)
    errors = np.bincount(place, ~ledger.answered, len(codes)).tolist()
    each = (sums(f) for f in (np.ones(len(place)), known, energy, energy**2, carbon, carbon**2))
    rows: list[tuple[object, ...]] = []
    for cell, answered, n, j, jj, g, gg, failed in zip(codes.tolist(), *each, errors, strict=True):
        week, model, task, kind, at, control, directive = (int(i) for i in np.unravel_index(cell, sizes))
        rows.append(
            (
                f"contextual:{week}",
                f"model-{model}",
                "catalogue",
                f"task-{task}",
                "zone",
                *KINDS[kind],
                at,
                "control" if control else "policy",
                DIRECTIVES[directive],
                *(int(answered), int(n), j, jj, int(n), g, gg, int(failed), 0),
            )
        )
    return rows
