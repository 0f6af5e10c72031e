"""What a policy would have cost on requests that another policy served, from the logged propensities.

A call in context x (its bin, the intensity, the directives that fit it) was served directive a with probability p and
cost y. Under a candidate that would have served a with probability π(a|x), it stands for w = π/p calls.

- Self-normalised inverse propensity (Swaminathan and Joachims 2015, "The Self-Normalized Estimator for Counterfactual
  Learning", eq. 9): Σ w y / Σ w. Uses nothing but the log; blind to what the log never served.
- Doubly robust (Dudík, Langford and Li 2011, "Doubly Robust Policy Evaluation and Learning", eq. 3): the mean of
  Σₐ π(a|x) m(x, a) + w (y - m(x, a)), with a model m of the cost. Right if either propensities or model are, and
  tighter the better the model.

A call of several rows is one draw and as many requests; all figures are per request, so both are ratios of sums. Their
standard errors are by the delta method for ratios (Owen 2013, "Monte Carlo theory, methods and examples", eq. 9.10).
No weight is clipped: that would hide a lack of overlap, which is named instead.

Calls that are alike to the candidate arrive as sums, so that a database can add them up.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from directives.estimate import Estimate
from directives.workload import Bin

__all__ = [
    "Chances",
    "Context",
    "Logged",
    "Model",
    "Value",
    "as_logged",
    "difference",
    "doubly_robust",
    "self_normalised",
]

Z_95 = 1.959964
"""Two-sided 95 % of the normal distribution."""

_ROUNDING = 1e-9

_Place = tuple[Bin, float | None, str]
"""A bin, an intensity and a directive, whatever else fitted the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """All that a policy may go by.

    Attributes:
        bin: the workload bin.
        intensity_g_per_kwh: any intensity of the level that the calls came at; None where it was unknown.
        candidates: the directives that fitted the call and that the logging policy could have chosen.
    """

    bin: Bin
    intensity_g_per_kwh: float | None
    candidates: tuple[str, ...]


Chances = Callable[[Context], Mapping[str, float]]
"""A policy: probability by directive, summing to 1; a difference of two policies sums to 0."""

Model = Callable[[Context, str], Estimate]
"""What a request should cost in a context under a directive; the estimate's error counts where nothing was logged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """Calls of one context that were served one directive, as sums over the calls of their cost y and propensity p.

    Attributes:
        context: what the policy knew. directive: what was served.
        size: requests per call, the same in all: the rows of a batch.
        n: calls.
        inverse: Σ 1/p. inverse_squares: Σ 1/p².
        cost: Σ y/p. cost_twice: Σ y/p². cost_squares: Σ y²/p².
    """

    context: Context
    directive: str
    size: float
    n: int
    inverse: float
    inverse_squares: float
    cost: float
    cost_twice: float
    cost_squares: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Mean cost per request under a policy.

    Attributes:
        mean: in the unit of the cost. standard_error: likewise.
        n: calls it rests on. effective_n: how many calls served by the policy itself would say as much (Kish 1965):
            (Σ w)² / Σ w².
        unseen: by directive, the share of the requests that the policy would serve it where the log could not have, at
            that bin and intensity. Self-normalised estimates leave these out; doubly robust ones take the model's word.
    """

    mean: float
    standard_error: float
    n: int
    effective_n: float
    unseen: Mapping[str, float] = field(default_factory=dict)

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.mean - Z_95 * self.standard_error

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.mean + Z_95 * self.standard_error


def self_normalised(log: Sequence[Logged], policy: Chances) -> Value | None:
    """By the log alone; None where the policy shares fewer than two calls with it."""
    parts = [(group, policy(group.context).get(group.directive, 0.0)) for group in log]
    n = sum(group.n for group, share in parts if share > 0)
    weight = math.fsum(share * group.size * group.inverse for group, share in parts)
    if n < 2 or weight <= 0:
        return None
    mean = math.fsum(share * group.cost for group, share in parts) / weight
    squares = math.fsum(share**2 * _residual_squares(group, mean) for group, share in parts)
    return Value(
        mean=mean,
        standard_error=math.sqrt(max(0.0, squares) * n / (n - 1)) / weight,
        n=n,
        effective_n=_effective_n(parts),
        unseen=_unseen(log, policy),
    )


