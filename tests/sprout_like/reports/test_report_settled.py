"""The outcome of a settlement, for people and for machines."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from sprout_like.reports.settled import as_json, as_table
from sprout_like.settlement.report import GroupOutcome, Open, SettlementReport

_GROUP = GroupOutcome(
    zone="GB",
    kind="average",
    factors="direct",
    settled=1234,
    corrected=2,
    unchanged=0,
    before_g=12.0,
    after_g=11.4,
    newly_known=0,
    newly_known_g=0.0,
    moved_g=-0.6,
)
_OPEN = Open(zone="FR", kind="average", factors="direct", reason="uk does not cover FR", requests=1500)
_REPORT = SettlementReport(source="uk", questions=3, problem=None, dry_run=False, groups=(_GROUP,), still_open=(_OPEN,))


def _printed(report: SettlementReport, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, emoji=False).print(as_table(report), highlight=False)
    return " ".join(stream.getvalue().split())


def test_says_how_far_each_total_moved_and_what_is_left() -> None:
    text = _printed(_REPORT)

    assert "GB average, direct 1,234 2 12 g 11.4 g -600 mg -5.0 %" in text
    assert "Still provisional: 1,500 in FR (average, direct): uk does not cover FR." in text
    assert "Nothing changed" not in text


def test_a_rise_has_a_sign_and_what_was_unknown_before_is_told_apart() -> None:
    risen = replace(_GROUP, before_g=10.0, after_g=12.5, moved_g=2.5, newly_known=7, newly_known_g=2.0)
    text = _printed(replace(_REPORT, groups=(risen,)))

    assert "10 g 12.5 g +2.5 g +5.0 %" in text
    assert "GB: 2 g of the move are of 7 requests without an intensity before, which the percentage leaves out." in text


def test_a_run_that_changes_nothing_says_so() -> None:
    same = replace(_GROUP, settled=0, corrected=0, unchanged=1236, after_g=12.0, moved_g=0.0)
    text = _printed(replace(_REPORT, groups=(same,)))

    assert "Nothing changed. 1,236 requests were settled before, and still are." in text


def test_a_dry_run_and_a_failure_are_said() -> None:
    text = _printed(replace(_REPORT, dry_run=True, problem="uk: no answer"))

    assert "A dry run: nothing was written." in text
    assert "The source failed; run this again later for the rest." in text


def test_one_request_is_not_several() -> None:
    one = replace(_GROUP, unchanged=1, newly_known=1, newly_known_g=2.0)
    text = _printed(replace(_REPORT, groups=(one,)))

    assert "2 g of the move are of a request without an intensity before" in text
    assert "1 request was settled before, and still is." in text


def test_where_nothing_is_provisional_it_is_told_from_where_nothing_is() -> None:
    final = replace(_REPORT, groups=(), still_open=())

    assert "in this scope has a published actual: nothing needs settling" in _printed(final)
    assert "No request of known energy is in this scope" in _printed(replace(final, nothing_known=True))


@pytest.mark.parametrize("width", [20, 40, 60])
def test_a_narrow_terminal_cuts_no_figure(width: int) -> None:
    text = _printed(_REPORT, width)

    for name, cell in (("settled", "1,234"), ("before", "12 g"), ("after", "11.4 g"), ("moved", "-600 mg")):
        assert f"{name} {cell}" in text
    assert "…" not in text


def test_json_has_every_figure_and_null_for_unknown() -> None:
    unknown = replace(_GROUP, before_g=None, after_g=None, moved_g=0.0)
    data = json.loads(as_json(replace(_REPORT, groups=(_GROUP, unknown))))

    assert (data["changed"], data["questions"], data["problem"]) == (2472, 3, None)
    assert [group["moved_share"] for group in data["groups"]] == [pytest.approx(-0.05), None]
    assert data["still_open"][0]["requests"] == 1500
