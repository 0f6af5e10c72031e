"""What a ledger tells a live policy, and when a running middleware hears of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, text

from directives import Catalogue, Observation
from directives.constraints import Constraints
from directives.estimate import Estimate
from directives.plan import Plan
from directives.profile import Profile
from directives.workload import Bin
from sprout_like import CarbonAware
from sprout_like.calibrate.machine import hardware
from sprout_like.calibrate.store import save_profile
from sprout_like.choosing.breaker import opened
from sprout_like.choosing.live import POLL_EVERY_S
from sprout_like.choosing.stored import LedgerKnowledge, live_quality
from sprout_like.errors import LedgerError, SproutError
from sprout_like.ledger import open_ledger
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.request_rows import insert_requests
from sprout_like.ledger.schema import RequestRow, StoredRequestRow
from sprout_like.ledger.testing import sample_request
from sprout_like.record import RequestRecord
from sprout_like.settings import Settings
from sprout_like.testing import ManualClock, NullEngine
from sprout_like.tuning.store import roll_back

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CATALOGUE = Catalogue.builtin()
QUESTION = Observation(task="question", prompt_tokens=16, limit_tokens=32, batch_size=1)

Activate = Callable[..., Any]
Judge = Callable[..., None]


@pytest.fixture
def knowledge(spec: str, engine: Engine) -> Iterator[LedgerKnowledge]:
    """What that ledger knows of the model `null`."""
    found = of(spec)
    yield found
    found.close()


def of(spec: str) -> LedgerKnowledge:
    return LedgerKnowledge(
        build_engine(parse_address(spec)),
        model="null",
        catalogue_version=CATALOGUE.version,
        directives=tuple(CATALOGUE),
        hardware=lambda: "h",
    )


def served(basis_plan: Plan | None) -> list[str]:
    return [] if basis_plan is None else list(basis_plan.levels[0][Bin()])


def test_an_empty_ledger_knows_what_fits_and_no_more(knowledge: LedgerKnowledge) -> None:
    basis = knowledge.basis()

    assert (basis.plan, basis.constraints) == (None, None)
    assert all(cell.energy_j is None for cell in basis.evidence.cells)
    assert knowledge.quality() is None


def test_a_ledger_without_tables_is_left_as_it_is(tmp_path: Path) -> None:
    spec = str(tmp_path / "new.sqlite")
    found = of(spec)

    assert found.basis().plan is None
    found.close()
    assert open_ledger(spec, spool_path=tmp_path / "spool.sqlite").flush() == 0


def test_the_policy_activated_last_is_the_basis(knowledge: LedgerKnowledge, engine: Engine, activate: Activate) -> None:
    activate("brief")
    first = knowledge.basis()
    assert knowledge.basis() is first

    activate("very_brief", minute=1)
    activate("frugal", minute=2, state="rejected")
    activate("frugal", minute=3, model="another")
    activate("frugal", minute=4, catalogue_version="another")
    second = knowledge.basis()
    roll_back(engine, 1, now_utc=NOON + timedelta(minutes=5))
    third = knowledge.basis()

    assert [served(basis.plan) for basis in (first, second, third)] == [["brief"], ["very_brief"], ["brief"]]
    assert first.constraints == Constraints()


def test_a_tuned_policy_says_from_which_span_it_is(knowledge: LedgerKnowledge, activate: Activate) -> None:
    activate("brief")
    assert knowledge.basis().span_s is None

    read = {"since_utc": (NOON - timedelta(days=2)).isoformat(), "until_utc": NOON.isoformat()}
    activate("very_brief", minute=1, estimate={"read": read})
    assert knowledge.basis().span_s == 2 * 86_400


def test_without_one_it_is_the_calibration_of_this_machine(
    knowledge: LedgerKnowledge, engine: Engine, calibrated: Callable[..., Profile]
) -> None:
    profile = calibrated(QUESTION, lookup=Estimate(0.5, 0.01, 8))
    save_profile(engine, replace(profile, profile_id="1" * 32, hardware="another machine"))
    assert all(cell.energy_j is None for cell in knowledge.basis().evidence.cells)

    save_profile(engine, profile)

    energies = {cell.directive: cell.energy_j for cell in knowledge.basis().evidence.cells if cell.energy_j}
    assert energies["lookup"] == Estimate(50.0, 1.0, 8)


def test_a_row_that_holds_no_policy_is_an_error_of_ours(
    knowledge: LedgerKnowledge, engine: Engine, activate: Activate
) -> None:
    activate("brief")
    with engine.begin() as connection:
        connection.execute(text("UPDATE policies SET plan = '{}'"))

    with pytest.raises(ValueError, match="plan"):
        knowledge.basis()


def test_a_database_that_fails_is_an_error_of_ours(knowledge: LedgerKnowledge, engine: Engine) -> None:
    knowledge.basis()
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE policies"))

    with pytest.raises(SproutError) as raised:
        knowledge.basis()
    assert isinstance(raised.value, (LedgerError, ValueError))


def fill(spec: str, folder: Path, **requests: int) -> None:
    """Requests under the policy, by directive."""
    ledger = open_ledger(spec, spool_path=folder / "spool.sqlite")
    number = 0
    for directive, count in requests.items():
        for _ in range(count):
            number += 1
            ledger.append(
                sample_request(
                    number,
                    directive=directive,
                    model="null",
                    catalogue_version=CATALOGUE.version,
                    policy="contextual",
                    policy_version="v",
                    task="chat" if number % 2 else None,
                    inferred_task=None if number % 2 else "chat",
                )
            )
    assert ledger.flush() == 0
    ledger.close()


def serve_by_breaker(engine: Engine, *, but: int | None = None) -> None:
    """Make all that were served `full` ones of a policy under an open breaker, but the one at that place in time."""
    with engine.begin() as connection:
        stored = connection.execute(select(RequestRow.__table__).order_by(RequestRow.started_utc)).mappings()
        records = [RequestRecord(**row) for row in stored]
        connection.execute(delete(StoredRequestRow))
        insert_requests(
            connection,
            (
                replace(record, policy_version="v;breaker") if record.directive == "full" and place != but else record
                for place, record in enumerate(records)
            ),
        )


def test_live_verdicts_are_weighed_by_the_share_that_needs_judging(
    knowledge: LedgerKnowledge, spec: str, tmp_path: Path, activate: Activate, judge: Judge
) -> None:
    activate("brief")
    fill(spec, tmp_path, full=2, lookup=1, brief=1)
    judge("brief", 0.5, n=3, live=True)
    judge("brief", 1.0, n=2, live=False, minute=2)
    judge("brief", 0.0, n=9, live=True, minute=-1)
    judge("brief", 0.0, n=9, live=True, model="another")
    judge("lookup", 0.0, n=9, live=True)
    knowledge.basis()

    live = knowledge.quality()

    assert live is not None
    assert live.shares == {("chat", "brief"): 0.25}
    (first, second) = live.evaluations
    assert (first.again, second.served) == ({}, None)
    assert (first.served.n, first.served.mean, first.served.variance) == (3, 0.5, 0.0)  # type: ignore[union-attr]
    assert {kind: (found.n, found.mean) for kind, found in second.again.items()} == {("", "brief"): (2, 1.0)}


def test_an_evaluation_before_the_first_request_is_heeded_once_there_is_one(
    knowledge: LedgerKnowledge, spec: str, tmp_path: Path, activate: Activate, judge: Judge
) -> None:
    activate("brief")
    judge("brief", 0.0, n=400, live=False)
    knowledge.basis()
    assert opened(knowledge.quality(), Constraints()) is None

    fill(spec, tmp_path, brief=10)

    assert opened(knowledge.quality(), Constraints()) is not None


def test_what_is_served_while_the_breaker_is_open_does_not_close_it(
    knowledge: LedgerKnowledge, spec: str, tmp_path: Path, engine: Engine, activate: Activate, judge: Judge
) -> None:
    activate("brief")
    fill(spec, tmp_path, brief=10, full=90)
    serve_by_breaker(engine)
    judge("brief", 0.0, n=400, live=True)
    knowledge.basis()

    live = knowledge.quality()

    assert live is not None
    assert live.shares == {("chat", "brief"): 1.0}
    assert opened(live, Constraints()) is not None


@pytest.mark.parametrize("last", ["strict", "kind"])
def test_the_newest_judge_alone_counts(
    last: str, knowledge: LedgerKnowledge, spec: str, tmp_path: Path, activate: Activate, judge: Judge
) -> None:
    """Their scales differ: many verdicts of one do not make up for those of another."""
    activate("brief")
    fill(spec, tmp_path, brief=10)
    scores = {"strict": 0.0, "kind": 1.0}
    (first,) = scores.keys() - {last}
    for minute, name in enumerate((first, last), 1):
        judge("brief", scores[name], n=4000 if name == first else 400, live=True, minute=minute, judge=name)
    knowledge.basis()

    live = knowledge.quality()

    assert live is not None
    assert [judged.served.n for judged in live.evaluations if judged.served is not None] == [400]
    assert (opened(live, Constraints()) is not None) is (last == "strict")


def test_of_a_large_ledger_only_the_ends_are_read(
    spec: str, tmp_path: Path, engine: Engine, activate: Activate, judge: Judge
) -> None:
    """Those of the policy are the first 30 and the 50th; all between them are of others, as a stopped policy's are."""
    activate("brief")
    fill(spec, tmp_path, brief=10, very_brief=20, full=100)
    serve_by_breaker(engine, but=49)
    judge("brief", 0.5, n=3, live=True)

    def shares(most_rows: int) -> dict[str, float]:
        with engine.connect() as connection:
            live = live_quality(connection, "null", CATALOGUE.version, tuple(CATALOGUE), NOON, most_rows=most_rows)
        assert live is not None
        return {directive: share for (_, directive), share in live.shares.items()}

    assert shares(20) == {"brief": 0.5, "very_brief": 0.5}
    assert shares(40) == {"brief": pytest.approx(1 / 3), "very_brief": pytest.approx(2 / 3)}
    assert shares(100) == {"brief": pytest.approx(10 / 31), "very_brief": pytest.approx(20 / 31)}


