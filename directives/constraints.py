"""What a user asks of a policy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from directives.errors import PolicyError

__all__ = ["Constraints"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """Limits that hold together. Shares are in [0, 1]; tasks are the callers' tags.

    Attributes:
        floor: least quality of all traffic at any time, as a share of `full`'s; None for none, which needs a price.
        mean_floor: least quality of all traffic over time, likewise; None for halfway between `floor` and 1.
        confidence: probability with which each floor is to hold, given what was judged.
        carbon_budget_g_per_day: most carbon of all requests, operation and embodied share, in g CO2e per day.
        latency_limit_s: longest mean time in the engine, in s, by task; the empty task stands for those not named.
        price_per_kg: price of 1 kg CO2e; answer_value: value of one answer of `full`'s quality in the same currency.
            Together they trade quality against carbon, within the floor where there is one.
        pinned: the one directive a task gets, by task. forbidden: directives a task never gets, by task; the empty
            task stands for all.
        explore_share: share of the requests on which directives without evidence are tried out.
        control_share: share of the requests always served `full`, against which savings are measured.

    Raises:
        PolicyError: a value outside its range, or a price without a value.
    """

    floor: float | None = 0.95
    mean_floor: float | None = None
    confidence: float = 0.99
    carbon_budget_g_per_day: float | None = None
    latency_limit_s: Mapping[str, float] = field(default_factory=dict)
    price_per_kg: float | None = None
    answer_value: float | None = None
    pinned: Mapping[str, str] = field(default_factory=dict)
    forbidden: Mapping[str, frozenset[str]] = field(default_factory=dict)
    explore_share: float = 0.02
    control_share: float = 0.05

    def __post_init__(self) -> None:
        for name in ("floor", "mean_floor", "explore_share", "control_share"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise PolicyError(f"{name} is {value}; give a share in [0, 1]")
        if not 0.5 <= self.confidence < 1:
            raise PolicyError(f"confidence is {self.confidence}; give a probability in [0.5, 1)")
        if self.explore_share + self.control_share >= 1:
            raise PolicyError("explore_share and control_share leave nothing to the policy; give less than 1 together")
        if (self.price_per_kg is None) != (self.answer_value is None):
            raise PolicyError("price_per_kg and answer_value belong together: give both, in one currency, or neither")
        if self.floor is None and self.mean_floor is None and self.price_per_kg is None:
            raise PolicyError("there is neither a floor nor a price: nothing would keep answers from getting worse")
        limits = [self.carbon_budget_g_per_day, self.price_per_kg, self.answer_value, *self.latency_limit_s.values()]
        if not all(limit is None or (math.isfinite(limit) and limit > 0) for limit in limits):
            raise PolicyError("budgets, limits, prices and values must be finite and > 0")
        for task, directive in self.pinned.items():
            if directive in self.forbidden.get(task, ()) or directive in self.forbidden.get("", ()):
                raise PolicyError(f"directive {directive!r} is both pinned and forbidden for task {task!r}")
