"""The contextual policy as it is served: its plan follows the ledger, the traffic and the grid, in the background."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter
from statistics import fmean
from typing import Final

from directives import FULL, Decision, Observation, Policy, PolicyError, Uniform
from directives.constraints import Constraints
from directives.errors import NotYetKnown
from directives.evidence import Evidence
from directives.plan import Expected, Plan
from directives.policies.contextual import ContextualPolicy
from directives.workload import Bin
from sprout_like.choosing.breaker import Tripped, opened
from sprout_like.choosing.constraints import now_asked, without
from sprout_like.choosing.intensities import Intensities, distance
from sprout_like.choosing.knowledge import Basis, Knowledge
from sprout_like.choosing.traffic import Counted, Traffic, shift
from sprout_like.errors import SproutError

__all__ = ["LivePolicy", "Solve", "nothing_known"]

_LOG = logging.getLogger("sprout_like")

POLL_EVERY_S: Final = 10.0
"""Time between looks at the ledger, in s."""

MATERIAL: Final = 0.1
"""A share of the traffic, or of an intensity: less of a change is not worth another plan."""

Solve = Callable[[Evidence, Constraints, float | None], Plan]
"""From evidence, constraints and the intensity now, in g/kWh, to a plan; raises `PolicyError`."""


class LivePolicy:
    """Chooses by the newest plan. Each request asks for `current` once and is served by that alone.

    A plan is solved again when the ledger holds a newer basis, when the mix of recent requests or the intensities have
    moved by more than a tenth from what it was solved for, and never in a request. What fails leaves the plan as it is.
    A constraint of which nobody can tell yet whether it is met is left out until it can be told.

    It has no `reach` of its own, as that is another one with every plan; `current` has.

    Args:
        knowledge: where bases come from.
        constraints: the settings' own.
        solve: makes plans.
        intensity: the grid's, in g/kWh, from memory; None where unknown.
        monotonic_s: the clock.
    """

    name = "contextual"

    def __init__(
        self,
        knowledge: Knowledge,
        constraints: Constraints,
        *,
        solve: Solve,
        intensity: Callable[[], float | None],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._knowledge = knowledge
        self._constraints = constraints
        self._solve = solve
        self._intensity = intensity
        self._monotonic_s = monotonic_s
        self._traffic = Traffic()
        self._intensities = Intensities()
        self._ticking = threading.Lock()
        self._next_s: float | None = None
        self._basis: Basis | None = None
        self._solved_for: Evidence | None = None
        self._plan = self._nothing = nothing_known(constraints.control_share)
        self._said: set[str] = set()
        self._current = self._counted(ContextualPolicy(self._plan))

    @property
    def current(self) -> Policy:
        """The policy for one request."""
        return self._current

    @property
    def version(self) -> str:
        """The current plan's."""
        return self._current.version

    def choose(self, observation: Observation, candidates: Sequence[str], rng: Uniform) -> Decision:
        """As the current plan does."""
        return self._current.choose(observation, candidates, rng)

    def tick(self) -> None:
        """Called about once a second from the background: looks whether anything has changed that matters."""
        now_s = self._monotonic_s()
        if (self._next_s is not None and now_s < self._next_s) or not self._ticking.acquire(blocking=False):
            return
        try:
            self._next_s = now_s + POLL_EVERY_S
            self._follow(now_s)
        except (SproutError, PolicyError) as exc:
            self._say(f"the contextual policy stays as it is for now: {exc}")
        finally:
            self._ticking.release()

    def close(self) -> None:
        """Release what reads the ledger; safe to call twice. It goes on choosing."""
        self._knowledge.close()

    def _follow(self, now_s: float) -> None:
        basis = self._knowledge.basis()
        newer = self._basis is None or basis.key != self._basis.key
        asked = self._constraints if basis.constraints is None else now_asked(basis.constraints, self._constraints)
        if newer:
            self._basis, self._solved_for = basis, None
            if basis.evidence.intensities_g_per_kwh:
                self._intensities.forget()  # it holds them already
            if basis.plan is not None and asked == basis.constraints:
                self._plan, self._solved_for = basis.plan, basis.evidence
        intensity = self._intensity()
        self._intensities.add(intensity, now_s)
        evidence = self._updated(basis)
        if self._solved_for is None or _moved(self._solved_for, evidence):
            self._solved_for = evidence  # also where it fails: the same would fail again
            self._plan = self._solved(evidence, asked, intensity)
        self._serve(asked)

    def _solved(self, evidence: Evidence, asked: Constraints, intensity: float | None) -> Plan:
        """A plan for the evidence; the one there is where that fails, or where they differ in nothing but the name."""
        try:
            plan = self._solve(evidence, asked, intensity)
        except NotYetKnown as exc:
            rest = without(asked, exc.constraints)
            if rest is not None:
                self._say(f"{exc}. Until then the policy plans without it")
                return self._solved(evidence, rest, intensity)
            self._fail(exc)
        except PolicyError as exc:
            self._fail(exc)
        else:
            return self._plan if _alike(plan, self._plan) else plan
        return self._plan

    def _updated(self, basis: Basis) -> Evidence:
        """Its evidence with the mix of the recent requests, and the intensities since then."""
        evidence, mix = basis.evidence, self._traffic.mix()
        return replace(
            evidence,
            mix=evidence.mix if mix is None else mix,
            intensities_g_per_kwh=self._intensities.past(evidence.intensities_g_per_kwh, basis.span_s),
        )

    def _serve(self, asked: Constraints) -> None:
        """Put the plan, or `full` while the breaker is open, in place of the current policy."""
        why = opened(self._knowledge.quality(), asked)
        policy: Policy = ContextualPolicy(self._plan)
        if why is not None:
            policy = Tripped(policy.version, asked.control_share, why)
        if policy.version == self._current.version:
            return
        if why is not None:
            _LOG.warning("%s: everything is served full until an evaluation or a tuned policy says otherwise", why)
        else:
            _LOG.info("policy %s is in use", policy.version)
        self._current = self._counted(policy)

    def _counted(self, policy: Policy) -> Counted:
        return Counted(policy, self._traffic)

    def _fail(self, exc: PolicyError) -> None:
        self._say(f"no new plan could be made, and the policy stays as it is: {exc}")

    def _say(self, what: str) -> None:
        """Once."""
        if what not in self._said:
            self._said.add(what)
            _LOG.warning("%s", what)