def doubly_robust(log: Sequence[Logged], policy: Chances, model: Model) -> Value | None:
    """By log and model together; None with fewer than two calls.

    `policy` may be the difference of two: the result is then the difference of their costs.
    """
    n = sum(group.n for group in log)
    size = math.fsum(group.n * group.size for group in log)
    if n < 2:
        return None
    expected: dict[Context, float] = {}
    for context in {group.context for group in log}:
        expected[context] = math.fsum(share * model(context, name).mean for name, share in policy(context).items())
    parts = [(group, policy(group.context).get(group.directive, 0.0)) for group in log]
    guesses = [model(group.context, group.directive).mean for group in log]
    surprises = [
        share * (group.cost - guess * group.size * group.inverse)
        for (group, share), guess in zip(parts, guesses, strict=True)
    ]
    mean = (math.fsum(g.n * g.size * expected[g.context] for g in log) + math.fsum(surprises)) / size
    squares = 0.0
    for (group, share), guess, surprise in zip(parts, guesses, surprises, strict=True):
        gap = group.size * (expected[group.context] - mean)
        squares += group.n * gap**2 + 2 * gap * surprise + share**2 * _residual_squares(group, guess)
    sampling = math.sqrt(max(0.0, squares) * n / (n - 1)) / size
    return Value(
        mean=mean,
        # Added and not in quadrature: the model may have been fitted to these calls, and then errs as they do.
        standard_error=sampling + _model_error(log, policy, model),
        n=n,
        effective_n=_effective_n(parts),
        unseen=_unseen(log, policy),
    )


def difference(policy: Chances, other: Chances) -> Chances:
    """The first minus the second, for `doubly_robust`: both are then estimated on the same calls, paired."""

    def chances(context: Context) -> Mapping[str, float]:
        ours, theirs = policy(context), other(context)
        return {name: ours.get(name, 0.0) - theirs.get(name, 0.0) for name in (*ours, *(theirs.keys() - ours.keys()))}

    return chances


def as_logged(log: Sequence[Logged]) -> Chances:
    """The policy that served the log, as far as its calls tell: the shares that were served in each context.

    For comparing with a policy whose rules are not at hand.
    """
    served: defaultdict[Context, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for group in log:
        served[group.context][group.directive] += group.n

    def chances(context: Context) -> Mapping[str, float]:
        counts = served[context]
        total = sum(counts.values())
        return {name: count / total for name, count in counts.items()}

    return chances


def _residual_squares(group: Logged, guess: float) -> float:
    """Σ (y - guess·size)²/p², multiplied out."""
    per_call = guess * group.size
    return group.cost_squares - 2 * per_call * group.cost_twice + per_call**2 * group.inverse_squares


def _effective_n(parts: Sequence[tuple[Logged, float]]) -> float:
    total = math.fsum(abs(share) * group.inverse for group, share in parts)
    squares = math.fsum(share**2 * group.inverse_squares for group, share in parts)
    return total**2 / squares if squares > 0 else 0.0


def _unseen(log: Sequence[Logged], policy: Chances) -> Mapping[str, float]:
    shares: defaultdict[str, float] = defaultdict(float)
    for lack in _lacking(log, policy):
        if lack.certain:
            shares[lack.directive] += abs(lack.share)
    return dict(shares)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lack:
    """Requests of a context at which the log could not have served a directive, as a share of all.

    Attributes:
        context: theirs. directive: which they would get.
        share: how many; negative where `policy` is a difference.
        certain: whether it is more than chance (three standard deviations).
    """

    context: Context
    directive: str
    share: float
    certain: bool


def _lacking(log: Sequence[Logged], policy: Chances) -> Iterator[_Lack]:
    """Where the model stands alone.

    Calls that could have been served a directive are as many as Σ 1/p over those that were, in expectation. So a log
    of several policies shows where one of them never explored. The variance of that sum is Σ (1 - p)/p over the calls.
    """
    reached: defaultdict[_Place, float] = defaultdict(float)
    squares: defaultdict[_Place, float] = defaultdict(float)
    calls: defaultdict[_Place, int] = defaultdict(int)
    requests: defaultdict[Context, float] = defaultdict(float)
    size = math.fsum(group.n * group.size for group in log)
    for group in log:
        context = group.context
        place = (context.bin, context.intensity_g_per_kwh, group.directive)
        reached[place] += group.inverse
        squares[place] += group.inverse_squares
        for name in context.candidates:
            calls[context.bin, context.intensity_g_per_kwh, name] += group.n
        requests[context] += group.n * group.size / size
    for context, share in requests.items():
        for name, chance in policy(context).items():
            place = (context.bin, context.intensity_g_per_kwh, name)
            lack = calls[place] - reached[place]
            if chance and lack > _ROUNDING * calls[place]:
                spread = calls[place] * max(0.0, squares[place] / reached[place] - 1) if reached[place] else 0.0
                certain = lack > 3 * math.sqrt(spread)
                yield _Lack(
                    context=context, directive=name, share=share * chance * lack / calls[place], certain=certain
                )


def _model_error(log: Sequence[Logged], policy: Chances, model: Model) -> float:
    """Of what rests on the model alone: one error per directive and bin, the same in all its contexts."""
    errors: defaultdict[tuple[str, Bin], float] = defaultdict(float)
    for lack in _lacking(log, policy):
        errors[lack.directive, lack.context.bin] += lack.share * _standard_error(model(lack.context, lack.directive))
    return math.hypot(*errors.values())


def _standard_error(estimate: Estimate) -> float:
    """Of its mean; where there was a single measurement, the mean itself, as nothing speaks for less."""
    return abs(estimate.mean) if estimate.sd is None else estimate.sd / math.sqrt(estimate.n)
