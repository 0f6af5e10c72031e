"""Whatever an exporter does, no request waits for it or fails by it, and what it misses is counted."""

from __future__ import annotations

import contextvars
import gc
import threading
import weakref
from collections.abc import Callable, Sequence

import pytest

from sprout_like import CarbonAware
from sprout_like.errors import SettingError
from sprout_like.feed import Feed, ObservedLedger, Seen
from sprout_like.ledger.testing import MemoryLedger, sample_account, sample_request
from sprout_like.record import RequestRecord
from sprout_like.testing import NullEngine

PATIENCE_S = 10
"""How long a test waits for what does come."""

Wrap = Callable[..., CarbonAware]


class Noting:
    """An exporter that remembers, and does what else it is told to."""

    name = "noting"

    def __init__(
        self, doing: Callable[[], object] = lambda: None, closing: Callable[[], object] = lambda: None
    ) -> None:
        self.rows: list[Seen] = []
        self.told = threading.Event()
        self.closed = 0
        self._doing = doing
        self._closing = closing

    def tell(self, rows: Sequence[Seen]) -> None:
        self.told.set()
        self._doing()
        self.rows += rows

    def close(self) -> None:
        self.closed += 1
        self._closing()


def hang(released: threading.Event) -> Callable[[], object]:
    return lambda: released.wait(PATIENCE_S)


def fail() -> None:
    raise ValueError("http://user:hunter2@gateway failed")


def test_rows_come_by_themselves_and_the_last_ones_at_the_end(wrap: Wrap) -> None:
    aware, exporter = wrap(), Noting()
    aware.live.feed.subscribe(exporter, interval_s=0.01)
    aware.generate()
    assert exporter.told.wait(PATIENCE_S)
    served = aware.chat("x").record
    aware.close()
    rows = [row for row, _ in exporter.rows if isinstance(row, RequestRecord)]
    assert len(rows) == 2
    assert rows[-1] == served
    assert exporter.closed == 1


def test_an_error_of_the_model_is_a_row_too(wrap: Wrap) -> None:
    aware, exporter = wrap(engine=NullEngine(error=RuntimeError("boom"))), Noting()
    subscription = aware.live.feed.subscribe(exporter)
    with pytest.raises(RuntimeError, match="boom"):
        aware.generate()
    subscription.deliver()
    assert [(row.status, row.error_type) for row, _ in exporter.rows] == [("error", "RuntimeError")]


def test_energy_accounts_come_too(seen: Callable[..., list[Seen]]) -> None:
    feed, exporter = Feed(), Noting()
    subscription = feed.subscribe(exporter)
    ObservedLedger(MemoryLedger(), feed).append(sample_account())
    subscription.close()
    assert [row for row, _ in exporter.rows] == [sample_account()]


def test_what_was_current_in_the_callers_thread_is_known_later(wrap: Wrap) -> None:
    current = contextvars.ContextVar("current", default="nobody's")
    aware, exporter = wrap(), Noting()
    subscription = aware.live.feed.subscribe(exporter)

    def call() -> None:
        current.set("the caller's")
        aware.generate()

    caller = threading.Thread(target=call)
    caller.start()
    caller.join()
    subscription.deliver()
    assert exporter.rows[0].context[current] == "the caller's"


def test_requests_do_not_wait_for_an_exporter_that_hangs(wrap: Wrap, caplog: pytest.LogCaptureFixture) -> None:
    released = threading.Event()
    aware, exporter = wrap(), Noting(hang(released))
    subscription = aware.live.feed.subscribe(exporter, most_waiting=3, interval_s=0.01)
    aware.generate()
    assert exporter.told.wait(PATIENCE_S)  # and hangs from now on
    for _ in range(5):
        aware.generate()
    assert subscription.dropped == 2
    assert caplog.text.count("further ones are dropped") == 1
    released.set()
    aware.close()
    assert len(exporter.rows) == 4
    assert "2 rows dropped, 0 failed" in caplog.text


