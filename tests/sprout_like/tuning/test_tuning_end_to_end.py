"""From requests that a middleware served, through `tune`, to what it serves next; energies and verdicts are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from directives import Catalogue, Decision, Observation, Policy, Uniform
from directives.workload import Bin
from sprout_like import CarbonAware
from sprout_like.choosing.constraints import constraints_of
from sprout_like.choosing.live import POLL_EVERY_S, LivePolicy
from sprout_like.choosing.opening import solver
from sprout_like.choosing.stored import LedgerKnowledge
from sprout_like.engines.engine import Call, Generation, Pausable, Plan
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.settings import Settings
from sprout_like.testing import FakeMeter, ManualClock, NullEngine
from sprout_like.tuning.propose import Proposal, tune
from sprout_like.tuning.store import all_policies

WATTS = 40.0
TOKENS_PER_S = 40.0
HOME = Bin(task="question", prompt_tokens="1-128", limit_tokens="129-512", batch_size="1")
Scores = Callable[..., list[tuple[float, float]]]


class Answering(NullEngine):
    """Takes time, and so energy, by the length of the answer: 256 tokens under `full`, 96 and 48 when brief."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(new_tokens=256)
        self._clock = clock
        self._noise = Random(2)

    def run(self, plan: Plan, call: Call, window: Pausable) -> Generation:
        self._clock.advance((plan.limit_tokens or 0) / TOKENS_PER_S * self._noise.uniform(0.5, 1.5))
        return super().run(plan, call, window)


@dataclass(frozen=True)
class Drawing:
    """Draws with fixed chances."""

    chances: dict[str, float]
    name = "drawing"
    version = "drawing:1"

    def choose(self, observation: Observation, candidates: Sequence[str], rng: Uniform) -> Decision:
        draw = rng.random()
        for directive, chance in self.chances.items():
            draw -= chance
            if draw < 0:
                return Decision(directive=directive, propensity=chance, reason="drawn")
        raise AssertionError("the chances do not sum to 1")


class Site:
    """One ledger and those who serve into it, an evaluator's verdicts beside."""

    def __init__(self, file: Path, simulated: Any, settings: Settings) -> None:
        self.clock = ManualClock()
        self.settings = settings
        self.catalogue = Catalogue.builtin()
        self._file = file
        self.simulated = simulated

    def serve(self, policy: Policy, n: int) -> list[str]:
        """That many requests; what each got."""
        meter = FakeMeter(clock=self.clock, watts=WATTS)
        with CarbonAware(
            None,
            engine=Answering(self.clock),
            grid=200,
            ledger=self._file,
            meter=meter,
            policy=policy,
            settings=self.settings,
            clock=self.clock,
            rng=Random(1),
        ) as aware:
            return [aware.chat("Why?", task="question").record.directive for _ in range(n)]

    def judge(self, **scores: list[tuple[float, float]]) -> None:
        self.simulated.verdicts(scores, model="null", operational_g=0.1, energy_j=1800.0)

    def tune(self, **options: Any) -> Proposal:
        settings = self.settings.replaced(**options)
        return tune(self.simulated.engine, settings, self.catalogue, now_utc=self.clock.now_utc())

    def live(self) -> LivePolicy:
        knowledge = LedgerKnowledge(
            build_engine(parse_address(self._file)),
            model="null",
            catalogue_version=self.catalogue.version,
            directives=tuple(self.catalogue),
            hardware=lambda: "fake",
        )
        return LivePolicy(
            knowledge,
            constraints_of(self.settings, self.catalogue),
            solve=solver(self.settings),
            intensity=lambda: 200.0,
            monotonic_s=self.clock.monotonic_s,
        )


@pytest.fixture
def site(local: Any, tmp_path: Path, settings: Settings) -> Site:
    return Site(tmp_path / "ledger.sqlite", local, settings)


@pytest.fixture
def running(site: Site) -> Iterator[LivePolicy]:
    live = site.live()
    live.tick()
    yield live
    live.close()


EXPLORING = Drawing({"full": 0.4, "brief": 0.3, "very_brief": 0.3})


def test_what_is_cheap_and_good_is_found_proved_and_served_without_a_restart(
    site: Site, running: LivePolicy, scores: Scores
) -> None:
    """`brief` costs 3/8 of `full` and is as good; `very_brief` costs 3/16 and is right on half as many prompts."""
    site.serve(EXPLORING, 600)
    site.judge(brief=scores(0.8), very_brief=scores(0.4))
    assert set(site.serve(running, 30)) == {"full"}, "nothing is tuned yet"

    proposal = site.tune()

    assert proposal.state == "active", proposal.reason
    (level,) = proposal.plan.levels
    assert level[HOME]["brief"] > 0.8
    carbon = proposal.estimate["carbon_g"]
    per_request_j = {"full": 256.0, "brief": 96.0, "very_brief": 48.0}
    grams = {name: joules / TOKENS_PER_S * WATTS / 3.6e6 * 1.2 * 200 for name, joules in per_request_j.items()}
    assert carbon["full"]["low"] <= grams["full"] <= carbon["full"]["high"]
    rest = 1 - proposal.plan.control_share - proposal.plan.explore_share
    planned = rest * sum(share * grams[name] for name, share in level[HOME].items()) + 0.05 * grams["full"]
    assert carbon["candidate"]["mean"] == pytest.approx(planned + 0.02 * grams["full"], rel=0.1)
    assert carbon["saving"] == pytest.approx(-(carbon["from_full"]["mean"] + 0.1 / 630) / carbon["full"]["mean"]), (
        "evaluations are taken off"
    )

    site.clock.advance(POLL_EVERY_S)
    running.tick()
    served = site.serve(running, 100)
    assert running.version == f"contextual:{proposal.plan.version}"
    assert served.count("brief") > 70


def test_what_was_judged_too_bad_is_not_served_and_why_is_said(site: Site, running: LivePolicy, scores: Scores) -> None:
    site.serve(EXPLORING, 300)
    site.judge(brief=scores(0.1), very_brief=scores(0.05))

    proposal = site.tune(floor=1.0, explore_share=0.0)

    assert proposal.state == "rejected"
    assert proposal.reason.startswith(
        "what costs less than full does not surely hold the floor 1: brief has 0.12 of its quality by 400 verdicts"
    )
    site.clock.advance(POLL_EVERY_S)
    running.tick()
    assert set(site.serve(running, 30)) == {"full"}


def test_a_plan_that_would_emit_more_than_what_runs_is_not_taken(
    site: Site, running: LivePolicy, scores: Scores
) -> None:
    site.serve(EXPLORING, 600)
    site.judge(brief=scores(0.8), very_brief=scores(0.8))
    first = site.tune()

    second = site.tune(forbidden={"": ("very_brief",)})

    assert (first.state, second.state) == ("active", "rejected"), second.reason
    assert second.reason.startswith("it does not surely emit less than the running policy: ")
    assert " % more (" in second.reason
    site.clock.advance(POLL_EVERY_S)
    running.tick()
    assert running.version == f"contextual:{first.plan.version}"
    assert [policy.state for policy in all_policies(site.simulated.engine)[0]] == ["active", "rejected"]
