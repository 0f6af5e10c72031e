from __future__ import annotations

import logging

import pytest

from sprout_like.record import AccountRecord


def test_the_account_of_a_window_is_the_one_its_period_is_written_under(bench) -> None:
    first = bench.accounts.open(["gpu"], "ledger").close()
    record = bench.closed()["gpu"]
    second = bench.accounts.open(["gpu"], "ledger").close()
    assert first.account_id == record.account_id
    assert second.account_id != first.account_id
    assert second.account_id == bench.closed()["gpu"].account_id


def test_a_busy_period_ends_after_its_time_with_the_window_that_closes(bench) -> None:
    first = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=10, seconds=299)
    first.close()
    assert bench.records == []
    second = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=10, seconds=2)
    assert bench.records == []
    second.close()
    (record,) = bench.records
    assert (record.requests_j, record.requests_n) == (20, 2)
    assert (record.ended_utc - record.started_utc).total_seconds() == 301


def test_a_period_waits_for_the_last_open_window(bench) -> None:
    first, second = bench.accounts.open(["gpu"], "ledger"), bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=10, seconds=400)
    first.close()
    bench.accounts.tick()
    bench.accounts.close_period()
    assert bench.records == []
    second.close()
    assert [r.requests_n for r in bench.records] == [2]


def test_an_idle_period_lasts_until_the_hour_changes(bench) -> None:
    bench.accounts.open(["gpu"], "ledger").close()
    bench.closed()
    for _ in range(59):
        bench.draw(gpu=1, seconds=60)
        bench.accounts.tick()
    assert bench.records == []
    bench.draw(gpu=1, seconds=60)
    bench.accounts.tick()
    assert [bench.parts_of(r) for r in bench.records] == [(0, 0, 0, 60)]


def test_a_request_after_the_hour_does_not_mix_with_the_hour_before(bench) -> None:
    bench.accounts.open(["gpu"], "ledger").close()
    bench.draw(gpu=5, seconds=3700)
    window = bench.accounts.open(["gpu"], "ledger")
    (before,) = bench.records
    assert bench.parts_of(before) == (0, 0, 0, 5)
    bench.draw(gpu=3)
    window.close()
    bench.records.clear()
    assert bench.parts_of(bench.closed()["gpu"]) == (3, 0, 0, 0)


def test_nothing_is_written_for_nothing(bench) -> None:
    assert bench.closed() == {}
    bench.accounts.open(["gpu"], "ledger").close()
    assert set(bench.closed()) == {"gpu"}
    assert bench.closed() == {}


def test_records_say_what_was_metered(bench) -> None:
    bench.accounts.open(["gpu"], "ledger").close()
    record = bench.closed()["gpu"]
    assert (record.device_id, record.device_name, record.component) == ("gpu", "fake gpu", "gpu")
    assert (record.method, record.meter) == ("measured", "fake")
    assert record.session_id == bench.accounts.session_id


def test_a_tick_reads_only_what_was_long_unread(bench) -> None:
    bench.accounts.open(["gpu"], "ledger").close()
    reads = bench.meter.reads
    bench.clock.advance(29)
    bench.accounts.tick()
    assert bench.meter.reads == reads
    bench.clock.advance(1)
    bench.accounts.tick()
    assert bench.meter.reads == reads + 1


def test_a_sink_that_leaves_gets_its_last_period_and_no_more(bench) -> None:
    bench.accounts.open(["gpu"], "ledger").close()
    bench.accounts.detach("ledger")
    assert len(bench.records) == 1
    bench.accounts.detach("ledger")
    bench.accounts.open(["gpu"], "ledger").close()
    bench.accounts.close_period()
    assert len(bench.records) == 1


def test_a_sink_that_leaves_while_a_window_is_open_gets_the_period_when_that_closes(bench) -> None:
    mine = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=2)
    mine.close()
    other = bench.accounts.open(["gpu"], "other")
    bench.accounts.detach("ledger")
    assert bench.records == []
    bench.draw(gpu=1)
    other.close()
    assert [bench.parts_of(r) for r in bench.records] == [(2, 1, 0, 0)]


def test_a_sink_that_raises_breaks_neither_the_request_nor_the_other_sinks(
    bench, caplog: pytest.LogCaptureFixture
) -> None:
    def raising(record: AccountRecord) -> None:
        raise OSError("disk full")

    others: list[AccountRecord] = []
    bench.accounts.attach(raising, owner="broken")
    bench.accounts.attach(others.append, owner="sound")
    bench.accounts.open(["gpu"]).close()
    with caplog.at_level(logging.WARNING, "sprout_like"):
        bench.accounts.close_period()
    assert len(others) == 1
    assert "could not be written" in caplog.text


def test_a_sink_may_use_the_accounts_itself(bench) -> None:
    bench.accounts.attach(lambda record: bench.accounts.open(["gpu"]).close() and None, owner="curious")
    bench.accounts.open(["gpu"], "ledger").close()
    assert len(bench.closed()) == 1


def test_a_period_in_which_the_clock_was_set_back_does_not_end_before_it_began(bench) -> None:
    with bench.accounts.overhead(["cpu"]):
        bench.draw(cpu=30)
        bench.clock.set_forward(-3600)

    record = bench.closed()["cpu"]

    assert record.ended_utc == record.started_utc
    assert record.overhead_j == record.counter_j == 30
