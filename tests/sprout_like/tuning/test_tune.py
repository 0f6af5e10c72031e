"""From a simulated ledger to a policy, on both databases, and all that can be missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from directives import FULL
from directives.workload import Bin
from sprout_like.errors import NothingToLearn
from sprout_like.ledger.schema import PolicyRow
from sprout_like.settings import Settings
from sprout_like.tuning.propose import Proposal, tune
from sprout_like.tuning.store import active_policy, all_policies

EXPLORING = {"full": 0.5, "brief": 0.3, "very_brief": 0.2}
Scores = Callable[..., list[tuple[float, float]]]


@pytest.fixture
def tuned(settings: Settings, now: datetime) -> Callable[..., Proposal]:
    def run(simulated: Any, *, asked: Settings = settings, **options: Any) -> Proposal:
        return tune(simulated.engine, asked, simulated.catalogue, now_utc=now, **options)

    return run


def test_a_directive_that_is_as_good_and_cheaper_is_promoted(
    simulated: Any, tuned: Callable[..., Proposal], scores: Scores, home: Bin
) -> None:
    simulated.requests(3000, EXPLORING)
    simulated.verdicts({"brief": scores(0.8), "very_brief": scores(0.3)})

    proposal = tuned(simulated)

    assert proposal.state == "active", proposal.reason
    stored = proposal.stored
    assert stored is not None
    assert stored.number == 1
    assert active_policy(simulated.engine, model=stored.model, catalogue_version=stored.catalogue_version) == stored
    assert all(level[home].get("brief", 0) > 0.5 for level in proposal.plan.levels)
    carbon = proposal.estimate["carbon_g"]
    assert carbon["candidate"]["low"] <= carbon["candidate_by_log"]["mean"] <= carbon["candidate"]["high"]
    assert carbon["full"]["mean"] == pytest.approx(40 / 3.6e6 * 1.2 * 205, rel=0.05)
    assert carbon["from_running"]["high"] < 0
    assert carbon["evaluation"] == pytest.approx(2.0 / 3000)
    gross = -carbon["from_full"]["mean"] / carbon["full"]["mean"]
    assert carbon["saving"] == pytest.approx(gross - 2.0 / 3000 / carbon["full"]["mean"])
    assert proposal.evidence.mix == {home: 1.0}
    assert proposal.evidence.requests_per_day == pytest.approx(2000, rel=0.02)


def test_the_bin_is_the_callers_whatever_limit_the_directive_set(
    local: Any, tuned: Callable[..., Proposal], scores: Scores, home: Bin
) -> None:
    local.requests(500, EXPLORING)
    local.verdicts({"brief": scores(0.8)})
    cells = {cell.directive: cell for cell in tuned(local).evidence.cells if cell.bin == home}
    assert cells["brief"].energy_j is not None
    assert cells["brief"].energy_j.mean == pytest.approx(20, rel=0.1)
    assert cells["full"].time_s is not None
    assert cells["full"].time_s.mean == pytest.approx(1.0, rel=0.1)


def test_without_verdicts_nothing_lossy_is_served(local: Any, tuned: Callable[..., Proposal]) -> None:
    local.requests(500, EXPLORING)
    proposal = tuned(local)
    assert {name for level in proposal.plan.levels for row in level.values() for name in row} == {FULL.name}
    assert "sprout-like judge" in proposal.reason


def test_nothing_new_is_not_written_twice(local: Any, tuned: Callable[..., Proposal], scores: Scores) -> None:
    local.requests(2000, EXPLORING)
    local.verdicts({"brief": scores(0.8)})
    assert tuned(local).state == "active"
    again = tuned(local)
    assert (again.state, again.stored) == (None, None)
    assert [policy.number for policy in all_policies(local.engine)[0]] == [1]


def test_a_running_policy_of_another_release_is_replaced(
    local: Any, tuned: Callable[..., Proposal], scores: Scores
) -> None:
    local.requests(2000, EXPLORING)
    local.verdicts({"brief": scores(0.8)})
    tuned(local)
    with local.engine.begin() as connection:
        connection.execute(update(PolicyRow).values(plan={"shape": "of tomorrow"}))

    again = tuned(local)

    assert (again.state, again.running) == ("active", None)
    policies, unreadable = all_policies(local.engine)
    assert ([policy.number for policy in policies], unreadable) == ([2], [1])


def test_a_dry_run_writes_nothing(local: Any, tuned: Callable[..., Proposal], scores: Scores) -> None:
    local.requests(2000, EXPLORING)
    local.verdicts({"brief": scores(0.8)})
    proposal = tuned(local, dry_run=True)
    assert (proposal.state, proposal.stored) == ("active", None)
    assert all_policies(local.engine) == ([], [])


def test_a_policy_that_saves_no_more_than_the_running_one_is_rejected_and_the_running_one_stays(
    local: Any, tuned: Callable[..., Proposal], scores: Scores
) -> None:
    local.requests(3000, EXPLORING)
    local.verdicts({"brief": scores(0.8), "very_brief": scores(0.8)})
    first = tuned(local)
    worse = settings_forbidding(first, "very_brief")

    second = tuned(local, asked=worse)

    assert (first.state, second.state) == ("active", "rejected"), second.reason
    assert "does not surely emit less than the running policy" in second.reason
    assert [policy.state for policy in all_policies(local.engine)[0]] == ["active", "rejected"]


def test_a_running_policy_that_breaks_the_floor_on_new_evidence_gives_way_to_one_that_emits_more(
    local: Any, tuned: Callable[..., Proposal], scores: Scores
) -> None:
    local.requests(3000, EXPLORING)
    local.verdicts({"brief": scores(0.8), "very_brief": scores(0.8)})
    first = tuned(local)
    local.verdicts({"very_brief": scores(0.1, n=2000)}, number=1)

    second = tuned(local)

    assert second.state == "active", second.reason
    assert "does not hold the floor" in second.reason
    assert second.plan.expected.carbon_g > first.plan.expected.carbon_g
    assert [policy.state for policy in all_policies(local.engine)[0]] == ["retired", "active"]


def test_where_nothing_holds_the_floor_any_more_a_running_policy_gives_way_to_full(
    local: Any, tuned: Callable[..., Proposal], scores: Scores
) -> None:
    asked = Settings.load(floor=1.0, explore_share=0.0, pue=1.2)
    local.requests(3000, EXPLORING)
    local.verdicts({"brief": scores(1.0, n=2000)})
    assert tuned(local, asked=asked).state == "active"
    local.verdicts({"brief": scores(0.1, n=20_000), "very_brief": scores(0.1)}, number=1)

    second = tuned(local, asked=asked)

    assert second.state == "active", second.reason
    assert "does not surely hold the floor 1: brief has 0.2" in second.reason
    assert second.reason.endswith("; the running policy does not hold the floor on today's evidence")
    assert [policy.state for policy in all_policies(local.engine)[0]] == ["retired", "active"]


def test_evaluations_are_taken_off_and_those_of_unknown_carbon_counted(
    local: Any, tuned: Callable[..., Proposal], scores: Scores
) -> None:
    local.requests(1000, EXPLORING)
    local.verdicts({"brief": scores(0.8)})
    local.verdicts({"brief": scores(0.8)}, number=1, judge_energy_j=4e3, judge_operational_g=0.5, judge_s=9.0)
    local.verdicts({"brief": scores(0.8)}, number=2, operational_g=None, energy_j=None)
    local.verdicts({"brief": scores(0.8)}, number=3, judge_s=9.0)
    estimate = tuned(local).estimate
    assert (estimate["evaluation_g"], estimate["evaluation_j"]) == pytest.approx((6.5, 112e3))
    assert estimate["read"]["evaluations_of_unknown_carbon"] == 2
    for cost, total in ((estimate["carbon_g"], 6.5), (estimate["energy_j"], 112e3)):
        gross = -cost["from_full"]["mean"] / cost["full"]["mean"]
        assert cost["saving"] == pytest.approx(gross - total / 1000 / cost["full"]["mean"])


def test_verdicts_of_another_judge_model_or_catalogue_do_not_count(
    local: Any, tuned: Callable[..., Proposal], scores: Scores, home: Bin
) -> None:
    local.requests(500, EXPLORING)
    local.verdicts({"very_brief": scores(0.8)}, judge="numeric")
    local.verdicts({"brief": scores(0.8)}, number=1)
    cells = {cell.directive: cell for cell in tuned(local).evidence.cells if cell.bin == home}
    assert cells["brief"].quality is not None
    assert cells["very_brief"].quality is None


def test_what_the_log_never_served_is_named(local: Any, tuned: Callable[..., Proposal], scores: Scores) -> None:
    """Only evaluations have run `brief`; the plan counts on it all the same, and says on what grounds."""
    local.requests(2000, {"full": 1.0})
    local.requests(200, {"full": 0.5, "brief": 0.5}, purpose="evaluation", propensity=None, energy_method="measured")
    local.verdicts({"brief": scores(0.8)})
    proposal = tuned(local)
    assert proposal.estimate["energy_j"]["candidate"]["unseen"]["brief"] > 0.5
    assert proposal.estimate["energy_j"]["candidate_by_log"]["unseen"].keys() == {"brief", *proposal_explores(proposal)}
    assert proposal.state == "active"


def test_live_verdicts_are_weighted_by_propensity(local: Any, tuned: Callable[..., Proposal], scores: Scores) -> None:
    local.requests(1000, EXPLORING)
    local.requests(1, {"brief": 0.25})
    local.verdicts({"brief": scores(0.8)})
    local.verdicts({"brief": [(0.5, 1.0)] * 2}, number=1, request_id=f"{1000:032x}")
    assert tuned(local, dry_run=True).estimate["live_quality"]["mean"] == pytest.approx(0.5)
    local.verdicts({"brief": scores(0.8)}, number=2, judge="another, whose scale is another")
    assert tuned(local, dry_run=True).estimate["live_quality"] is None


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        ([], "holds no requests"),
        ([{"status": "error"}], "no request was answered"),
        ([{"catalogue_version": "of another"}], "under the present catalogue"),
        ([{"energy_j": None, "operational_g": None}], "no request has a known energy"),
        ([{"propensity": None}], "no request has a propensity"),
        ([{"model": "one"}, {"model": "other"}], "several models"),
    ],
    ids=["empty", "errors", "catalogue", "energy", "propensity", "models"],
)
def test_what_is_missing_is_named_and_how_to_get_it(
    local: Any, tuned: Callable[..., Proposal], rows: list[dict[str, Any]], missing: str
) -> None:
    for changes in rows:
        local.requests(50, EXPLORING, **changes)
    with pytest.raises(NothingToLearn, match=missing) as caught:
        tuned(local)
    assert "\n" not in str(caught.value)
    assert all_policies(local.engine) == ([], [])


@pytest.mark.parametrize(
    ("directive", "missing"), [("full", "full is the only directive"), ("brief", "the energy of `full`")]
)
def test_a_ledger_with_one_directive_only(
    local: Any, tuned: Callable[..., Proposal], directive: str, missing: str
) -> None:
    local.requests(50, {directive: 1.0})
    with pytest.raises(NothingToLearn, match=missing) as caught:
        tuned(local)
    assert "sprout-like calibrate" in str(caught.value)


def test_another_model_is_chosen_by_name_and_an_unknown_one_refused(local: Any, tuned: Callable[..., Proposal]) -> None:
    local.requests(50, EXPLORING, model="one")
    local.requests(80, EXPLORING, model="other", seed=1)
    proposal = tuned(local, model="other", dry_run=True)
    assert proposal.estimate["read"]["requests"] == 80
    assert proposal.estimate["read"]["of_other_models_or_catalogues"] == 50
    with pytest.raises(NothingToLearn, match="no request of third; there are: one, other"):
        tuned(local, model="third")


def test_unknowns_are_left_out_and_counted(local: Any, tuned: Callable[..., Proposal], home: Bin) -> None:
    local.requests(300, EXPLORING)
    local.requests(7, EXPLORING, energy_j=None, operational_g=None)
    local.requests(5, EXPLORING, propensity=None)
    local.requests(3, EXPLORING, intensity_g_per_kwh=None, operational_g=None, intensity_kind=None)
    proposal = tuned(local)
    read = proposal.estimate["read"]
    assert (read["requests"], read["without_energy"], read["without_propensity"]) == (315, 7, 5)
    assert read["without_comparable_carbon"] == 3
    assert proposal.estimate["energy_j"]["candidate"]["n"] == 303
    assert proposal.estimate["carbon_g"]["candidate"]["n"] == 300


def test_where_no_intensity_is_known_energy_decides(local: Any, tuned: Callable[..., Proposal], scores: Scores) -> None:
    local.requests(1000, EXPLORING, intensity_g_per_kwh=None, operational_g=None, intensity_kind=None)
    local.verdicts({"brief": scores(0.8)})
    proposal = tuned(local)
    assert proposal.estimate["carbon_g"] is None
    assert proposal.state == "active"
    assert len(proposal.plan.levels) == 1


def test_where_full_emits_nothing_no_share_of_it_is_saved(local: Any, tuned: Callable[..., Proposal]) -> None:
    local.requests(500, EXPLORING, intensity_g_per_kwh=0.0, operational_g=0.0)

    carbon = tuned(local).estimate["carbon_g"]

    assert carbon["full"]["mean"] == 0
    assert (carbon["saving"], carbon["saving_low"], carbon["saving_high"]) == (None, None, None)


def test_older_rows_than_asked_for_are_not_read(local: Any, tuned: Callable[..., Proposal], start: datetime) -> None:
    local.requests(100, EXPLORING)
    local.requests(40, EXPLORING, started_utc=start + timedelta(days=60))
    assert tuned(local, dry_run=True).estimate["read"]["requests"] == 40, "30 days before the newest"
    assert tuned(local, dry_run=True, since_utc=start).estimate["read"]["requests"] == 140


def settings_forbidding(proposal: Proposal, name: str) -> Settings:
    return Settings.load(floor=proposal.constraints.floor, pue=1.2, forbidden={"": (name,)})


def proposal_explores(proposal: Proposal) -> set[str]:
    return {name for names in replace(proposal.plan).explored.values() for name in names}
