"""Who settles a row: its own source first, and one that fails or does not cover a zone is named."""

from __future__ import annotations

from typing import Any

import pytest

from grid import BadData, FallbackSource, NoData, SourceDown, SourceRefused
from tests.sprout_like.settlement.settling import UNKNOWN, run


def test_the_ledgers_own_actuals_need_no_source(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    source = new_source()
    ledger.write([new_request(0), new_reading(150, 0)])

    report = run(ledger, source)

    assert (ledger.settled(), report.questions, source.asked) == ([(150, "actual")], 0, [])


def test_a_row_is_settled_by_one_source_its_own_first(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    ledger.write(
        [
            new_request(0, intensity_source="theirs"),
            new_request(1, intensity_source="theirs"),
            new_request(2, intensity_source="theirs", duration_s=2400.0),
            new_reading(111, 0, source="theirs"),
            new_reading(111, 2, source="theirs"),
            *(new_reading(222, slot, source="a") for slot in range(4)),
        ]
    )

    run(ledger, new_source())

    assert [row.settled_source for row in ledger.rows()] == ["theirs", "a", "a"]


def test_of_a_chain_the_first_member_settles_what_none_of_them_logged(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    """Not the first by name."""
    first, second = new_source(), new_source()
    first.name, second.name = "zzz", "aaa"
    inner = FallbackSource([first])
    ledger.write([new_request(0, **UNKNOWN), new_reading(150, source="aaa"), new_reading(120, source="zzz")])

    run(ledger, FallbackSource([inner, second]))

    assert ledger.settled() == [(120, "actual")]
    assert ledger.rows()[0].settled_source == "zzz"


@pytest.mark.parametrize("differs", [{}, {"kind": "marginal"}, {"factors": "lifecycle"}])
def test_another_source_later_changes_neither_the_figure_nor_its_kind(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any, differs: dict[str, str]
) -> None:
    ledger.write([new_request(0, intensity_source="theirs"), new_request(1, **UNKNOWN)])
    run(ledger, new_source(new_reading(100, 0), new_reading(100, 1)))
    once, other = ledger.rows(), new_source()
    for name, value in {"name": "a", **differs}.items():
        setattr(other, name, value)
    ledger.write([new_reading(900, slot, source="a", **differs) for slot in range(2)])

    assert run(ledger, other).changed == 0
    assert ledger.rows() == once


def test_zones_are_settled_apart_and_one_that_is_not_covered_is_named(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any
) -> None:
    ledger.write([new_request(0), new_request(1, zone="FR"), new_request(2, zone="FR")])

    report = run(ledger, new_source(new_reading(150, 0)))

    assert [(group.zone, group.settled) for group in report.groups] == [("FR", 0), ("GB", 1)]
    (still_open,) = report.still_open
    assert (still_open.zone, still_open.requests, still_open.reason) == ("FR", 2, "published does not cover FR")


@pytest.mark.parametrize("failure", [SourceDown("it is down"), SourceRefused("the key is refused")])
def test_a_source_that_fails_is_asked_once_and_what_the_ledger_knows_is_settled(
    ledger: Any, new_request: Any, new_reading: Any, new_source: Any, failure: Exception
) -> None:
    source = new_source()
    source.failure = failure
    ledger.write([new_request(0), new_reading(150, 0), new_request(200), new_request(400)])
    ledger.clock.advance(30 * 86400)

    report = run(ledger, source)

    assert (len(source.asked), report.problem, report.changed) == (1, str(failure), 1)
    assert [(part.reason, part.requests) for part in report.still_open] == [(str(failure), 2)]


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(NoData("nothing"), "no actual is published for its whole span, or not yet"), (BadData("it is NaN"), "it is NaN")],
)
def test_one_bad_answer_does_not_end_the_questions(
    ledger: Any, new_request: Any, new_source: Any, failure: Exception, reason: str
) -> None:
    source = new_source()
    source.failure = failure
    ledger.write([new_request(0), new_request(200)])
    ledger.clock.advance(30 * 86400)

    report = run(ledger, source)

    assert (len(source.asked), report.problem) == (2, None)
    assert [(part.reason, part.requests) for part in report.still_open] == [(reason, 2)]
