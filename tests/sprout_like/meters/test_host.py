"""Where processes meet: the file, its lock, and what is done where it cannot be had."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sprout_like.clock import SystemClock
from sprout_like.errors import MeterError
from sprout_like.meters import UNKNOWN, Accounts, AccountsRegistry, MeterOptions, NvmlMeter
from sprout_like.meters.claims import Claim, Due, Open
from sprout_like.meters.claims_file import ClaimsFile, ClaimsInMemory, ClaimsStore
from sprout_like.meters.host import Host, hindrances, open_host, process_born
from sprout_like.meters.meter import ProcessUse
from sprout_like.meters.testing import FakeGpu, FakeMeter, FakeNvml, ManualClock, fake_device

GPU = fake_device("GPU-1", component="gpu", machine_wide=True)


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ClaimsStore:
    return ClaimsFile(tmp_path / "claims.json") if request.param == "file" else ClaimsInMemory()


def test_claims_come_back_as_they_were_left(store: ClaimsStore) -> None:
    claims = store.take()
    assert claims.raw_j is None
    claims.raw_j, claims.counter_j, claims.use_at_s, claims.roll_at_s = 7.5, 2.5, 1.25, 1.5
    claims.use = ProcessUse(busy={12: 0.5})
    claims.by_session["a"] = Claim(
        pid=12, born=99, active_since_s=3.5, due=Due(1, 2, True, False, True), open=Open(3, 4, 5), from_j=0.5
    )
    store.give_back(claims)
    assert store.take() == claims
    claims.by_session.clear()
    claims.use = ProcessUse(processes_n=3)
    store.give_back(claims)
    assert store.take() == claims
    store.give_back(claims)
    store.close()
    store.close()


def test_who_waits_too_long_is_told(store: ClaimsStore) -> None:
    store.take()
    with pytest.raises(MeterError, match="has held"):
        store.take()


def test_another_process_holds_the_file(tmp_path: Path) -> None:
    ours, theirs = ClaimsFile(tmp_path / "claims.json"), ClaimsFile(tmp_path / "claims.json")
    claims = ours.take()
    with pytest.raises(MeterError, match="another process has held"):
        theirs.take()
    ours.give_back(claims)
    theirs.give_back(theirs.take())


def test_a_process_that_dies_with_the_file_in_its_hands_lets_go_of_it(tmp_path: Path) -> None:
    path = tmp_path / "claims.json"
    dying = "import os, sys; from pathlib import Path; from sprout_like.meters.claims_file import ClaimsFile; "
    dying += "ClaimsFile(Path(sys.argv[1])).take(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", dying, str(path)], check=False)
    store = ClaimsFile(path)
    store.give_back(store.take())


@pytest.mark.parametrize(
    "content", [b"", b"half a li", b"{}\n", b"[[1],2,3]\n", b'[["c",1,2,3,4,null],null,{"a":[1]}]\n']
)
def test_a_file_that_makes_no_sense_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "claims.json"
    path.write_bytes(content)
    assert ClaimsFile(path).take().by_session == {}


def test_a_file_that_somebody_removed_is_not_written_on_unseen(tmp_path: Path) -> None:
    path = tmp_path / "claims.json"
    ours = ClaimsFile(path)
    ours.give_back(ours.take())
    path.unlink()
    claims = ours.take()
    claims.raw_j = 5.0
    ours.give_back(claims)
    assert ClaimsFile(path).take().raw_j == 5.0


def test_the_folder_is_this_user_s_alone_and_tells_boots_and_namespaces_apart(tmp_path: Path) -> None:
    host = open_host(tmp_path / "claims")
    assert host.problem is None
    assert host.folder.parent == tmp_path / "claims"
    assert stat.S_IMODE(host.folder.stat().st_mode) == 0o700
    store = host.store("GPU-1/../x")
    store.give_back(store.take())
    (file,) = host.folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("spoil", ["open to others", "a link", "a file"])
def test_a_folder_that_may_be_somebody_else_s_is_not_used(tmp_path: Path, spoil: str) -> None:
    folder = tmp_path / "claims"
    if spoil == "open to others":
        folder.mkdir()
        folder.chmod(0o777)
    elif spoil == "a link":
        (tmp_path / "theirs").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "theirs")
    else:
        folder.write_text("")
    host = open_host(folder)
    assert host.folder is None
    assert str(folder) in host.problem


def test_without_a_folder_it_says_so_once_and_works_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "claims").write_text("")
    registry = AccountsRegistry(open_host(tmp_path / "claims"))
    meter = FakeMeter([GPU])
    with caplog.at_level(logging.WARNING, "sprout_like"):
        accounts = registry.accounts(meter, options=MeterOptions(), clock=SystemClock(), period_s=300)
    assert "cannot tell each other" in caplog.text
    window = accounts.open(["GPU-1"])
    meter.draw("GPU-1", 5)
    energy = window.close()
    assert (energy.energy_j, energy.method) == (5, "measured")


def test_where_every_process_reads_its_own_part_nobody_needs_a_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "claims").write_text("")
    registry = AccountsRegistry(open_host(tmp_path / "claims"))
    registry.accounts(FakeMeter(), options=MeterOptions(), clock=SystemClock(), period_s=300)
    assert caplog.text == ""


def test_what_keeps_processes_from_dividing_a_gpu_is_told(tmp_path: Path) -> None:
    gpu = FakeGpu(uuid="GPU-1")
    good, bad = open_host(tmp_path / "claims"), Host(problem="it rains")
    assert list(hindrances(NvmlMeter(nvml=FakeNvml(gpu), pid=lambda: 1), good)) == []
    assert list(hindrances(FakeMeter(), bad)) == [], "each process reads its own part"
    (alone,) = hindrances(NvmlMeter(nvml=FakeNvml(gpu), pid=lambda: 1), bad)
    assert "it rains" in alone[0]
    (container,) = hindrances(NvmlMeter(nvml=FakeNvml(gpu), pid=lambda: None), good)
    assert "--pid=host" in container[1]


def test_claims_that_cannot_be_had_are_an_outage_and_end(tmp_path: Path) -> None:
    meter = FakeMeter([GPU])
    records = []
    accounts = Accounts(meter, clock=ManualClock(), host=Host(tmp_path))
    accounts.attach(records.append, owner="ledger")
    accounts.open(["GPU-1"], "ledger").close()
    other = ClaimsFile(tmp_path / "GPU-1.json")
    claims = other.take()
    window = accounts.open(["GPU-1"], "ledger")
    meter.draw("GPU-1", 9)
    other.give_back(claims)
    assert window.close() is UNKNOWN
    again = accounts.open(["GPU-1"], "ledger")
    meter.draw("GPU-1", 4)
    assert again.close().energy_j == 4
    accounts.close_period()
    assert (records[0].counter_j, records[0].requests_j, records[0].overhead_j) == (13, 4, 9)


def test_two_accounts_of_one_process_do_not_claim_a_gpu_twice(tmp_path: Path) -> None:
    clock, host = ManualClock(), Host(tmp_path)
    meter = FakeMeter([GPU], clock=clock)
    windows = [Accounts(meter, clock=clock, host=host).open(["GPU-1"]) for _ in range(2)]
    meter.draw("GPU-1", 10)
    assert [window.close().energy_j for window in windows] == [5, 5]


class ToldMeter(FakeMeter):
    """Whose driver tells what it is told to."""

    use = ProcessUse()
    asked = 0

    def process_use(self, device_id: str, span_s: float) -> ProcessUse:
        self.asked += 1
        return self.use


def test_a_share_by_the_driver_s_figures_is_uncertain_by_a_tick_the_counter_and_the_figures(tmp_path: Path) -> None:
    clock = ManualClock()
    gpu = fake_device("GPU-1", component="gpu", machine_wide=True, tick_s=0.1, relative_error=0.05)
    meter = ToldMeter([gpu], clock=clock)
    meter.use = ProcessUse(busy={1: 0.3, 99: 0.1})
    window = Accounts(meter, clock=clock, host=Host(tmp_path, pid=lambda: 1)).open(["GPU-1"])
    meter.draw("GPU-1", 400)
    clock.advance(10)
    energy = window.close()
    assert (energy.energy_j, energy.method) == (300, "apportioned")
    assert energy.uncertainty_j == pytest.approx(0.1 * 30 + 0.05 * 300 + 0.2 * 300)


def test_with_strangers_of_whom_nobody_tells_it_is_an_estimate_that_may_be_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    meter = ToldMeter([GPU], clock=clock)
    meter.use = ProcessUse(processes_n=2)
    accounts = Accounts(meter, clock=clock, host=Host(tmp_path))
    window = accounts.open(["GPU-1"])
    meter.draw("GPU-1", 400)
    energy = window.close()
    assert (energy.energy_j, energy.method, energy.uncertainty_j) == (400, "estimated", 400)
    meter.use = ProcessUse(processes_n=1)
    clock.advance(1)
    accounts.tick()
    again = accounts.open(["GPU-1"])
    assert again.close().method == "measured", "they have gone"


def test_in_company_it_looks_every_second_and_asks_the_driver_no_oftener_than_twice(tmp_path: Path) -> None:
    clock = ManualClock()
    meter = ToldMeter([GPU], clock=clock)
    meter.use = ProcessUse(busy={99: 0.5})
    accounts = Accounts(meter, clock=clock, host=Host(tmp_path))
    accounts.open(["GPU-1"]).close()
    clock.advance(0.25)
    accounts.open(["GPU-1"]).close()
    assert meter.asked == 1
    reads = meter.reads
    for _ in range(4):
        clock.advance(0.5)
        accounts.tick()
    assert (meter.asked, meter.reads - reads) == (3, 2)


def test_a_counter_that_falls_is_an_outage_for_every_process(tmp_path: Path) -> None:
    clock = ManualClock()
    meter = FakeMeter([GPU], clock=clock)
    accounts = [Accounts(meter, clock=clock, host=Host(tmp_path)) for _ in range(2)]
    windows = [each.open(["GPU-1"]) for each in accounts]
    meter.draw("GPU-1", -50)
    assert [window.close() for window in windows] == [UNKNOWN, UNKNOWN]
    again = accounts[1].open(["GPU-1"])
    meter.draw("GPU-1", 3)
    assert again.close().energy_j == 3


@pytest.mark.parametrize("now", [{1: 10}, {1: 10, 2: 21}], ids=["is gone", "is another of the same id"])
def test_who_is_gone_holds_nothing(tmp_path: Path, now: dict[int, int]) -> None:
    clock = ManualClock()
    meter = FakeMeter([GPU], clock=clock)
    born = {1: 10, 2: 20}
    here, there = (
        Accounts(meter, clock=clock, host=Host(tmp_path, pid=lambda pid=pid: pid, born_of=born.get)) for pid in (1, 2)
    )
    here.open(["GPU-1"]).close()
    there.open(["GPU-1"])
    born.clear()
    born.update(now)
    clock.advance(1)
    window = here.open(["GPU-1"])
    meter.draw("GPU-1", 6)
    energy = window.close()
    assert (energy.energy_j, energy.method) == (6, "measured")


def test_a_process_is_known_by_its_birth_too() -> None:
    born = process_born(os.getpid())
    assert born is not None
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    assert process_born(child.pid) >= born
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process_born(child.pid) is None, "a zombie is no process"
    child.communicate()
    assert process_born(child.pid) is None