def nothing_known(control_share: float) -> Plan:
    """What is served before anything could be read: `full`, with a control group in which that is no difference."""
    return Plan(
        edges_g_per_kwh=(),
        levels=({Bin(): {FULL.name: 1.0}},),
        explore_share=0.0,
        control_share=control_share,
        expected=Expected(
            carbon_g=None, full_carbon_g=None, energy_j=None, full_energy_j=None, quality=None, quality_low=None
        ),
        version=FULL.name,
    )


def _moved(old: Evidence, new: Evidence) -> bool:
    """Whether a plan for the old is no longer one for the new."""
    return shift(old.mix, new.mix) > MATERIAL or _intensities_moved(
        old.intensities_g_per_kwh, new.intensities_g_per_kwh
    )


def _intensities_moved(old: Sequence[float], new: Sequence[float]) -> bool:
    if not (old and new):
        return bool(old) != bool(new)
    return distance(old, new) > MATERIAL * fmean(old)


def _alike(one: Plan, other: Plan) -> bool:
    """Whether they give every request the same probabilities, so that a new version would say nothing."""
    flat = all(level == plan.levels[0] for plan in (one, other) for level in plan.levels)
    parts = attrgetter("explored", "explore_share", "control_share", "pinned")
    return flat and one.levels[0] == other.levels[0] and parts(one) == parts(other)
