"""The hot path with fakes at every edge: what the row says of a request, and of the view it was made under."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from directives.testing import ScriptedRandom
from sprout_like import SettingError, Settings
from sprout_like.testing import NullEngine
from tests.sprout_like.middleware.bench import WATTS, Bench


def test_the_row_of_an_ordinary_request(bench: Callable[..., Bench]) -> None:
    b = bench(settings=Settings.load(control_share=0.0, pue=1.2), tags={"team": "search"})
    reply = b.aware.chat("Why?", task="question", tags={"tenant": "a"})
    (row,) = b.ledger.requests
    assert row == reply.record
    assert (row.directive, row.propensity, row.decision_group) == ("very_brief", 1.0, "policy")
    assert row.candidates == "full,brief,very_brief"
    assert (row.duration_s, row.engine_s, row.queue_s) == (2.0, 2.0, 0.0)
    assert row.energy_j == pytest.approx(2 * WATTS)
    assert row.energy_method == "measured"
    assert row.operational_g == pytest.approx(2 * WATTS / 3.6e6 * 1.2 * 250)
    assert row.embodied_g is None
    assert (row.zone, row.intensity_g_per_kwh, row.intensity_status, row.intensity_stale) == (
        "GB",
        250,
        "static",
        False,
    )
    assert (row.task, row.tags) == ("question", {"team": "search", "tenant": "a"})
    assert (row.status, row.error_type, row.purpose, row.call) == ("ok", None, "request", "chat")
    assert (row.prompt_tokens, row.new_tokens, row.finish_reason) == (16, 32, "length")


def test_embodied_emissions_are_counted_by_the_time_on_the_device(bench: Callable[..., Bench]) -> None:
    year = 365 * 24 * 3600
    b = bench(settings=Settings.load(embodied_total_g=1e6, embodied_lifetime_years=4, embodied_share=0.5))
    b.aware.generate()
    assert b.ledger.requests[0].embodied_g == pytest.approx(1e6 / (4 * year) * 2.0 * 0.5)


def test_the_control_group_is_logged_with_its_probability(bench: Callable[..., Bench]) -> None:
    b = bench(settings=Settings.load(control_share=0.2), rng=ScriptedRandom([0.1, 0.9]))
    b.aware.generate()
    b.aware.generate()
    groups = [(r.directive, r.propensity, r.decision_group) for r in b.ledger.requests]
    assert groups == [("full", 0.2, "control"), ("very_brief", 0.8, "policy")]


def test_a_view_shares_everything_but_what_it_was_made_for(bench: Callable[..., Bench]) -> None:
    b = bench(tags={"team": "search"})
    view = b.aware.using(policy="full", task="sum", tags={"run": "7"}, purpose="baseline")
    view.generate()
    b.aware.generate()
    pinned, plain = b.ledger.requests
    assert (pinned.policy_version, pinned.task, pinned.tags, pinned.purpose) == (
        "fixed:full",
        "sum",
        {"team": "search", "run": "7"},
        "baseline",
    )
    assert (plain.policy, plain.task, plain.tags, plain.purpose) == ("threshold", None, {"team": "search"}, "request")
    assert pinned.session_id == plain.session_id


@pytest.mark.parametrize("wrong", [{"purpose": "fun"}, {"tags": {"run": 7}}, {"tags": {7: "run"}}])
def test_a_view_refuses_what_no_row_can_hold(bench: Callable[..., Bench], wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        bench().aware.using(**wrong)


def test_reprs_hold_no_prompt() -> None:
    from sprout_like.engines.engine import Call, Generation, Plan
    from sprout_like.middleware import Reply

    secret = "my medical history"
    call = Call(args=(secret,), kwargs={"x": secret}, messages=[{"content": secret}], prompt_ids=[secret])
    plan = Plan(args=(secret,), kwargs={"x": secret})
    generation = Generation(output=secret, answers=[[1]])
    for thing in (call, plan, generation, Reply(secret, None)):  # type: ignore[arg-type]
        assert secret not in repr(thing)


def test_warm_up_is_overhead_and_happens_once(bench: Callable[..., Bench]) -> None:
    holder: list[Bench] = []

    class Warming(NullEngine):
        warmed = 0

        def warm_up(self, plan: Any, call: Any) -> None:
            self.warmed += 1
            holder[0].clock.advance(10.0)

    engine = Warming(on_run=lambda: holder[0].clock.advance(2.0))
    b = bench(engine=engine)
    holder.append(b)
    b.aware.generate()
    b.aware.generate()
    b.aware.close()
    assert engine.warmed == 1
    assert [r.energy_j for r in b.ledger.requests] == [pytest.approx(2 * WATTS)] * 2
    (account,) = b.ledger.accounts
    assert account.overhead_j == pytest.approx(10 * WATTS)
    assert account.requests_j == pytest.approx(4 * WATTS)
    assert account.counter_j == pytest.approx(14 * WATTS)


def test_a_warm_up_that_fails_is_not_the_callers_problem(bench: Callable[..., Bench]) -> None:
    class Cold(NullEngine):
        def warm_up(self, plan: Any, call: Any) -> None:
            raise RuntimeError("needs pixels")

    b = bench(engine=Cold())
    b.aware.generate()
    assert b.ledger.requests[0].status == "ok"
