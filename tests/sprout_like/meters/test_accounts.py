from __future__ import annotations

import threading

import pytest

from sprout_like.meters import UNKNOWN, Accounts
from sprout_like.meters.testing import FakeMeter, ManualClock, fake_device
from sprout_like.record import AccountRecord


def test_a_window_alone_is_charged_what_its_devices_drew(bench) -> None:
    window = bench.accounts.open(["gpu", "cpu"], "ledger")
    bench.draw(gpu=30, cpu=12)
    energy = window.close()
    assert (energy.energy_j, energy.gpu_j, energy.cpu_j, energy.dram_j) == (42, 30, 12, None)
    assert energy.by_device_j == {"gpu": 30, "cpu": 12}
    assert energy.method == "measured"


def test_closing_twice_charges_once(bench) -> None:
    window = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=30)
    energy = window.close()
    bench.draw(gpu=99)
    assert window.close() is energy
    assert bench.closed()["gpu"].requests_n == 1


def test_time_between_windows_is_idle_and_loading_is_overhead(bench) -> None:
    with bench.accounts.overhead(["gpu"]):
        bench.draw(gpu=100)
    bench.draw(gpu=7)
    window = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=30)
    window.close()
    bench.draw(gpu=3)
    record = bench.closed()["gpu"]
    assert bench.parts_of(record) == (30, 0, 100, 10)
    assert record.counter_j == 140


def test_loading_that_fails_is_overhead_all_the_same(bench) -> None:
    def load() -> None:
        with bench.accounts.overhead(["gpu"]):
            bench.draw(gpu=100)
            raise RuntimeError("no such weights")

    with pytest.raises(RuntimeError, match="no such weights"):
        load()
    bench.draw(gpu=5)
    assert bench.parts_of(bench.closed()["gpu"]) == (0, 0, 100, 5)


def test_a_device_s_account_begins_with_its_first_use(bench) -> None:
    bench.draw(gpu=1000, cpu=1000)
    window = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=1, cpu=1000)
    window.close()
    written = bench.closed()
    assert set(written) == {"gpu"}
    assert written["gpu"].counter_j == 1


def test_windows_that_overlap_share_equally_and_say_so(bench) -> None:
    first = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=10)
    second = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=20)
    a = first.close()
    bench.draw(gpu=5)
    b = second.close()
    assert (a.energy_j, b.energy_j) == (20, 15)
    assert (a.method, b.method) == ("apportioned", "apportioned")
    third = bench.accounts.open(["gpu"], "ledger")
    assert third.close().method == "measured"


def test_windows_on_different_devices_do_not_share(bench) -> None:
    first, second = bench.accounts.open(["gpu"], "ledger"), bench.accounts.open(["cpu"], "ledger")
    bench.draw(gpu=10, cpu=4)
    assert (first.close().energy_j, second.close().energy_j) == (10, 4)
    assert first.close().method == second.close().method == "measured"


def test_a_sum_is_worth_its_weakest_device(make_bench) -> None:
    bench = make_bench(fake_device("gpu", component="gpu"), fake_device("cpu", method="estimated"))
    assert bench.accounts.open(["gpu", "cpu"]).close().method == "estimated"
    assert bench.accounts.open(["gpu"]).close().method == "measured"


def test_compilation_inside_a_request_is_overhead(bench) -> None:
    window = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=10)
    window.pause()
    bench.draw(gpu=500, seconds=4)
    window.resume()
    bench.draw(gpu=20)
    assert window.close().energy_j == 30
    assert window.paused_s == 4
    assert bench.parts_of(bench.closed()["gpu"]) == (30, 0, 500, 0)


def test_pauses_may_be_nested_and_end_with_the_window(bench) -> None:
    window = bench.accounts.open(["gpu"], "ledger")
    window.resume()  # one too many changes nothing
    window.pause()
    window.pause()
    bench.draw(gpu=1)
    window.resume()
    bench.draw(gpu=2)
    window.resume()
    bench.draw(gpu=4)
    window.pause()
    bench.draw(gpu=8, seconds=3)
    assert window.close().energy_j == 4
    assert window.paused_s == 5
    window.resume()
    assert bench.parts_of(bench.closed()["gpu"]) == (4, 0, 11, 0)


def test_another_ledger_s_requests_are_elsewhere(bench) -> None:
    other: list[AccountRecord] = []
    bench.accounts.attach(other.append, owner="other")
    for owner, joules in (("ledger", 1), ("other", 2), (None, 4), ("ledger", 8)):
        window = bench.accounts.open(["gpu"], owner)
        bench.draw(gpu=joules)
        window.close()
    mine = bench.closed()["gpu"]
    assert (mine.requests_j, mine.requests_n, mine.elsewhere_j) == (9, 2, 6)
    assert (other[0].requests_j, other[0].requests_n, other[0].elsewhere_j) == (2, 1, 13)
    assert mine.counter_j == other[0].counter_j == 15


