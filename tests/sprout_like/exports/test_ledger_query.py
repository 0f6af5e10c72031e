"""Rows and sums of a ledger: as they are, quickly told what is misspelt, and never changed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from sprout_like.errors import SettingError
from sprout_like.ledger import open_engine, open_ledger, query
from sprout_like.ledger.schema import RequestRow
from sprout_like.ledger.testing import sample_account, sample_request
from sprout_like.record import RequestRecord

Fill = Callable[[Iterable[Any]], str]


def test_rows_are_the_requests_in_the_order_of_time(fill_either: Fill) -> None:
    rows = [sample_request(2), sample_request(0), sample_request(1, energy_j=None, task=None)]
    found = list(query(fill_either(rows)).requests().rows())
    assert [RequestRecord(**row) for row in found] == sorted(rows, key=lambda row: row.started_utc)
    assert found[0]["started_utc"].tzinfo is UTC


def test_columns_conditions_and_spans(fill_either: Fill) -> None:
    rows = [
        sample_request(0),
        sample_request(1, directive="full", tags={"team": "chat"}),
        sample_request(2, task=None, tags={}),
        sample_request(3, directive="very_brief"),
    ]
    ask = query(fill_either(rows))

    def numbers(**asked: Any) -> list[int]:
        return [int(row["request_id"], 16) for row in ask.requests(columns=["request_id"], **asked)]

    assert numbers(where={"directive": "brief"}) == [0, 2]
    assert numbers(where={"directive": ["brief", "full"]}) == [0, 1, 2]
    assert numbers(where={"directive": []}) == []
    assert numbers(where={"task": None}) == [2]
    assert numbers(where={"task": ["question", None], "directive": "brief"}) == [0, 2]
    assert numbers(where={"tag:team": "chat"}) == [1]
    assert numbers(where={"tag:team": None}) == [2]
    assert numbers(since=datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC), until="2026-03-01T12:00:03") == [1, 2]
    assert numbers(since=datetime(2026, 3, 1, 14, 0, 2, tzinfo=timezone(timedelta(hours=2)))) == [2, 3]
    assert numbers(since=date(2026, 3, 2)) == []
    assert numbers(limit=2) == [0, 1]
    (row,) = ask.requests(columns=["tag:team", "best_operational_g", "best_kind"], where={"directive": "full"})
    assert row == {"tag:team": "chat", "best_operational_g": rows[1].operational_g, "best_kind": "average"}


def test_the_best_known_figure_is_the_settled_one(fill: Fill) -> None:
    settled = {"settled_g_per_kwh": 90.0, "settled_kind": "marginal", "settled_factors": "lifecycle"}
    spec = fill([sample_request(**settled, settled_status="actual", settled_operational_g=0.5)])
    names = ["best_operational_g", "best_kind", "best_factors", "operational_g"]
    (row,) = query(spec).requests(columns=names)
    assert list(row.values())[:3] == [0.5, "marginal", "lifecycle"]
    assert row["operational_g"] != 0.5


def test_accounts_can_be_asked_for(fill: Fill) -> None:
    ask = query(fill([sample_account(), sample_account(device_id="GPU-1")]))
    (row,) = ask.accounts(where={"device_id": "GPU-1"}, columns=["device_id", "counter_j"])
    assert row == {"device_id": "GPU-1", "counter_j": 100.0}
    assert list(ask.intensities()) == []


HOSTILE = ["x' OR '1'='1", "x'; DROP TABLE requests; --", '"', "%", "\\", "x\x1b"]


def test_values_and_names_of_others_are_no_sql(fill_either: Fill) -> None:
    rows = [sample_request(number, task=value, tags={"team": value}) for number, value in enumerate(HOSTILE)]
    ask = query(fill_either(rows))
    for number, value in enumerate(HOSTILE):
        for where in ({"task": value}, {"task": [value]}, {"tag:team": value}):
            assert [int(row["request_id"], 16) for row in ask.requests(where=where)] == [number]
        assert [row["requests_n"] for row in ask.sums(by="task", where={"task": value})] == [1]
        for wrong in ({"where": {value: 1}}, {"columns": [value]}):
            with pytest.raises(SettingError, match="there is no column"):
                ask.requests(**wrong)
        with pytest.raises(SettingError, match="there is no column"):
            ask.sums(by=[value])


TAGS = ["team's", "te.am", "te am", "équipe", "$", "x') --", '"', ""]


def test_tags_of_any_name_can_be_asked_for(fill_either: Fill) -> None:
    ask = query(fill_either(sample_request(number, tags={name: "a"}) for number, name in enumerate(TAGS)))
    for number, name in enumerate(TAGS):
        column = f"tag:{name}"
        assert [row[column] for row in ask.requests(columns=[column])] == [
            "a" if place == number else None for place in range(len(TAGS))
        ]
        assert [(row[column], row["requests_n"]) for row in ask.sums(by=[column], measures=["requests_n"])] == [
            (None, len(TAGS) - 1),
            ("a", 1),
        ]


def test_what_is_misspelt_is_told_at_once_and_put_right(fill: Fill) -> None:
    ask = query(fill([]))
    for asked, said in (
        (
            lambda: ask.requests(columns=["energi_j"]),
            "columns: there is no column 'energi_j'. Did you mean 'energy_j'?",
        ),
        (lambda: ask.requests(where={"directiv": 1}), "Did you mean 'directive'?"),
        (lambda: ask.sums(by=["modle"]), "by: there is no column 'modle'. Did you mean 'model'?"),
        (lambda: ask.sums(measures=["energy"]), "measures: there is no column 'energy'"),
        (lambda: ask.requests(since=datetime(2026, 3, 1)), "since: 2026-03-01 00:00:00 has no time zone"),  # noqa: DTZ001
        (lambda: ask.requests(until="yesterday"), "until: 'yesterday' is not a moment"),
    ):
        with pytest.raises(SettingError) as raised:
            asked()
        assert said in str(raised.value)


def test_sums_keep_kinds_apart_and_say_how_many_know_a_figure(fill_either: Fill) -> None:
    rows = [
        sample_request(0),
        sample_request(1, energy_j=None, operational_g=None),
        sample_request(2, intensity_kind="marginal"),
        sample_request(86_400, directive="full"),
    ]
    ask = query(fill_either(rows))
    measures = ["requests_n", "energy_known_n", "energy_j", "operational_g"]
    found = list(ask.sums(by=["day", "directive"], measures=measures))
    assert [(row["day"], row["directive"], row["kind"], row["requests_n"]) for row in found] == [
        ("2026-03-01", "brief", "average", 2),
        ("2026-03-01", "brief", "marginal", 1),
        ("2026-03-02", "full", "average", 1),
    ]
    assert (found[0]["energy_j"], found[0]["energy_known_n"]) == (20.0, 1)
    assert found[0]["operational_g"] == pytest.approx(rows[0].operational_g)
    (month,) = ask.sums(by="month", measures=["energy_j"])
    assert month == {"month": "2026-03", "energy_j": 60.0}
    assert [row["requests_n"] for row in ask.sums(measures=["requests_n"], until="2026-03-01T12:00:02")] == [2]
    assert list(ask.sums(by="model", where={"directive": "nothing"})) == []


def test_a_sum_nobody_knows_is_unknown(fill: Fill) -> None:
    (row,) = query(fill([sample_request(energy_j=None)])).sums(by="model", measures=["energy_j"])
    assert row["energy_j"] is None


def test_a_frame_has_the_ledgers_types_whatever_it_holds(fill: Fill) -> None:
    pandas = pytest.importorskip("pandas", reason="needs the extra pandas")
    ask = query(fill([sample_request(0), sample_request(1, energy_j=None, new_tokens=None, intensity_stale=None)]))
    names = ["started_utc", "energy_j", "new_tokens", "intensity_stale", "directive", "tags"]
    full, empty = ask.requests(columns=names).frame(), ask.requests(columns=names, limit=0).frame()
    assert list(full.columns) == names
    assert list(full.dtypes) == list(empty.dtypes)
    assert str(full["started_utc"].dt.tz) == "UTC"
    assert full["new_tokens"].dtype == "Int64"
    assert full["energy_j"].isna().tolist() == [False, True]
    assert full["energy_j"].sum() == 20.0
    assert full["new_tokens"].sum() == 32
    assert isinstance(ask.sums(by="model").frame(), pandas.DataFrame)


def test_asking_changes_nothing_and_cannot(fill_either: Fill) -> None:
    spec = fill_either([sample_request()])
    ask = query(spec)
    with ask.requests()._reading() as connection:
        if connection.dialect.name == "postgresql":
            assert connection.scalar(select(func.current_setting("transaction_read_only"))) == "on"
        else:
            with pytest.raises(DBAPIError, match="readonly"):
                connection.execute(text("DELETE FROM request_rows"))
    engine = open_engine(spec)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(RequestRow)) == 1
    engine.dispose()


def test_rows_are_fetched_as_they_are_asked_for(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.sqlite", spool_path=tmp_path / "spool.sqlite")
    for number in range(4_000):
        ledger.append(sample_request(number))
    ledger.close()
    ask = query(tmp_path / "ledger.sqlite")
    list(islice(ask.requests().rows(), 10))  # what is loaded once

    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in islice(ask.requests().rows(), count):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(4_000) < 1.5 * peak(1_100)


def test_a_loop_that_is_left_early_and_two_at_once_hold_nothing_open(fill_either: Fill) -> None:
    selection = query(fill_either([sample_request(number) for number in range(3)])).requests(columns=["request_id"])
    one, other = selection.rows(), selection.rows()
    assert next(one) == next(other)
    one.close()
    assert len(list(other)) == 2
    assert len(list(selection)) == 3
