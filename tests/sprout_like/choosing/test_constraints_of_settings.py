"""From the settings to what is asked of the contextual policy."""

from __future__ import annotations

import re
from typing import Any

import pytest

from directives import Catalogue
from directives.constraints import Constraints
from sprout_like import CarbonAware
from sprout_like.choosing.constraints import constraints_of, now_asked
from sprout_like.errors import SettingError
from sprout_like.settings import Settings
from sprout_like.testing import MemoryLedger, NullEngine

CATALOGUE = Catalogue.builtin()


def asked(**settings: Any) -> Constraints:
    return constraints_of(Settings.load(**settings), CATALOGUE)


def test_every_setting_arrives() -> None:
    found = asked(
        floor=0.8,
        mean_floor=0.9,
        confidence=0.9,
        carbon_budget_g_per_day=5.0,
        latency_limit_s={"": 2.0},
        carbon_price_per_kg=0.1,
        answer_value=0.01,
        pinned={"contract": "full"},
        forbidden={"": ["int4"]},
        explore_share=0.03,
        control_share=0.04,
    )

    assert found == Constraints(
        floor=0.8,
        mean_floor=0.9,
        confidence=0.9,
        carbon_budget_g_per_day=5.0,
        latency_limit_s={"": 2.0},
        price_per_kg=0.1,
        answer_value=0.01,
        pinned={"contract": "full"},
        forbidden={"": frozenset({"int4"})},
        explore_share=0.03,
        control_share=0.04,
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"pinned": {"chat": "breif"}}, "pinned: .*breif.*Use one of: "),
        ({"forbidden": {"": ["breif"]}}, "forbidden: .*breif"),
        ({"forbidden": {"": ["full"]}}, "forbidden: 'full' is, for task ''"),
        ({"forbidden": {"chat": ["int4", "full"]}}, "forbidden: 'full' is, for task 'chat'"),
        ({"carbon_price_per_kg": 0.1}, "policy: carbon_price_per_kg and answer_value belong together"),
        ({"explore_share": 0.6, "control_share": 0.5}, "policy: explore_share and control_share leave nothing"),
        ({"pinned": {"a": "brief"}, "forbidden": {"": ["brief"]}}, "policy: .*both pinned and forbidden"),
    ],
)
def test_what_does_not_fit_is_said_at_construction(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError) as raised:
        CarbonAware(
            None,
            engine=NullEngine(),
            grid=200,
            ledger=MemoryLedger(),
            meter="none",
            settings=Settings.load(**settings),
        )
    assert re.search(said, str(raised.value))
    assert "\n" not in str(raised.value)


def test_a_tuned_policy_keeps_its_floors_and_obeys_the_user_of_today() -> None:
    tuned = Constraints(floor=0.8, mean_floor=0.85, confidence=0.9, pinned={"a": "brief"}, explore_share=0.1)
    today = Constraints(floor=0.99, forbidden={"": frozenset({"int4"})}, control_share=0.1)

    found = now_asked(tuned, today)

    assert (found.floor, found.mean_floor, found.confidence) == (0.8, 0.85, 0.9)
    assert (found.pinned, found.forbidden) == ({}, today.forbidden)
    assert (found.explore_share, found.control_share) == (0.02, 0.1)
