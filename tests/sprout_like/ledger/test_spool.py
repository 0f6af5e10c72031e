"""The spool keeps rows for the right database, and hands them over once and in order, whoever dies."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from sprout_like.errors import LedgerUnreachable, RowRefused, SpoolUnusable
from sprout_like.ledger.rows import Record
from sprout_like.ledger.spool import Spool
from sprout_like.ledger.testing import sample_account, sample_request


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "new" / "spool.sqlite", "postgresql://db:5432/carbon")
    yield spool
    spool.close()


def rows(*numbers: int) -> list[Record]:
    return [sample_request(number) for number in numbers]


def test_rows_leave_in_order_in_batches(spool: Spool) -> None:
    for number in range(5):
        spool.put(rows(number))
    batches: list[Sequence[Record]] = []

    assert spool.drain(batches.append, batch=2) == 5
    assert batches == [rows(0, 1), rows(2, 3), rows(4)]
    assert spool.pending() == 0


def test_rows_of_one_database_never_go_to_another(spool: Spool) -> None:
    other = Spool(spool.path, "postgresql://db:5432/other")
    spool.put(rows(1))
    other.put(rows(2))
    received: list[Record] = []

    assert other.drain(received.extend) == 1
    assert received == rows(2)
    assert spool.pending() == 1
    other.close()


def test_a_row_stays_until_the_database_has_it(spool: Spool) -> None:
    spool.put(rows(1, 2, 3))
    received: list[Record] = []

    def dies_in_the_second_batch(batch: Sequence[Record]) -> None:
        if received:
            raise LedgerUnreachable("gone")
        received.extend(batch)

    with pytest.raises(LedgerUnreachable):
        spool.drain(dies_in_the_second_batch, batch=2)
    assert spool.pending() == 1

    spool.drain(received.extend)
    assert received == rows(1, 2, 3)


def test_refused_rows_are_set_aside_and_the_others_go_on(spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    spool.put([*rows(1, 2, 3), sample_account()])
    received: list[Record] = []

    def picky(batch: Sequence[Record]) -> None:
        if rows(2)[0] in batch:
            raise RowRefused("too long")
        received.extend(batch)

    spool.drain(picky)

    assert received == [*rows(1, 3), sample_account()]
    assert (spool.pending(), spool.refused()) == (0, 1)
    assert "too long" in caplog.text


def test_only_one_drains_at_a_time_unless_told_otherwise(spool: Spool) -> None:
    spool.put(rows(1))
    other = Spool(spool.path, "postgresql://db:5432/carbon")
    seen: list[object] = []

    def while_draining(batch: Sequence[Record]) -> None:
        seen.append(other.drain(lambda batch: None))
        seen.append(other.drain(lambda batch: None, regardless=True))

    spool.drain(while_draining)

    assert seen == [None, 1]
    assert spool.drain(lambda batch: None) == 0


def test_a_row_put_in_while_two_drain_is_not_taken_for_one_that_was_sent(spool: Spool) -> None:
    """Numbers are never given twice; if they were, the slower drainer would delete the new row unsent."""
    spool.put(rows(1, 2))
    other = Spool(spool.path, "postgresql://db:5432/carbon")
    received: list[Record] = []

    def slow(batch: Sequence[Record]) -> None:
        received.extend(batch)
        if len(received) == 2:
            other.drain(lambda batch: None, regardless=True)
            other.put(rows(3))

    spool.drain(slow)

    assert received == rows(1, 2, 3)
    other.close()


KILLED_WHILE_DRAINING = """
import os, signal, sys
from pathlib import Path
from sprout_like.ledger.spool import Spool
Spool(Path(sys.argv[1]), sys.argv[2]).drain(lambda batch: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_killed_drainer_blocks_nobody(spool: Spool) -> None:
    spool.put(rows(1))
    arguments = [sys.executable, "-c", KILLED_WHILE_DRAINING, str(spool.path), "postgresql://db:5432/carbon"]
    assert subprocess.run(arguments, timeout=60).returncode == -9
    received: list[Record] = []

    assert spool.drain(received.extend) == 1
    assert received == rows(1)


def test_what_cannot_be_deleted_does_not_hold_up_what_comes_after(spool: Spool) -> None:
    """On a full disk rows can be read and not deleted; younger rows, in memory by then, must not overtake them."""
    spool.put(rows(1, 2, 3, 4, 5))
    with closing(sqlite3.connect(spool.path)) as connection:
        connection.execute("CREATE TRIGGER full BEFORE DELETE ON spool BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    received: list[Record] = []

    with pytest.raises(SpoolUnusable, match="disk full"):
        spool.drain(received.extend, batch=2)
    assert received == rows(1, 2, 3, 4, 5)
    assert spool.pending() == 5


def test_many_threads_put_while_one_drains(spool: Spool) -> None:
    received: list[Record] = []

    def put(thread: int) -> None:
        for number in range(25):
            spool.put(rows(1000 * thread + number))
            if thread == 0:
                spool.drain(received.extend, batch=7)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(8)))
    spool.drain(received.extend)

    numbers = [int(record.request_id, 16) for record in received]
    assert len(numbers) == 200
    for thread in range(8):
        assert [n for n in numbers if n // 1000 == thread] == [1000 * thread + n for n in range(25)]


def test_a_deleted_file_is_made_anew(spool: Spool) -> None:
    spool.put(rows(1))
    for path in spool.path.parent.glob("spool.sqlite*"):
        path.unlink()

    spool.put(rows(2))

    received: list[Record] = []
    spool.drain(received.extend)
    assert received == rows(2)


def test_opens_again_after_close(spool: Spool) -> None:
    spool.put(rows(1))
    spool.close()
    spool.put(rows(2))

    assert spool.pending() == 2


@pytest.mark.parametrize("use", ["put", "pending", "drain", "refuse"])
def test_says_where_it_cannot_be_used(tmp_path: Path, use: str) -> None:
    path = tmp_path / "spool.sqlite"
    path.write_text("a text file, long enough to be no empty database" * 50)
    spool = Spool(path, "test:")
    calls = {
        "put": lambda: spool.put(rows(1)),
        "pending": spool.pending,
        "drain": lambda: spool.drain(lambda batch: None),
        "refuse": lambda: spool.refuse(sample_request(), "why"),
    }

    with pytest.raises(SpoolUnusable, match=str(path)):
        calls[use]()
