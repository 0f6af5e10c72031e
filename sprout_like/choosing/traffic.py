"""What came lately, in memory: requests by bin, and intensities of the grid."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from directives import Decision, Observation, Policy, Uniform
from directives.workload import Bin, bin_of

__all__ = ["Counted", "Traffic", "shift"]

HALF_LIFE_REQUESTS: Final = 1000
"""After that many further requests, one counts half."""

LEAST_REQUESTS: Final = 200
"""Below this, a mix is chance: at 200, the share of a bin is known to ± 7 percentage points at worst."""

_FORGET: Final = 0.5 ** (1 / HALF_LIFE_REQUESTS)
_MOST_WAITING: Final = 10_000
_NEGLIGIBLE: Final = 1e-3


class Traffic:
    """The mix of recent requests. `add` costs the request path one append; all else happens in `mix`."""

    def __init__(self) -> None:
        self._waiting: deque[Observation] = deque(maxlen=_MOST_WAITING)
        self._weights: dict[Bin, float] = {}
        self._seen = 0

    def add(self, observation: Observation) -> None:
        """One more request."""
        self._waiting.append(observation)

    def mix(self) -> Mapping[Bin, float] | None:
        """Share of the recent requests by bin; None while there were too few to tell."""
        while self._waiting:
            bin_ = bin_of(self._waiting.popleft())
            # The newest weighs more, which is the same as the older ones fading, at the price of one addition.
            self._weights[bin_] = self._weights.get(bin_, 0.0) + _FORGET ** -(self._seen % HALF_LIFE_REQUESTS)
            self._seen += 1
            if self._seen % HALF_LIFE_REQUESTS == 0:
                self._weights = {b: w / 2 for b, w in self._weights.items() if w > _NEGLIGIBLE}
        if self._seen < LEAST_REQUESTS:
            return None
        total = sum(self._weights.values())
        return {bin_: weight / total for bin_, weight in self._weights.items()}


class Counted:
    """A policy whose requests are counted.

    Args:
        policy: who chooses. traffic: where they are counted.
    """

    def __init__(self, policy: Policy, traffic: Traffic) -> None:
        self._choose = policy.choose
        self._traffic = traffic
        self.name = policy.name
        self.version = policy.version
        self.reach: frozenset[str] | None = getattr(policy, "reach", None)

    def choose(self, observation: Observation, candidates: Sequence[str], rng: Uniform) -> Decision:
        """As the policy does."""
        self._traffic.add(observation)
        return self._choose(observation, candidates, rng)


def shift(one: Mapping[Bin, float], other: Mapping[Bin, float]) -> float:
    """Total variation distance of two mixes: the share of the requests that would have to be others."""
    return sum(abs(one.get(b, 0.0) - other.get(b, 0.0)) for b in one.keys() | other.keys()) / 2
