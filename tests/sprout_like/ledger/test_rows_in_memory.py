"""Where rows go when neither the database nor the spool takes them, and that all of them arrive once."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprout_like.errors import LedgerUnreachable, RowRefused
from sprout_like.ledger.rows import Record
from sprout_like.ledger.testing import FailingStore, sample_request

NewBench = Callable[..., Any]

DOWN = LedgerUnreachable("fake: no answer")


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_a_row_that_has_no_json_form_does_not_get_stuck_in_memory(bench: Any) -> None:
    bench.store.failure = DOWN
    bench.break_spool()
    bench.append()
    bench.ledger.append(sample_request(99, tags={"what": object()}))
    bench.append()
    bench.mend_spool()
    bench.append()
    bench.store.failure = None
    bench.wait_and_tick()

    assert bench.stored == bench.appended


def test_with_no_spool_either_rows_wait_in_memory_in_order(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    bench.store.failure = DOWN
    bench.append(2)
    bench.break_spool()
    bench.append(2)
    status = bench.ledger.status()
    assert (status.pending, status.in_memory) == (None, 2)
    assert "spool" in str(status.problem)
    assert bench.ledger.flush() == 3
    assert len(warnings(caplog)) == 2
    assert "lost if the process ends" in warnings(caplog)[1]

    bench.mend_spool()
    bench.append()
    assert bench.ledger.status().in_memory == 0
    assert bench.ledger.status().pending == 5

    bench.store.failure = None
    bench.wait_and_tick()
    assert bench.stored == bench.appended
    assert bench.ledger.status().problem is None


@pytest.mark.parametrize("local", [True, False])
def test_without_a_spool_rows_in_memory_reach_the_database(new_bench: NewBench, tmp_path: Path, local: bool) -> None:
    bench = new_bench(tmp_path, local=local)
    bench.start()
    bench.store.failure = DOWN
    bench.break_spool()
    bench.append(1200)
    bench.store.failure = None
    bench.wait_and_tick()

    assert bench.stored == bench.appended
    assert bench.ledger.status().in_memory == 0


def test_a_refused_row_in_memory_holds_up_no_other(bench: Any) -> None:
    bench.store.failure = DOWN
    bench.break_spool()
    bench.append(3)
    bench.store.failure = None
    bench.store.refusals = {sample_request(1).request_id: RowRefused("text holds NUL")}
    bench.wait_and_tick()

    assert bench.stored == [0, 2]


def test_a_spool_that_comes_back_while_memory_is_sent_loses_nothing(new_bench: NewBench, tmp_path: Path) -> None:
    class Mending(FailingStore):
        def insert(self, records: Sequence[Record]) -> None:
            super().insert(records)
            if bench.spool_folder.is_file():
                bench.mend_spool()
                bench.append()

    bench = new_bench(tmp_path, store=Mending())
    bench.store.failure = DOWN
    bench.start()
    bench.break_spool()
    bench.append(3)
    bench.store.failure = None
    bench.wait_and_tick()

    assert bench.ledger.flush() == 0
    assert bench.stored == bench.appended == [0, 1, 2, 3]


def test_close_says_what_it_could_not_keep(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    bench.store.failure = DOWN
    bench.break_spool()
    bench.append(2)
    bench.ledger.close()

    assert "2 rows could be stored nowhere" in caplog.text


STEPS: dict[str, Callable[[Any], None]] = {
    "append": lambda bench: bench.append(),
    "database down": lambda bench: setattr(bench.store, "failure", DOWN),
    "database up": lambda bench: setattr(bench.store, "failure", None),
    "spool gone": lambda bench: bench.break_spool(),
    "spool back": lambda bench: bench.mend_spool(),
    "tick": lambda bench: bench.ledger.tick(),
    "later": lambda bench: bench.wait_and_tick(),
    "flush": lambda bench: bench.ledger.flush(),
}


@settings(max_examples=60, deadline=None)
@given(local=st.booleans(), steps=st.lists(st.sampled_from([*STEPS, "append", "append"]), max_size=25))
def test_whatever_fails_every_row_arrives_once(new_bench: NewBench, local: bool, steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = new_bench(Path(folder), local=local)
        bench.start()
        for step in steps:
            STEPS[step](bench)
        bench.store.failure = None
        bench.mend_spool()
        assert bench.ledger.flush() == 0
        bench.ledger.close()

    assert sorted(bench.stored) == bench.appended
    # Rows that lie in a spool nobody can read are overtaken: they are safe, those in memory are not.
    assert bench.stored == bench.appended or "spool gone" in steps
