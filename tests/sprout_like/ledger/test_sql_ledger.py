"""Where rows go when the database fails, and that all of them arrive, once and in order."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sprout_like.errors import LedgerUnreachable, LedgerVersionError, RowRefused, SettingError
from sprout_like.ledger.rows import Record
from sprout_like.ledger.testing import FailingStore, sample_request

NewBench = Callable[..., Any]

DOWN = LedgerUnreachable("fake: no answer")


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_a_local_database_has_the_row_when_append_returns(bench: Any) -> None:
    bench.append()

    assert bench.stored == [0]
    assert bench.ledger.status().pending == 0


def test_in_an_outage_rows_wait_in_the_spool_and_arrive_in_order(bench: Any) -> None:
    bench.append(2)
    bench.store.failure = DOWN
    bench.append(2)
    bench.store.failure = None
    bench.append(2)  # must not overtake those before

    assert bench.stored == [0, 1]
    assert bench.ledger.status().pending == 4

    bench.wait_and_tick()
    bench.append()

    assert bench.stored == bench.appended
    assert bench.ledger.status().pending == 0


def test_an_outage_is_told_once_and_so_is_its_end(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        bench.store.failure = DOWN
        bench.append(3)
        bench.wait_and_tick()
        assert bench.ledger.status().problem == "fake: no answer"
        bench.store.failure = None
        bench.wait_and_tick()
        assert bench.ledger.status().problem is None

    assert len(warnings(caplog)) == 2
    assert "fake: no answer" in warnings(caplog)[0]
    assert [r.getMessage() for r in caplog.records if "is back, 3 rows sent" in r.getMessage()]
    assert bench.ledger.status().outages == 2


def test_attempts_grow_rarer_but_flush_does_not_wait(bench: Any) -> None:
    bench.store.failure = DOWN
    bench.append()
    for _ in range(10):
        bench.wait_and_tick()
    bench.store.failure = None

    bench.clock.advance(29)
    bench.ledger.tick()
    assert bench.stored == []
    bench.clock.advance(1)
    bench.ledger.tick()
    assert bench.stored == [0]

    bench.store.failure = DOWN
    bench.append()
    bench.store.failure = None
    assert bench.ledger.flush() == 0
    assert bench.stored == bench.appended


def test_no_request_waits_for_a_server(new_bench: NewBench, tmp_path: Path) -> None:
    bench = new_bench(tmp_path, local=False)
    bench.start()
    bench.append(3)
    assert bench.stored == []
    assert bench.ledger.status().pending == 3

    bench.ledger.tick()
    assert bench.stored == bench.appended


@pytest.mark.parametrize("local", [True, False])
def test_starts_without_the_database(
    new_bench: NewBench, tmp_path: Path, caplog: pytest.LogCaptureFixture, local: bool
) -> None:
    bench = new_bench(tmp_path, local=local)
    bench.store.failure = DOWN
    bench.start()
    bench.append(2)
    assert len(warnings(caplog)) == 1

    bench.store.failure = None
    bench.wait_and_tick()
    assert bench.stored == bench.appended


@pytest.mark.parametrize("error", [SettingError("ledger", "wrong", "Mend it"), LedgerVersionError("too new")])
def test_does_not_start_where_the_user_must_change_something(
    new_bench: NewBench, tmp_path: Path, error: Exception
) -> None:
    bench = new_bench(tmp_path)
    bench.store.failure = error
    with pytest.raises(type(error), match=str(error)):
        bench.start()


@pytest.mark.parametrize("error", [SettingError("ledger", "wrong", "Mend it"), LedgerVersionError("too new")])
def test_while_it_runs_even_these_are_outages(bench: Any, error: Exception) -> None:
    bench.store.failure = DOWN
    bench.append()
    bench.store.failure = error
    bench.wait_and_tick()
    assert bench.ledger.status().problem == str(error)

    bench.store.failure = None
    bench.wait_and_tick()
    assert bench.stored == bench.appended


def test_rows_left_by_an_earlier_process_go_first(new_bench: NewBench, tmp_path: Path) -> None:
    bench = new_bench(tmp_path)
    bench.start()
    bench.store.failure = DOWN
    bench.append(3)
    bench.store.failure = None

    bench.start()  # the first one was killed
    bench.append(2)

    assert bench.stored == bench.appended


def test_a_refused_row_is_set_aside_and_holds_up_no_other(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    bench.store.refusals = {sample_request(n).request_id: RowRefused("text holds NUL") for n in (1, 4)}
    bench.append(3)
    bench.store.failure = DOWN
    bench.append(3)
    bench.store.failure = None
    bench.wait_and_tick()

    status = bench.ledger.status()
    assert bench.stored == [0, 2, 3, 5]
    assert (status.pending, status.refused) == (0, 2)
    assert len([r for r in caplog.records if r.levelno == logging.ERROR and "text holds NUL" in r.getMessage()]) == 2


@pytest.mark.parametrize("local", [True, False])
def test_a_row_that_has_no_json_form_is_set_aside(new_bench: NewBench, tmp_path: Path, local: bool) -> None:
    bench = new_bench(tmp_path, local=local)
    bench.start()
    bench.store.failure = DOWN
    bench.ledger.append(sample_request(tags={"what": object()}))

    assert bench.ledger.status().refused == 1


def test_rows_that_come_while_others_are_sent_do_not_overtake(new_bench: NewBench, tmp_path: Path) -> None:
    class Busy(FailingStore):
        """Every batch it takes, a request is served meanwhile."""

        def insert(self, records: Sequence[Record]) -> None:
            super().insert(records)
            if len(bench.appended) < 8:
                bench.append()

    bench = new_bench(tmp_path, store=Busy())
    bench.store.failure = DOWN
    bench.start()
    bench.append(3)
    bench.store.failure = None
    bench.wait_and_tick()

    assert bench.ledger.flush() == 0
    assert bench.stored == bench.appended


def test_a_flush_in_the_middle_of_a_flush_by_the_same_thread_waits_for_nothing(
    new_bench: NewBench, tmp_path: Path
) -> None:
    """As when the garbage that is collected there holds a forgotten wrapper on this ledger."""

    class Collecting(FailingStore):
        def insert(self, records: Sequence[Record]) -> None:
            bench.ledger.flush()
            bench.ledger.tick()
            super().insert(records)

    bench = new_bench(tmp_path, store=Collecting(local=False))
    bench.start()
    bench.append(3)
    flushing = threading.Thread(target=bench.ledger.flush, daemon=True)
    flushing.start()
    flushing.join(10)

    assert not flushing.is_alive()
    assert bench.stored == bench.appended


def test_a_row_that_comes_as_the_outage_ends_is_sent_with_the_others(bench: Any) -> None:
    """Else, under load, there would always be one waiting, and the ledger would never write straight again."""

    class Serving(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "is back" in record.getMessage():
                bench.append()

    bench.store.failure = DOWN
    bench.append(2)
    bench.store.failure = None
    log, serving = logging.getLogger("sprout_like"), Serving()
    log.addHandler(serving)
    log.setLevel(logging.INFO)
    try:
        bench.wait_and_tick()
    finally:
        log.removeHandler(serving)
        log.setLevel(logging.NOTSET)

    assert bench.stored == bench.appended == [0, 1, 2]
    bench.append()
    assert bench.stored == bench.appended


def test_after_close_rows_go_to_the_spool_and_arrive_with_the_next_start(bench: Any) -> None:
    bench.store.failure = DOWN
    bench.append()
    bench.store.failure = None
    bench.ledger.close()
    assert bench.stored == [0]

    bench.append(2)
    assert not [file for file in Path("/proc/self/fd").iterdir() if str(bench.spool_folder) in os.path.realpath(file)]
    bench.ledger.close()
    bench.ledger.tick()
    assert bench.ledger.flush() == 2
    assert bench.stored == [0]

    bench.start()
    assert bench.stored == bench.appended