def test_a_newer_policy_begins_with_a_clean_slate(
    knowledge: LedgerKnowledge, spec: str, tmp_path: Path, activate: Activate, judge: Judge
) -> None:
    activate("brief")
    fill(spec, tmp_path, brief=10)
    judge("brief", 0.0, n=400, live=True)
    knowledge.basis()
    assert opened(knowledge.quality(), Constraints()) is not None

    activate("very_brief", minute=5)
    knowledge.basis()

    assert knowledge.quality() is None


class Server:
    """A middleware on a ledger, with a clock that the test moves."""

    def __init__(self, spec: str, folder: Path, **parts: Any) -> None:
        self.clock = ManualClock()
        settings = Settings.load(spool=folder / "spool.sqlite", control_share=0.05, **parts)
        self.aware = CarbonAware(
            None,
            engine=NullEngine(),
            grid=200,
            meter="none",
            ledger=spec,
            settings=settings,
            clock=self.clock,
            rng=Random(1),
        )

    def serve(self) -> set[str]:
        """What a few requests get, once it has looked at the ledger again."""
        self.clock.advance(POLL_EVERY_S)
        self.aware._parts.policy.tick()
        return {self.aware.chat("hello").record.directive for _ in range(8)}


def test_a_running_middleware_takes_over_what_another_process_tuned(
    spec: str, tmp_path: Path, engine: Engine, activate: Activate
) -> None:
    server = Server(spec, tmp_path, explore_share=0.02)
    before = server.serve()
    activate("brief")
    after = server.serve()
    activate("very_brief", minute=1)
    later = server.serve()
    server.aware.close()

    assert [served - {"full"} for served in (before, after, later)] == [set(), {"brief"}, {"very_brief"}]


