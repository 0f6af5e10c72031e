"""Numbers, states and the way back, on both databases."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from directives import PolicyError
from directives.constraints import Constraints
from directives.estimate import Estimate
from directives.evidence import Evidence, Known
from directives.plan import Expected, Plan
from directives.workload import Bin
from sprout_like.errors import SettingError
from sprout_like.ledger.schema import PolicyRow
from sprout_like.tuning.store import (
    StoredPolicy,
    active_policy,
    all_policies,
    policy_numbered,
    roll_back,
    save_policy,
)

OF = {"model": "a model", "catalogue_version": "c1"}
EVIDENCE = Evidence(
    cells=(Known(directive="full", bin=Bin(), lossless=True, energy_j=Estimate(1.0, None, 1)),), mix={Bin(): 1.0}
)


def saved(simulated: Any, version: str, state: Any = "active", **changes: Any) -> StoredPolicy:
    plan = Plan(
        edges_g_per_kwh=(),
        levels=({Bin(): {"full": 1.0}},),
        explore_share=0.0,
        control_share=0.05,
        expected=Expected(
            carbon_g=None, full_carbon_g=None, energy_j=None, full_energy_j=None, quality=None, quality_low=None
        ),
        version=version,
    )
    content: dict[str, Any] = {
        "now_utc": datetime.fromisoformat("2026-03-01T12:00Z"),
        "constraints": Constraints(),
        "evidence": EVIDENCE,
        "estimate": {"carbon_g": None},
        "reason": "a test",
        **OF,
        **changes,
    }
    return save_policy(simulated.engine, state=state, plan=plan, **content)


def test_the_newest_active_one_is_in_force_and_comes_back_as_it_was(simulated: Any) -> None:
    assert active_policy(simulated.engine, **OF) is None
    saved(simulated, "one")
    other = saved(simulated, "other", model="another model")
    second = saved(simulated, "two")
    saved(simulated, "bad", "rejected")

    assert active_policy(simulated.engine, **OF) == second
    assert active_policy(simulated.engine, model="another model", catalogue_version="c1") == other
    assert active_policy(simulated.engine, model="a model", catalogue_version="c2") is None
    listed = [(policy.number, policy.state) for policy in all_policies(simulated.engine)[0]]
    assert listed == [(1, "retired"), (2, "active"), (3, "active"), (4, "rejected")]


def test_those_who_save_at_once_get_numbers_of_their_own_and_one_stays_active(simulated: Any) -> None:
    found: list[int] = []

    def save(place: int) -> None:
        found.append(saved(simulated, f"v{place}").number)

    threads = [threading.Thread(target=save, args=(place,)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == [1, 2, 3, 4, 5, 6]
    assert [policy.number for policy in all_policies(simulated.engine)[0] if policy.state == "active"] == [6]


def test_rolling_back_makes_an_earlier_one_active_as_a_new_row(simulated: Any) -> None:
    one, two = saved(simulated, "one"), saved(simulated, "two")
    now = one.created_utc + timedelta(days=1)

    back = roll_back(simulated.engine, None, now_utc=now)

    assert (back.number, back.plan, back.reason) == (3, one.plan, "rolled back to policy 1")
    assert active_policy(simulated.engine, **OF) == back
    assert [policy.state for policy in all_policies(simulated.engine)[0]] == ["retired", "retired", "active"]
    assert roll_back(simulated.engine, two.number, now_utc=now).plan == two.plan


def test_there_is_no_way_back_to_what_never_served(local: Any) -> None:
    now = datetime.fromisoformat("2026-03-02T12:00Z")
    with pytest.raises(SettingError, match="the ledger holds none"):
        roll_back(local.engine, None, now_utc=now)
    saved(local, "one")
    saved(local, "bad", "rejected")
    for number, problem in (
        (None, "none was active before"),
        (1, "active already"),
        (2, "was rejected"),
        (9, "no policy 9"),
        (10**20, "no policy 1000"),
    ):
        with pytest.raises(SettingError, match=problem):
            roll_back(local.engine, number, now_utc=now)
    assert [policy.number for policy in all_policies(local.engine)[0]] == [1, 2]


def test_without_a_number_the_active_one_is_meant_else_the_newest(local: Any) -> None:
    saved(local, "bad", "rejected")
    saved(local, "worse", "rejected")
    assert policy_numbered(local.engine, None).number == 2
    saved(local, "good")
    saved(local, "worst", "rejected")
    assert policy_numbered(local.engine, None).number == 3


def test_those_who_roll_back_at_once_leave_one_active(simulated: Any) -> None:
    for version in ("one", "two", "three"):
        saved(simulated, version)
    now = datetime.fromisoformat("2026-03-02T12:00Z")
    back = partial(roll_back, simulated.engine, now_utc=now)
    threads = [threading.Thread(target=back, args=(number,)) for number in (1, 2, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    policies, _ = all_policies(simulated.engine)
    assert [policy.number for policy in policies] == [1, 2, 3, 4, 5, 6, 7]
    assert [policy.number for policy in policies if policy.state == "active"] == [7]
    assert [policy.plan.version for policy in policies[:3]] == ["one", "two", "three"], "the history stays"


def test_a_row_of_another_release_hides_no_other_policy(local: Any) -> None:
    saved(local, "one")
    saved(local, "two")
    with local.engine.begin() as connection:
        connection.execute(update(PolicyRow).where(PolicyRow.number == 2).values(plan={"shape": "of tomorrow"}))

    policies, unreadable = all_policies(local.engine)

    assert ([policy.number for policy in policies], unreadable) == ([1], [2])
    assert policy_numbered(local.engine, 1).plan.version == "one"
    with pytest.raises(PolicyError, match="tune again"):
        policy_numbered(local.engine, None)
