"""Sums per hour and group, on either database: from the rows, from sums made before, and both together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from sprout_like.ledger.rollups.facts import DIMENSIONS, MEASURES, facts
from sprout_like.ledger.rollups.roller import roll_up
from sprout_like.ledger.schema import HourRow, StoredRequestRow
from sprout_like.ledger.testing import sample_request
from tests.sprout_like.ledger.rewriting import rewrite_requests

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=30)


def test_rows_of_an_hour_and_a_group_are_one_line(sheet: Any) -> None:
    sheet.store(
        sample_request(0),
        sample_request(1, energy_j=None, operational_g=None, gpu_j=None, energy_method="none"),
        sample_request(2, energy_j=10.0, operational_g=2.0, settled_operational_g=3.0, settled_g_per_kwh=9.0),
        sample_request(3600),
    )

    *first_hour, last = sheet.facts()

    assert [line.hour_utc for line in (*first_hour, last)] == [NOON, NOON, NOON + timedelta(hours=1)]
    unknown, known = sorted(first_hour, key=lambda line: line.requests_n)
    assert (unknown.energy_j, unknown.energy_known_n, unknown.gpu_j, unknown.carbon_known_n) == (None, 0, None, 0)
    assert (known.requests_n, known.energy_j, known.energy_squares) == (2, 30.0, 500.0)
    logged_g = sample_request(0).operational_g
    assert logged_g is not None
    assert known.operational_g == pytest.approx(logged_g + 3)
    assert known.logged_operational_g == pytest.approx(logged_g + 2)
    assert known.energy_carbon == pytest.approx(20 * logged_g + 30)
    assert (known.settled_n, known.drawn, known.tags) == (1, True, '{"team":"search"}')


def test_the_columns_are_those_that_reports_are_promised(sheet: Any) -> None:
    assert tuple(facts(sheet.engine).c.keys()) == (*DIMENSIONS, *MEASURES)


@pytest.mark.parametrize("rolled", [False, True])
def test_a_span_that_begins_and_ends_within_an_hour_is_exact(sheet: Any, rolled: bool) -> None:
    sheet.store(*(sample_request(600 * number) for number in range(24)))
    if rolled:
        roll_up(sheet.engine, now_utc=LATER)

    found = sheet.facts(since_utc=NOON + timedelta(minutes=20), until_utc=NOON + timedelta(minutes=190))

    assert [(line.hour_utc.hour, line.requests_n) for line in found] == [(12, 4), (13, 6), (14, 6), (15, 1)]


def test_a_span_within_one_hour_is_exact(sheet: Any) -> None:
    sheet.store(*(sample_request(600 * number) for number in range(6)))
    roll_up(sheet.engine, now_utc=LATER)

    (found,) = sheet.facts(since_utc=NOON + timedelta(minutes=20), until_utc=NOON + timedelta(minutes=40))

    assert found.requests_n == 2


def test_whole_numbers_stay_whole_numbers_when_added_up(sheet: Any) -> None:
    sheet.store(sample_request(0), sample_request(1), sample_request(3600))
    roll_up(sheet.engine, now_utc=NOON + timedelta(hours=1))
    found = facts(sheet.engine)

    with sheet.engine.connect() as connection:
        sums = connection.execute(select(func.sum(found.c.requests_n), func.sum(found.c.new_tokens))).one()

    assert tuple(map(repr, sums)) == ("3", "96")


def test_tags_are_one_group_in_whatever_order_they_came(sheet: Any) -> None:
    one, other = {"b": "x, y", "é": '"'}, {"é": '"', "b": "x, y"}
    sheet.store(sample_request(0, tags=one), sample_request(1, tags=other), sample_request(2, tags={}))

    found = {line.tags: line.requests_n for line in sheet.facts()}

    assert found == {"{}": 1, '{"b":"x, y","é":"\\""}': 2}


@pytest.mark.parametrize("value", ["\x00", "a\x00b", "\ud800", "\U0001f600"])
def test_tags_that_sql_cannot_decode_do_no_harm(sheet: Any, value: str) -> None:
    sheet.store(sample_request(0, tags={"a": value, "b": "c"}), sample_request(1, tags={"a": "", "b": "c"}))
    roll_up(sheet.engine, now_utc=LATER)

    assert len(sheet.facts()) == 2


def test_an_empty_ledger_has_no_lines(sheet: Any) -> None:
    assert sheet.facts() == []


def test_what_was_added_up_is_not_read_again(sheet: Any) -> None:
    sheet.store(sample_request(0), sample_request(3600))
    roll_up(sheet.engine, now_utc=NOON + timedelta(hours=1, minutes=59))
    with sheet.engine.begin() as connection:
        connection.execute(update(HourRow).values(requests_n=100))

    assert [line.requests_n for line in sheet.facts()] == [100, 1]


def test_more_scattered_hours_than_a_condition_may_name_are_right_all_the_same(sheet: Any) -> None:
    sheet.store(*(sample_request(7200 * number) for number in range(120)))
    roll_up(sheet.engine, now_utc=LATER)
    sheet.store(*(sample_request(7200 * number + 1) for number in range(0, 120, 2)))

    assert sheet.facts() == sheet.rows()


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_to_the_rows_the_figures_are_those_of_the_rows(sheet: Any, seed: int) -> None:
    rng = Random(seed)
    alive: list[str] = []
    for step in range(12):
        drawn = rng.random()
        if drawn < 0.5 or not alive:
            new = [_some_request(rng, 1000 * step + number) for number in range(rng.randint(1, 20))]
            sheet.store(*new)
            alive += [row.request_id for row in new]
        elif drawn < 0.7:
            _change(sheet, rng.sample(alive, min(5, len(alive))), settled_operational_g=7.0, settled_g_per_kwh=1.0)
        elif drawn < 0.8:
            moved = NOON + timedelta(minutes=rng.randint(0, 600))
            _change(sheet, rng.sample(alive, 1), started_utc=moved)
        else:
            gone = alive.pop(rng.randrange(len(alive)))
            with sheet.engine.begin() as connection:
                connection.execute(delete(StoredRequestRow).where(StoredRequestRow.request_id == gone))
        if rng.random() < 0.6:
            roll_up(sheet.engine, now_utc=NOON + timedelta(minutes=rng.randint(0, 700)))
        since, until = sorted(NOON + timedelta(minutes=rng.randint(-60, 700)) for _ in range(2))
        _assert_same(sheet.facts(since_utc=since, until_utc=until), sheet.rows(since, until))
        _assert_same(sheet.facts(), sheet.rows())
        assert sum(sheet.days(since_utc=since, until_utc=until)) == sum(
            row.requests_n for row in sheet.rows(since, until)
        )


def _some_request(rng: Random, number: int) -> Any:
    return sample_request(
        number,
        started_utc=NOON + timedelta(minutes=rng.randint(0, 600)),
        session_id=rng.choice("ab") * 32,
        directive=rng.choice(("full", "brief")),
        task=rng.choice(("question", None)),
        inferred_task=rng.choice(("chat", None)),
        propensity=rng.choice((None, 0.5)),
        energy_j=rng.choice((None, rng.uniform(1, 100))),
        operational_g=rng.choice((None, rng.uniform(0, 1))),
        tags=rng.choice(({}, {"a": "1", "b": "2"}, {"b": "2", "a": "1"})),
    )


def _change(sheet: Any, ids: list[str], **values: Any) -> None:
    with sheet.engine.begin() as connection:
        rewrite_requests(connection, ids, **values)


def _assert_same(found: list[Any], expected: list[Any]) -> None:
    keys = len(DIMENSIONS)
    assert [line[:keys] for line in found] == [line[:keys] for line in expected]
    for ours, theirs in zip(found, expected, strict=True):
        wanted = [None if value is None else pytest.approx(value, rel=1e-12, abs=0) for value in theirs[keys:]]
        assert list(ours[keys:]) == wanted
