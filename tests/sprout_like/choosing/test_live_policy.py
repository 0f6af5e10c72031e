"""A live policy follows what the ledger, the traffic and the grid tell it, and no request sees it change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from random import Random
from statistics import fmean
from typing import Any

import pytest

from directives import FULL, FixedPolicy, Observation, Policy
from directives.constraints import Constraints
from directives.errors import Infeasible, NotYetKnown
from directives.evidence import Evidence, Known
from directives.plan import Plan
from directives.workload import Bin, bin_of
from sprout_like import CarbonAware
from sprout_like.choosing.intensities import QUANTILES, SAMPLE_EVERY_S
from sprout_like.choosing.knowledge import Basis
from sprout_like.choosing.live import POLL_EVERY_S, LivePolicy, nothing_known
from sprout_like.choosing.testing import ScriptedKnowledge
from sprout_like.choosing.traffic import LEAST_REQUESTS
from sprout_like.errors import LedgerUnreachable
from sprout_like.testing import ManualClock, MemoryLedger, NullEngine

EVIDENCE = Evidence(cells=(Known(directive="full", bin=Bin(), lossless=True),))
ASKED = Constraints()
CHAT = Observation(task="chat", prompt_tokens=20, limit_tokens=100, batch_size=1)
CODE = replace(CHAT, task="code")


def always(directive: str, version: str | None = None) -> Plan:
    plan = nothing_known(control_share=0.0)
    return replace(plan, levels=({Bin(): {directive: 1.0}},), version=version or directive)


class Bench:
    """A live policy over a scripted ledger, a scripted solver and a clock of its own."""

    def __init__(self, **basis: Any) -> None:
        self.knowledge = ScriptedKnowledge(Basis(**{"key": "1", "evidence": EVIDENCE, **basis}))
        self.clock = ManualClock()
        self.intensity: float | None = 200.0
        self.solved: list[tuple[Evidence, Constraints, float | None]] = []
        self.answer: Plan | Exception = always("brief")
        self.live = LivePolicy(
            self.knowledge,
            ASKED,
            solve=self._solve,
            intensity=lambda: self.intensity,
            monotonic_s=self.clock.monotonic_s,
        )

    def _solve(self, evidence: Evidence, constraints: Constraints, intensity: float | None) -> Plan:
        self.solved.append((evidence, constraints, intensity))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def tick(self, after_s: float = POLL_EVERY_S) -> None:
        self.clock.advance(after_s)
        self.live.tick()

    def serve(self, observation: Observation, times: int = 1) -> str:
        for _ in range(times):
            chosen = self.live.choose(observation, ["full", "brief", "very_brief"], Random(1)).directive
        return chosen


def test_before_it_has_looked_everything_is_served_full() -> None:
    assert Bench().serve(CHAT) == "full"


def test_a_fresh_install_is_solved_from_what_is_known() -> None:
    bench = Bench()

    bench.tick()

    assert (bench.serve(CHAT), bench.live.version) == ("brief", "contextual:brief")
    ((evidence, asked, intensity),) = bench.solved
    assert (evidence.cells, asked, intensity) == (EVIDENCE.cells, ASKED, 200.0)


def test_a_tuned_plan_is_served_as_it_was_proved() -> None:
    bench = Bench(plan=always("very_brief"), constraints=ASKED)
    bench.intensity = None

    bench.tick()

    assert (bench.serve(CHAT), bench.solved) == ("very_brief", [])


def test_a_newer_basis_takes_over_and_an_unchanged_one_costs_nothing() -> None:
    bench = Bench()
    bench.tick()
    bench.tick()
    assert len(bench.solved) == 1

    tuned = replace(EVIDENCE, intensities_g_per_kwh=(190.0, 210.0))
    bench.knowledge.now = Basis(key="2", evidence=tuned, plan=always("very_brief"), constraints=ASKED)
    bench.tick()

    assert bench.serve(CHAT) == "very_brief"
    assert len(bench.solved) == 1


def test_the_ledger_is_looked_at_no_oftener_than_needed() -> None:
    bench = Bench()
    for _ in range(int(2 * POLL_EVERY_S)):
        bench.clock.advance(1)
        bench.live.tick()

    assert bench.knowledge.asked == 2


def test_what_the_user_forbids_now_holds_for_a_policy_tuned_before() -> None:
    tuned = Constraints(floor=0.8, forbidden={"": frozenset({"int4"})}, explore_share=0.1)
    bench = Bench(plan=always("very_brief"), constraints=tuned)

    bench.tick()

    ((_, asked, _),) = bench.solved
    assert (asked.floor, asked.forbidden, asked.explore_share) == (0.8, {}, ASKED.explore_share)
    assert bench.serve(CHAT) == "brief"


def test_another_mix_is_another_plan() -> None:
    bench = Bench(evidence=replace(EVIDENCE, mix={bin_of(CHAT): 1.0}))
    bench.tick()
    bench.serve(CODE, LEAST_REQUESTS - 1)
    bench.tick()
    assert len(bench.solved) == 1

    bench.serve(CODE)
    bench.tick()

    assert bench.solved[-1][0].mix == {bin_of(CODE): 1.0}
    bench.serve(CODE, 50)
    bench.tick()
    assert len(bench.solved) == 2


@pytest.mark.parametrize(("now", "solutions"), [(209.0, 1), (300.0, 2), (100.0, 2), (None, 1)])
def test_intensities_that_were_not_solved_for_are_another_plan(now: float | None, solutions: int) -> None:
    bench = Bench()
    bench.tick()
    bench.intensity = now
    bench.tick(SAMPLE_EVERY_S)

    assert len(bench.solved) == solutions


def test_a_tuned_policy_is_solved_again_once_the_grid_differs_from_what_it_was_tuned_on() -> None:
    """Tuned on half a day at 100 g/kWh: three samples at 200 are a ninth of what is known then."""
    tuned = replace(EVIDENCE, intensities_g_per_kwh=(100.0,) * QUANTILES)
    bench = Bench(plan=always("very_brief"), constraints=ASKED, evidence=tuned, span_s=24 * SAMPLE_EVERY_S)
    for _ in range(2):
        bench.tick(SAMPLE_EVERY_S)
        assert bench.solved == []

    bench.tick(SAMPLE_EVERY_S)

    ((evidence, _, _),) = bench.solved
    assert fmean(evidence.intensities_g_per_kwh) == pytest.approx((24 * 100 + 3 * 200) / 27, rel=0.01)


def test_a_plan_that_differs_in_its_name_alone_is_no_new_version() -> None:
    bench = Bench()
    bench.tick()
    bench.answer = replace(always("brief", "other"), edges_g_per_kwh=(250.0,), levels=always("brief").levels * 2)
    bench.intensity = 300.0
    bench.tick(SAMPLE_EVERY_S)

    assert len(bench.solved) == 2
    assert bench.live.version == "contextual:brief"


@pytest.mark.parametrize("failure", ["ledger", "plan"])
def test_what_fails_leaves_the_plan_as_it_is_and_is_said_once(failure: str, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.tick()
    caplog.clear()
    if failure == "ledger":
        bench.knowledge.failure = LedgerUnreachable("ledger db: no answer")
    bench.answer = Infeasible("floor 0.99 cannot hold", ("floor",))
    for bench.intensity in (300.0, 500.0):
        bench.tick(SAMPLE_EVERY_S)

    assert bench.serve(CHAT) == "brief"
    (said,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert ("no answer" if failure == "ledger" else "floor 0.99 cannot hold") in said

    bench.knowledge.failure = None
    bench.answer = always("very_brief")
    bench.intensity = 900.0
    bench.tick(SAMPLE_EVERY_S)
    assert bench.serve(CHAT) == "very_brief"


def test_one_that_cannot_be_solved_at_first_serves_full() -> None:
    bench = Bench()
    bench.answer = Infeasible("carbon_budget_g_per_day 1 cannot hold", ("carbon_budget_g_per_day",))

    bench.tick()

    assert bench.serve(CHAT) == FULL.name


def test_what_cannot_be_told_yet_is_left_out_until_it_can(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[Constraints] = []

    def solve(evidence: Evidence, constraints: Constraints, intensity: float | None) -> Plan:
        asked.append(constraints)
        if constraints.price_per_kg is not None and intensity is None:
            raise NotYetKnown("price_per_kg 1: the intensity is unknown", ("price_per_kg",))
        return always("brief")

    bench = Bench()
    bench.intensity = None
    priced = replace(ASKED, price_per_kg=1.0, answer_value=0.1, latency_limit_s={"chat": 2.0})
    bench.live = LivePolicy(
        bench.knowledge, priced, solve=solve, intensity=lambda: bench.intensity, monotonic_s=bench.clock.monotonic_s
    )
    bench.tick()
    assert bench.serve(CHAT) == "brief"
    bench.intensity = 200.0
    bench.tick()

    assert asked == [priced, replace(priced, price_per_kg=None, answer_value=None), priced]
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said == ["price_per_kg 1: the intensity is unknown. Until then the policy plans without it"]


def test_a_price_that_cannot_be_told_stands_where_nothing_else_keeps_quality() -> None:
    bench = Bench(constraints=Constraints(floor=None, price_per_kg=1.0, answer_value=0.1))
    bench.answer = NotYetKnown("price_per_kg 1: the intensity is unknown", ("price_per_kg",))

    bench.tick()

    assert (bench.serve(CHAT), len(bench.solved)) == ("full", 1)


def test_a_change_amid_a_request_reaches_the_next_one_alone() -> None:
    """Candidates, draw and row of one request are of one version, also where the plan is swapped while it runs."""
    bench = Bench()
    bench.tick()
    ledger = MemoryLedger()

    def swap() -> None:
        bench.answer = always("very_brief")
        bench.knowledge.now = Basis(key=f"{len(bench.solved) + 1}", evidence=EVIDENCE)
        bench.tick()

    with CarbonAware(
        None, engine=NullEngine(on_run=swap), grid=200, ledger=ledger, meter="none", policy=bench.live
    ) as aware:
        aware.generate()
        aware.generate()

    served = [(row.directive, row.policy_version, row.candidates) for row in ledger.requests]
    assert served == [
        ("brief", "contextual:brief", "full,brief"),
        ("very_brief", "contextual:very_brief", "full,very_brief"),
    ]


def test_a_policy_that_does_not_say_what_it_is_now_serves_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    class Moody(FixedPolicy):
        @property
        def current(self) -> Policy:
            raise RuntimeError("key=SECRET")

    ledger = MemoryLedger()
    with CarbonAware(None, engine=NullEngine(), grid=200, ledger=ledger, meter="none", policy=Moody("brief")) as aware:
        aware.generate()
        aware.generate()

    assert [row.directive for row in ledger.requests] == ["brief", "brief"]
    said = [record.getMessage() for record in caplog.records if "what it is now" in record.getMessage()]
    assert said == ["policy fixed does not say what it is now (RuntimeError)"]


def test_a_tick_under_way_is_not_waited_for() -> None:
    bench = Bench()
    nested: list[int] = []

    def solve(evidence: Evidence, constraints: Constraints, intensity: float | None) -> Plan:
        bench.clock.advance(POLL_EVERY_S)
        live.tick()
        nested.append(bench.knowledge.asked)
        return always("brief")

    live = LivePolicy(bench.knowledge, ASKED, solve=solve, intensity=lambda: None, monotonic_s=bench.clock.monotonic_s)
    live.tick()

    assert nested == [1]


def test_closing_it_closes_what_it_reads_and_it_goes_on_choosing() -> None:
    bench = Bench()
    bench.tick()
    bench.live.close()

    assert bench.knowledge.closed
    assert bench.serve(CHAT) == "brief"


@pytest.fixture
def wrap() -> Callable[..., CarbonAware]:
    def make(**parts: Any) -> CarbonAware:
        return CarbonAware(
            None, **{"engine": NullEngine(), "grid": 200, "ledger": MemoryLedger(), "meter": "none", **parts}
        )

    return make


def test_it_is_the_default_and_one_for_all_views(wrap: Callable[..., CarbonAware]) -> None:
    with wrap(rng=Random(1)) as aware, wrap(policy="full") as pinned:
        row = aware.chat("hello").record
        view = aware.using(policy="contextual").chat("hello").record
        other = pinned.using(policy="contextual").chat("hello").record

    assert (row.policy, row.directive, row.candidates[:4]) == ("contextual", "full", "full")
    assert row.policy_version == view.policy_version == other.policy_version


def test_a_fresh_install_tries_out_no_more_than_the_user_allows(wrap: Callable[..., CarbonAware]) -> None:
    ledger = MemoryLedger()
    with wrap(rng=Random(1), ledger=ledger) as aware:
        for _ in range(2000):
            aware.generate()

    tried = [row for row in ledger.requests if row.directive != "full"]
    # Five standard deviations around 2 %.
    assert len(tried) / 2000 == pytest.approx(0.02, abs=5 * (0.02 * 0.98 / 2000) ** 0.5)
    assert {row.decision_reason for row in tried} == {"explored"}
    assert not {row.directive for row in tried} & {"bf16", "int8", "int4"}
    assert sum(row.decision_group == "control" for row in ledger.requests) / 2000 == pytest.approx(0.05, abs=0.025)
