"""How the policies of a ledger stand, for people, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from directives import Catalogue, Observation
from directives.constraints import Constraints
from directives.estimate import Estimate
from directives.profile import Profile
from sprout_like.calibrate.store import save_profile
from sprout_like.choosing.missing import Unlock
from sprout_like.choosing.status import Standing, standings
from sprout_like.ledger import open_ledger
from sprout_like.ledger.testing import sample_request

CATALOGUE = Catalogue.builtin()
QUESTION = Observation(task="question", prompt_tokens=16, limit_tokens=32, batch_size=1)


def found(engine: Engine) -> dict[str, Standing]:
    return {standing.model: standing for standing in standings(engine, CATALOGUE, Constraints(floor=0.9))}


def test_an_empty_ledger_has_none(engine: Engine) -> None:
    assert found(engine) == {}


def test_a_calibrated_model_serves_its_lossless_savers_and_lacks_verdicts(
    engine: Engine, calibrated: Callable[..., Profile]
) -> None:
    ratios = {"lookup": 0.5, "self_draft": 1.4, "very_brief": 0.4, "brief": 0.8, "frugal": 1.2}
    save_profile(engine, calibrated(QUESTION, **{name: Estimate(ratio, 0.01, 8) for name, ratio in ratios.items()}))

    standing = found(engine)["null"]

    assert (standing.number, standing.savers, standing.floor) == (None, ("lookup",), 0.9)
    assert [(unlock.directive, round(unlock.saving, 2)) for unlock in standing.missing.unjudged] == [
        ("very_brief", 0.6),
        ("brief", 0.2),
    ]
    assert "static_cache" in standing.missing.unmeasured
    assert "very_brief" not in standing.missing.unmeasured
    # No trial tells what kept answers save, and int8 is tried out by calibration alone.
    assert not {"kept_answers", "int8"} & set(standing.missing.unmeasured)


def test_what_was_judged_is_no_longer_missed(
    engine: Engine, calibrated: Callable[..., Profile], judge: Callable[..., None]
) -> None:
    save_profile(engine, calibrated(QUESTION, very_brief=Estimate(0.4, 0.01, 8), brief=Estimate(0.8, 0.01, 8)))
    judge("very_brief", 0.5, n=3, live=False)
    judge("brief", 0.5, n=3, live=False, model="another")

    (unlock,) = found(engine)["null"].missing.unjudged

    assert isinstance(unlock, Unlock)
    assert unlock.directive == "brief"


def test_a_model_that_was_served_and_nothing_else_is_among_them(spec: str, engine: Engine, tmp_path: Path) -> None:
    ledger = open_ledger(spec, spool_path=tmp_path / "spool.sqlite")
    of: dict[str, Any] = {"catalogue_version": CATALOGUE.version, "policy": "contextual"}
    for number, changes in enumerate((of, {**of, "policy": "threshold", "model": "other"}, {"policy": "contextual"})):
        ledger.append(sample_request(number, **{"model": "served", **changes}))
    assert ledger.flush() == 0
    ledger.close()

    (standing,) = found(engine).values()

    assert (standing.model, standing.number, standing.savers) == ("served", None, ())
    assert "lookup" in standing.missing.unmeasured


def test_a_tuned_policy_that_is_stopped_says_why(
    spec: str, engine: Engine, tmp_path: Path, activate: Callable[..., Any], judge: Callable[..., None]
) -> None:
    activate("brief")
    ledger = open_ledger(spec, spool_path=tmp_path / "spool.sqlite")
    of = {"model": "null", "catalogue_version": CATALOGUE.version, "policy": "contextual", "directive": "brief"}
    ledger.append(sample_request(1, **of))
    assert ledger.flush() == 0
    ledger.close()
    assert found(engine)["null"].breaker is None

    judge("brief", 0.0, n=400, live=False)
    standing = found(engine)["null"]

    assert standing.number == 1
    assert "400 of an evaluation's verdicts do not show the floor 0.95" in str(standing.breaker)

    judge("brief", 1.0, n=400, live=False, minute=2)
    assert found(engine)["null"].breaker is None