TUNE = """
import sys
from datetime import UTC, datetime
from dataclasses import replace
from directives import Catalogue
from directives.constraints import Constraints
from directives.evidence import Evidence, Known
from directives.workload import Bin
from sprout_like.choosing.live import nothing_known
from sprout_like.ledger import open_engine
from sprout_like.tuning.store import save_policy
save_policy(open_engine(sys.argv[1]), now_utc=datetime(2026, 3, 1, tzinfo=UTC), state="active", model="null",
    catalogue_version=Catalogue.builtin().version, constraints=Constraints(),
    evidence=Evidence(cells=(Known(directive="full", bin=Bin(), lossless=True),), intensities_g_per_kwh=(200.0,)),
    plan=replace(nothing_known(0.05), levels=({Bin(): {"brief": 1.0}},), version="1"), estimate={}, reason="")
"""


def test_so_it_does_where_that_process_is_really_another(tmp_path: Path) -> None:
    spec = str(tmp_path / "ledger.sqlite")
    server = Server(spec, tmp_path)
    assert "brief" not in server.serve()

    subprocess.run([sys.executable, "-c", TUNE, spec], check=True, timeout=60)

    assert "brief" in server.serve()
    server.aware.close()


def test_a_restarted_middleware_starts_with_the_tuned_policy(
    spec: str, tmp_path: Path, engine: Engine, activate: Activate
) -> None:
    activate("brief")
    server = Server(spec, tmp_path, explore_share=0.02)
    row = server.aware.chat("hello").record
    server.aware.close()

    assert (row.directive, row.policy_version, row.propensity) == ("brief", "contextual:brief", 0.95)


def test_a_stopped_policy_is_stopped_in_every_process(
    spec: str, tmp_path: Path, engine: Engine, activate: Activate, judge: Judge
) -> None:
    activate("brief")
    fill(spec, tmp_path, brief=10)
    judge("brief", 0.0, n=400, live=True)
    server = Server(spec, tmp_path)
    row = server.aware.chat("hello").record
    server.aware.close()

    assert (row.directive, row.propensity, row.policy_version) == ("full", 1.0, "contextual:brief;breaker")
    assert "400 live verdicts" in str(row.decision_reason)


def test_a_calibrated_saver_is_served_end_to_end(
    spec: str, tmp_path: Path, engine: Engine, calibrated: Callable[..., Profile]
) -> None:
    profile = calibrated(QUESTION, lookup=Estimate(0.5, 0.01, 8), very_brief=Estimate(0.2, 0.01, 8))
    save_profile(engine, replace(profile, hardware=hardware(())))
    server = Server(spec, tmp_path)

    assert "lookup" in server.serve()
    server.aware.close()