def test_one_exporter_that_hangs_holds_up_no_other(wrap: Wrap) -> None:
    released = threading.Event()
    aware, stuck, other = wrap(), Noting(hang(released)), Noting()
    for exporter in (stuck, other):
        aware.live.feed.subscribe(exporter, interval_s=0.01)
    aware.generate()
    assert stuck.told.wait(PATIENCE_S)
    assert other.told.wait(PATIENCE_S)
    released.set()


def test_closing_leaves_an_exporter_that_hangs_to_itself(wrap: Wrap, caplog: pytest.LogCaptureFixture) -> None:
    released = threading.Event()
    aware, exporter = wrap(), Noting(hang(released))
    aware.live.feed.subscribe(exporter, close_wait_s=0.05)
    aware.generate()
    aware.close()
    assert "left to itself" in caplog.text
    released.set()


@pytest.mark.parametrize("broken", [Noting(doing=fail), Noting(closing=fail)], ids=["telling", "closing"])
def test_an_exporter_that_fails_breaks_nothing_and_is_named_once(
    wrap: Wrap, caplog: pytest.LogCaptureFixture, broken: Noting
) -> None:
    aware = wrap()
    subscription = aware.live.feed.subscribe(broken)
    for _ in range(3):
        aware.generate()
        subscription.deliver()
    aware.close()
    assert caplog.text.count("exporter noting failed with ValueError") == 1
    assert "hunter2" not in caplog.text
    assert subscription.failed + len(broken.rows) == 3


def test_who_leaves_is_told_no_more(wrap: Wrap) -> None:
    aware, exporter = wrap(), Noting()
    subscription = aware.live.feed.subscribe(exporter)
    aware.generate()
    subscription.close()
    subscription.close()
    aware.generate()
    aware.close()
    assert len(exporter.rows) == 1
    assert exporter.closed == 1


def test_rows_that_the_ledger_loses_are_told_of(wrap: Wrap) -> None:
    class Full(MemoryLedger):
        def append(self, record: object) -> None:
            raise OSError("no space left")

    aware, exporter = wrap(ledger=Full()), Noting()
    subscription = aware.live.feed.subscribe(exporter)
    aware.generate()
    subscription.deliver()
    assert len(exporter.rows) == 1


def test_an_exporter_does_not_keep_a_forgotten_middleware_open() -> None:
    aware = CarbonAware(None, engine=NullEngine(), grid=100, ledger=MemoryLedger(), meter="none")
    exporter, parts = Noting(), weakref.ref(aware._parts)
    aware.live.feed.subscribe(exporter)
    aware.generate()
    gc.disable()
    try:
        del aware
        assert parts() is None
    finally:
        gc.enable()
    assert exporter.closed == 1
    assert len(exporter.rows) == 1


def test_nothing_runs_while_nobody_subscribes() -> None:
    before = threading.active_count()
    feed = Feed()
    feed.put(sample_request())
    feed.close()
    assert threading.active_count() == before


def test_a_port_that_is_taken_closes_what_was_opened(wrap: Wrap) -> None:
    from sprout_like.settings import Settings

    class Flushed(MemoryLedger):
        flushed = 0

        def flush(self) -> int:
            self.flushed += 1
            return 0

    pytest.importorskip("prometheus_client")
    from sprout_like.exports.prometheus import start_metrics

    taken = int(str(start_metrics(wrap(), 0).url).rpartition(":")[2].partition("/")[0])
    ledger = Flushed()
    with pytest.raises(SettingError, match=r"metrics_port: 127\.0\.0\.1:\d+ cannot be served \(.*in use\)") as raised:
        wrap(ledger=ledger, settings=Settings.load(metrics_port=taken))
    assert ledger.flushed, "while the error, and all that it refers to, is still there"
    assert raised.value.setting == "metrics_port"
