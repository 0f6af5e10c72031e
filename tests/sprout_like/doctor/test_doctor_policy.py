"""What the doctor says of the contextual policy: what it knows, what it lacks, and what that would unlock."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from directives import Catalogue
from directives.constraints import Constraints
from directives.estimate import Estimate
from directives.evidence import Evidence, Known, Quality
from directives.plan import Plan
from directives.solving import solve
from directives.workload import Bin
from sprout_like.cli.main import run
from sprout_like.doctor.finding import Finding
from sprout_like.ledger import open_engine, open_ledger
from sprout_like.ledger.schema import EvaluationRow, VerdictRow
from sprout_like.ledger.testing import sample_request
from sprout_like.tuning.store import save_policy

Examined = Callable[..., dict[str, list[Finding]]]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CATALOGUE = Catalogue.builtin()
ENERGIES = {"full": 100.0, "brief": 80.0, "very_brief": 40.0, "shallow": 130.0}


@pytest.fixture
def ledger(place: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger with one request, which the settings name."""
    spec = str(place / "l.sqlite")
    for name, value in {"ledger": spec, "spool": str(place / "s.sqlite"), "grid": "static:100"}.items():
        monkeypatch.setenv(f"SPROUT_{name.upper()}", value)
    store = open_ledger(spec, spool_path=place / "s.sqlite")
    store.append(
        sample_request(1, model="m", catalogue_version=CATALOGUE.version, policy="contextual", directive="brief")
    )
    assert store.flush() == 0
    store.close()
    return spec


def tuned(ledger: str, energies: Mapping[str, float] = ENERGIES) -> Plan:
    """A policy for model `m` that was tuned on judged brief answers and no others."""
    judged = Quality.of([(0.5, 0.5)] * 1000)
    cells = tuple(
        Known(
            directive=name,
            bin=Bin(task="chat"),
            lossless=name == "full",
            energy_j=Estimate(joules, 1.0, 50),
            quality=judged if name in ("full", "brief") else None,
        )
        for name, joules in energies.items()
    )
    unmeasured = Known(directive="lookup", bin=Bin(), lossless=True)
    evidence = Evidence(cells=(*cells, unmeasured), mix={Bin(task="chat"): 1.0})
    plan = solve(evidence, Constraints())
    engine = open_engine(ledger)
    save_policy(
        engine,
        now_utc=NOON,
        state="active",
        model="m",
        catalogue_version=CATALOGUE.version,
        constraints=Constraints(),
        evidence=evidence,
        plan=plan,
        estimate={},
        reason="",
    )
    engine.dispose()
    return plan


def judged_useless(ledger: str, directive: str = "brief") -> None:
    engine, key = open_engine(ledger), uuid.uuid4().hex
    evaluation = EvaluationRow(
        evaluation_id=key,
        started_utc=NOON,
        ended_utc=NOON,
        reason="",
        ended="prompts",
        model="m",
        catalogue_version=CATALOGUE.version,
        judge="numeric",
        dropped={},
        judge_energy_method="none",
        judge_s=0.0,
        verdicts_n=400,
        **dict.fromkeys(("prompts_n", "dropped_n", "ties_n", "first_n", "second_n"), 0),
    )
    places = dict.fromkeys(("bin_task", "bin_prompt_tokens", "bin_limit_tokens", "bin_batch_size"), "")
    verdicts = [
        VerdictRow(
            evaluation_id=key,
            place=place,
            judged_utc=NOON,
            prompt_number=place,
            request_id=f"{place:032x}",
            directive=directive,
            score=0.0,
            full_score=1.0,
            **places,
        )
        for place in range(400)
    ]
    with Session(engine) as session, session.begin():
        session.add(evaluation)
        session.flush()
        session.add_all(verdicts)
    engine.dispose()


def test_a_fresh_install_is_told_to_calibrate(examined: Examined) -> None:
    asked, lacking = examined()["policy"]

    assert "contextual: floor 0.95, 2% tried out, 5% control group" in asked.found
    assert (lacking.state, lacking.fix) == ("warn", "sprout-like calibrate")
    assert "lookup" in lacking.found
    assert "brief" in lacking.found
    assert "kept_answers" not in lacking.found  # no trial tells what they save


def test_a_tuned_policy_is_named_with_what_judging_would_unlock(examined: Examined, ledger: str) -> None:
    tuned(ledger)

    _, active, unmeasured, unjudged = examined()["policy"]

    assert (active.state, active.found) == (
        "ok",
        "m: policy 1 is active, floor 0.95; no served answer is kept to be judged (sample_share 0)",
    )
    assert unmeasured.found.endswith("never measured: lookup")
    # `brief` was judged and `shallow` saves nothing.
    assert unjudged.found.endswith("if good enough: very_brief −60 %")
    assert unjudged.fix == "sprout-like judge"


def test_what_was_judged_since_is_no_longer_missed(examined: Examined, ledger: str) -> None:
    tuned(ledger)
    judged_useless(ledger, "very_brief")

    assert not [finding for finding in examined()["policy"] if "never judged" in finding.found]


def test_a_model_that_was_served_and_never_calibrated_is_told_so(examined: Examined, ledger: str) -> None:
    _, serving, unmeasured = examined()["policy"]

    assert (
        serving.found == "m: no tuned policy; served is full alone, as nothing lossless was found cheaper beyond doubt"
    )
    assert (unmeasured.found[:8], unmeasured.fix) == ("m: what ", "sprout-like calibrate")


def test_an_open_breaker_is_found(examined: Examined, ledger: str) -> None:
    tuned(ledger)
    judged_useless(ledger)

    (found,) = [finding for finding in examined()["policy"] if "breaker" in finding.found]

    assert found.state == "warn"
    assert "400 live verdicts do not show the floor 0.95" in found.found
    assert "everything is served full" in found.found
    assert "sprout-like judge" in str(found.fix)


def test_settings_that_do_not_fit_each_other_fail_the_policy_alone(
    examined: Examined, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPROUT_GRID", "static:100")
    monkeypatch.setenv("SPROUT_CARBON_PRICE_PER_KG", "0.1")

    found = examined()

    assert [part for part, each in found.items() if any(f.state == "fail" for f in each)] == ["policy"]
    assert "carbon_price_per_kg" in found["policy"][0].found
    assert "answer_value" in found["policy"][0].found


def test_the_report_says_the_same(
    examined: Examined, ledger: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = tuned(ledger)
    judged_useless(ledger)
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        run(["report", "--ledger", ledger])
    text = " ".join(capsys.readouterr().out.split())

    expected = plan.expected
    assert expected.energy_j is not None
    assert expected.full_energy_j is not None
    saving = 1 - expected.energy_j / expected.full_energy_j
    assert f"m: policy 1, which keeps 95.0 % of full's quality. Modelled saving {100 * saving:.1f} % of energy" in (
        text.replace("against full in the same bins: ", "")
    )
    assert "m: breaker: 400 live verdicts do not show the floor 0.95" in text
    assert "m: never measured: lookup (`sprout-like calibrate`)" in text
    assert "m: never judged, and would save energy if good enough: very_brief −60 % (`sprout-like judge`)" in text
