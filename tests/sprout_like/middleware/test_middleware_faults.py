"""The hot path with fakes at every edge: what each fault does to the answer and to the row."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from directives import Catalogue, Decision, FixedPolicy
from directives.testing import FailingPolicy
from grid import BadData, Grid, SourceDown, SourceRefused
from grid.testing import ScriptedSource, reading
from sprout_like import CarbonAware, Settings
from sprout_like.testing import ManualClock, MemoryLedger, NullEngine
from tests.sprout_like.middleware.bench import WATTS, Bench


class TestFaultsOfTheModel:
    @pytest.mark.parametrize("error", [ValueError("secret prompt"), KeyboardInterrupt(), MemoryError()])
    def test_the_same_exception_reaches_the_caller_and_the_row_is_written(
        self, bench: Callable[..., Bench], error: BaseException
    ) -> None:
        b = bench(engine=NullEngine(error=error))
        with pytest.raises(type(error)) as caught:
            b.aware.generate()
        assert caught.value is error
        (row,) = b.ledger.requests
        assert (row.status, row.error_type) == ("error", type(error).__name__)
        assert row.energy_j is not None
        assert row.new_tokens is None
        assert "secret" not in repr(row)

    def test_the_energy_spent_before_the_error_is_charged(self, bench: Callable[..., Bench]) -> None:
        clock_holder: list[Bench] = []
        b = bench(engine=NullEngine(error=ValueError(), on_run=lambda: clock_holder[0].clock.advance(3.0)))
        clock_holder.append(b)
        with pytest.raises(ValueError):
            b.aware.generate()
        assert b.ledger.requests[0].energy_j == pytest.approx(3 * WATTS)

    def test_the_model_can_be_used_again(self, bench: Callable[..., Bench]) -> None:
        b = bench(engine=NullEngine(error=ValueError()))
        for _ in range(2):
            with pytest.raises(ValueError):
                b.aware.generate()
        assert len(b.ledger.requests) == 2


class TestFaultsOfThePolicy:
    def test_full_is_served_with_an_unknown_propensity(
        self, bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
    ) -> None:
        b = bench(policy=FailingPolicy())
        assert list(b.aware.generate()) == list(range(32))
        b.aware.generate()
        for row in b.ledger.requests:
            assert (row.directive, row.propensity) == ("full", None)
            assert row.decision_reason == "policy failing failed: RuntimeError"
        assert sum("policy failing failed" in r.getMessage() for r in caplog.records) == 1  # the rows say the rest

    def test_a_choice_outside_the_candidates_is_not_served(self, bench: Callable[..., Bench]) -> None:
        from directives import FixedPolicy
        from directives.policy import Decision

        class Stubborn(FixedPolicy):
            def choose(self, *_: Any) -> Decision:
                return Decision(directive="teleport", propensity=1.0, reason="why not")

        b = bench(policy=Stubborn("brief"))
        b.aware.generate()
        row = b.ledger.requests[0]
        assert (row.directive, row.propensity) == ("full", None)
        assert "teleport, not a candidate" in str(row.decision_reason)

    @pytest.mark.parametrize("result", [None, 5], ids=str)
    def test_what_is_no_decision_is_not_served(self, bench: Callable[..., Bench], result: Any) -> None:
        class Odd(FailingPolicy):
            def choose(self, *_: Any) -> Any:
                return result

        b = bench(policy=Odd())
        assert len(b.aware.generate()) == 32
        assert (b.ledger.requests[0].directive, b.ledger.requests[0].propensity) == ("full", None)

    def test_a_knob_that_fails_falls_back_to_full(self, bench: Callable[..., Bench]) -> None:
        class Clumsy(NullEngine):
            def plan(self, directive: Any, call: Any) -> Any:
                if directive.knobs:
                    raise RuntimeError("bug")
                return super().plan(directive, call)

        b = bench(engine=Clumsy(), policy="brief")
        b.aware.generate()
        row = b.ledger.requests[0]
        assert (row.status, row.directive, row.propensity) == ("ok", "full", None)
        assert row.decision_reason == "brief could not be applied: RuntimeError"


class TestFaultsOfTheEngineAndTheLedger:
    def test_a_call_that_cannot_be_inspected_is_served_full(self, bench: Callable[..., Bench]) -> None:
        class Puzzled(NullEngine):
            def inspect(self, args: Any, kwargs: Any, **more: Any) -> Any:
                raise TypeError("what is this")

            def refusal(self, directive: Any, call: Any) -> str:
                return "not understood"

            def plan(self, directive: Any, call: Any) -> Any:
                assert directive.name == "full"
                return super().plan(directive, call)

        b = bench(engine=Puzzled())
        assert len(b.aware.generate("odd")) == 32
        assert b.ledger.requests[0].directive == "full"

    def test_a_directive_that_cannot_be_judged_is_left_out(self, bench: Callable[..., Bench]) -> None:
        class Unsure(NullEngine):
            def refusal(self, directive: Any, call: Any) -> str | None:
                if directive.name == "very_brief":
                    raise RuntimeError("bug")
                return None

        b = bench(engine=Unsure())
        b.aware.generate()
        assert b.ledger.requests[0].candidates == "full,brief"

    @pytest.mark.parametrize("reach", [7, property(lambda self: 1 / 0)])
    def test_a_reach_that_is_none_is_as_if_there_were_none(self, bench: Callable[..., Bench], reach: Any) -> None:
        b = bench(policy=type("Odd", (FixedPolicy,), {"reach": reach})("brief"))
        b.aware.generate()
        (row,) = b.ledger.requests
        assert (row.directive, row.candidates) == ("brief", ",".join(Catalogue.builtin().directives))

    def test_only_what_the_policy_can_choose_is_judged(self, bench: Callable[..., Bench]) -> None:
        judged = []

        class Noting(NullEngine):
            def refusal(self, directive: Any, call: Any) -> str | None:
                judged.append(directive.name)
                return None

        class Anything:
            name, version = "anything", "anything:1"

            def choose(self, observation: Any, candidates: Any, rng: Any) -> Decision:
                return Decision(directive=candidates[-1], propensity=1.0, reason="the last")

        bench(engine=Noting(), policy="brief").aware.generate()
        assert judged == ["brief"]
        b = bench(engine=Noting(), policy=Anything())
        b.aware.generate()
        assert b.ledger.requests[0].candidates == ",".join(Catalogue.builtin().directives)

    def test_a_ledger_that_raises_costs_its_row_and_not_the_answer(
        self, bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
    ) -> None:
        class Raising(MemoryLedger):
            def append(self, record: Any) -> None:
                raise OSError("no")

        b = bench(ledger=Raising())
        assert len(b.aware.generate()) == 32
        assert "lost its row (OSError)" in caplog.text


class TestFaultsOfTheMeter:
    def test_a_reading_that_fails_makes_the_energy_unknown_and_warns_once(
        self, bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
    ) -> None:
        b = bench()
        b.aware.generate()
        b.meter.fail()
        with caplog.at_level(logging.WARNING):
            b.aware.generate()
            b.aware.generate()
        b.meter.recover()
        b.aware.generate()
        b.aware.generate()
        rows = b.ledger.requests
        assert [r.energy_method for r in rows[:3]] == ["measured", "none", "none"]
        assert rows[-1].energy_method == "measured"
        assert all(r.energy_j is r.operational_g is r.account_id is None for r in rows[1:3])
        assert [r.status for r in rows] == ["ok"] * 5
        assert sum("meter fake failed" in r.getMessage() for r in caplog.records) == 1

    def test_a_meter_that_fails_while_the_model_runs(self, bench: Callable[..., Bench]) -> None:
        holder: list[Bench] = []
        b = bench(engine=NullEngine(on_run=lambda: holder[0].meter.fail()))
        holder.append(b)
        b.aware.generate()
        row = b.ledger.requests[0]
        assert (row.status, row.energy_method, row.energy_j, row.operational_g) == ("ok", "none", None, None)

    def test_a_model_on_a_gpu_that_nothing_reads_has_unknown_energy_not_half_of_it(
        self, bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
    ) -> None:
        b = bench(engine=NullEngine(devices=("GPU-1234",)))
        b.aware.generate()
        assert b.ledger.requests[0].energy_method == "none"
        assert "sprout-like doctor" in caplog.text

    def test_no_meter_at_all(self, bench: Callable[..., Bench]) -> None:
        b = bench(meter="none")
        b.aware.generate()
        assert b.ledger.requests[0].energy_method == "none"


class TestFaultsOfTheGrid:
    @pytest.mark.parametrize(
        "fault", [SourceDown("gone"), BadData("null"), SourceDown("500", retry_after_s=60)], ids=lambda f: str(f)
    )
    def test_without_a_reading_the_answer_is_generated_and_the_row_says_why(
        self, bench: Callable[..., Bench], fault: Exception
    ) -> None:
        b = bench(grid=ScriptedSource(fault))
        assert len(b.aware.generate()) == 32
        row = b.ledger.requests[0]
        assert (row.directive, row.intensity_g_per_kwh, row.operational_g) == ("full", None, None)
        assert row.energy_j is not None
        assert str(fault) in str(row.intensity_reason)

    def test_a_held_reading_is_used_and_says_that_it_is_stale(self, bench: Callable[..., Bench]) -> None:
        clock = ManualClock()
        source = ScriptedSource(reading(300, start_utc=clock.now_utc()), SourceDown("gone"))
        grid = Grid(source, "GB", now_utc=clock.now_utc)
        b = bench(grid=grid)
        grid.refresh()
        clock.advance(3600 + 1800)
        b.aware.generate()
        row = b.ledger.requests[0]
        assert (row.intensity_g_per_kwh, row.intensity_stale) == (300, True)
        assert row.intensity_reason
        clock.advance(24 * 3600)
        b.aware.generate()
        row = b.ledger.requests[1]
        assert (row.intensity_g_per_kwh, row.intensity_stale, row.directive) == (None, None, "full")

    def test_a_refused_key_is_an_error_at_construction(self) -> None:
        with pytest.raises(SourceRefused, match="key"):
            CarbonAware(None, engine=NullEngine(), grid=ScriptedSource(SourceRefused("the key was refused")))

    def test_a_source_that_hangs_does_not_hold_up_construction_or_requests(self, bench: Callable[..., Bench]) -> None:
        import threading

        released = threading.Event()

        class Hanging(ScriptedSource):
            def latest(self, *_: Any) -> Any:
                released.wait(30)
                raise SourceDown("too late")

        b = bench(grid=Hanging(reading(1)), settings=Settings.load(grid_wait_s=0.05))
        b.aware.generate()
        released.set()
        assert b.ledger.requests[0].intensity_g_per_kwh is None