def test_two_sinks_of_one_ledger_get_each_account_once(bench) -> None:
    again: list[AccountRecord] = []
    bench.accounts.attach(again.append, owner="ledger")
    bench.accounts.open(["gpu"], "ledger").close()
    assert len(bench.closed()) == 1
    assert again == []
    bench.accounts.detach("ledger", bench.records.append)
    bench.accounts.open(["gpu"], "ledger").close()
    bench.accounts.close_period()
    assert len(again) == 1


def test_uncertainty_is_a_tick_of_power_plus_the_systematic_error(make_bench) -> None:
    bench = make_bench(fake_device("gpu", tick_s=0.1, relative_error=0.05), fake_device("cpu", relative_error=0.5))
    window = bench.accounts.open(["gpu", "cpu"])
    bench.draw(gpu=600, cpu=8, seconds=2)
    assert window.close().uncertainty_j == pytest.approx(0.1 * 300 + 0.05 * 600 + 0.5 * 8)


def test_a_window_shorter_than_a_tick_is_uncertain_by_the_tick_it_caught(make_bench) -> None:
    bench = make_bench(fake_device("gpu", tick_s=0.1))
    window = bench.accounts.open(["gpu"])
    bench.draw(gpu=30, seconds=0.01)
    energy = window.close()
    assert energy.energy_j == 30
    assert energy.uncertainty_j == pytest.approx(30)


def test_a_window_that_read_nothing_is_uncertain_by_a_tick_at_the_highest_power_seen(make_bench) -> None:
    bench = make_bench(fake_device("gpu", tick_s=0.1, relative_error=0.05))
    short = bench.accounts.open(["gpu"])
    bench.draw(seconds=0.02)
    energy = short.close()
    assert (energy.energy_j, energy.method, energy.uncertainty_j) == (0, "measured", None)
    for power_w in (400, 200):
        long = bench.accounts.open(["gpu"])
        bench.draw(gpu=2 * power_w, seconds=2)
        long.close()
    short = bench.accounts.open(["gpu"])
    bench.draw(seconds=0.02)
    assert short.close().uncertainty_j == pytest.approx(40)


def test_many_threads_charge_every_joule_once(make_bench) -> None:
    bench = make_bench()
    bench.accounts.attach(bench.records.append, owner="ledger")
    charged: list[float] = []
    lock = threading.Lock()

    def serve() -> None:
        for _ in range(50):
            window = bench.accounts.open(["gpu"], "ledger")
            with lock:
                bench.meter.draw("gpu", 1.0)
            energy = window.close()
            with lock:
                charged.append(energy.energy_j or 0.0)

    first = bench.accounts.open(["gpu"], "other")
    threads = [threading.Thread(target=serve) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rest = first.close().energy_j
    record = bench.closed()["gpu"]
    assert record.counter_j == pytest.approx(400)
    assert record.requests_j == pytest.approx(sum(charged))
    assert record.elsewhere_j == pytest.approx(rest)
    assert sum(bench.parts_of(record)) == pytest.approx(400)
    assert record.requests_n == 400


def test_closing_from_inside_does_not_deadlock_and_takes_effect_afterwards() -> None:
    """As when the garbage collector runs somebody's `close` on a thread that is just reading the meter."""

    class Collecting(FakeMeter):
        def read_j(self, device_ids):
            accounts.detach("ledger")
            return super().read_j(device_ids)

    accounts, records = Accounts(Collecting([fake_device("gpu")]), clock=ManualClock()), []
    accounts.attach(records.append, owner="ledger")
    window = accounts.open(["gpu"], "ledger")
    assert records == []
    window.close()
    assert len(records) == 1


def test_after_a_restart_old_windows_are_unknown_and_new_ones_count_from_there(bench) -> None:
    old = bench.accounts.open(["gpu"], "ledger")
    session = bench.accounts.session_id
    bench.draw(gpu=-10)  # a child's process clock begins at zero
    bench.accounts.restart()
    old.pause()
    assert old.close() is UNKNOWN
    new = bench.accounts.open(["gpu"], "ledger")
    bench.draw(gpu=2)
    assert new.close().energy_j == 2
    assert bench.accounts.session_id != session


def test_a_batch_of_requests_is_one_window_and_as_many_requests(bench) -> None:
    window = bench.accounts.open(["gpu"], "ledger", requests_n=8)
    bench.draw(gpu=40)
    assert window.close().energy_j == 40
    record = bench.closed()["gpu"]
    assert (record.requests_j, record.requests_n) == (40, 8)


def test_a_window_that_no_row_will_tell_of_is_overhead(bench) -> None:
    window = bench.accounts.open(["gpu"], "ledger", requests_n=8)
    bench.draw(gpu=40)
    window.drop()
    assert window.close().energy_j == 40  # what it took is known all the same
    record = bench.closed()["gpu"]
    assert (bench.parts_of(record), record.requests_n) == ((0, 0, 40, 0), 0)
