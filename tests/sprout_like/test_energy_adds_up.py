"""Real runs, after which the ledger must add up: threads, streams, errors and batches; several processes on one GPU."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sprout_like import CarbonAware
from sprout_like.ledger import open_engine
from sprout_like.ledger.audit import CheckReport
from sprout_like.ledger.check import check
from sprout_like.meters.host import open_host
from sprout_like.meters.testing import FakeNvmlFile


def checked(ledger: Path) -> CheckReport:
    engine = open_engine(str(ledger))
    report = check(engine)
    engine.dispose()
    return report


def test_threads_streams_errors_batches_and_jobs_on_a_model(tiny_model: Any, tokenizer: Any, tmp_path: Path) -> None:
    from transformers import TextIteratorStreamer

    path = tmp_path / "ledger.sqlite"
    with CarbonAware(tiny_model, tokenizer, grid="static:200", policy="full", meter="cpu", ledger=str(path)) as aware:
        one = tokenizer("One two three", return_tensors="pt")
        batch = tokenizer(["One two three"] * 3, return_tensors="pt")

        def stream() -> None:
            streamer = TextIteratorStreamer(tokenizer, timeout=60)
            aware.generate(**one, streamer=streamer, max_new_tokens=6)
            assert list(streamer)

        def fail() -> None:
            with pytest.raises(RuntimeError, match="ran out"):
                aware.generate(**one, max_new_tokens=6, stopping_criteria=[failing])

        def failing(*_: Any) -> None:
            raise RuntimeError("the disk ran out")

        def serve(kind: int) -> None:
            if kind == 0:
                aware.generate(**one, max_new_tokens=6)
            elif kind == 1:
                aware.generate(**batch, max_new_tokens=6)
            elif kind == 2:
                stream()
            else:
                fail()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(serve, list(range(4)) * 3))
        aware.submit(["What causes the tides?", "Why is the sky blue?"], deadline="+8h", limit_tokens=6)
        aware.worker().run(until_empty=True)
    report = checked(path)

    assert report.findings == ()
    assert (report.requests, report.open_requests, report.unmetered) == (14, 0, 0)
    assert {hour.device_id for hour in report.hours} == {"cpu:process", "dram:process"}
    assert all(hour.requests_j > 0 and hour.host for hour in report.hours)


def after(change: str, ledger: Path) -> CheckReport:
    """What a check finds in a copy whose accounts were changed."""
    copy = ledger.with_name("copy.sqlite")
    shutil.copy(ledger, copy)
    with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute(f"UPDATE energy_accounts SET {change} WHERE requests_n > 0")
    return checked(copy)


PROCESS = """
import os, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from sprout_like import CarbonAware, Settings
from sprout_like.meters import NvmlMeter
from sprout_like.meters.testing import FakeNvmlFile
from sprout_like.testing import NullEngine

folder, uuid = Path(sys.argv[1]), sys.argv[2]
runs = iter(range(1000))

def run():
    time.sleep(0.002)
    if next(runs) % 5 == 4:
        raise RuntimeError("no luck")

def client(_):
    for _ in range(8):
        with suppress(RuntimeError):
            aware.generate()

meter = NvmlMeter(nvml=FakeNvmlFile(folder / "gpu.json", uuid=uuid), pid=os.getpid)
with CarbonAware(
    None, engine=NullEngine(devices=(uuid,), on_run=run), grid=250, policy="full", meter=meter,
    ledger=str(folder / "ledger.sqlite"), settings=Settings.load(spool=folder / f"spool-{os.getpid()}.sqlite"),
) as aware:
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(client, range(3)))
    print("done", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def gpu(tmp_path: Path) -> Iterator[FakeNvmlFile]:
    """A GPU that several processes see, and no other test's."""
    unique = f"GPU-{uuid.uuid4()}"
    nvml = FakeNvmlFile(tmp_path / "gpu.json", uuid=unique)
    nvml.gpu.busy = None
    nvml.write()
    yield nvml
    folder = open_host().folder
    if folder is not None:
        (folder / f"{unique}.json").unlink(missing_ok=True)


def test_two_processes_on_one_gpu_and_one_ledger(tmp_path: Path, gpu: FakeNvmlFile) -> None:
    command = [sys.executable, "-W", "error", "-c", PROCESS, str(tmp_path), gpu.gpu.uuid]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(2)]
    over = threading.Event()

    def power() -> None:
        while not over.wait(0.002):
            gpu.gpu.draw(0.6)
            gpu.write()

    for process in processes:
        assert process.stdout.readline() == "ready\n"
    thread = threading.Thread(target=power)
    thread.start()
    for said in ("go\n", "close\n"):
        for process in processes:
            process.stdin.write(said)
            process.stdin.flush()
        if said == "go\n":
            assert [process.stdout.readline() for process in processes] == ["done\n"] * 2
            over.set()
            thread.join()
    for process in processes:
        process.communicate()
    report = checked(tmp_path / "ledger.sqlite")

    assert report.findings == ()
    assert (report.requests, report.open_requests) == (48, 0)
    here_j = sum(hour.counter_j for hour in report.hours)
    assert here_j == pytest.approx(sum(hour.host_counter_j or 0.0 for hour in report.hours), rel=0.01)
    assert sum(hour.requests_j for hour in report.hours) > 0
    for change in (
        "counter_j = counter_j * 1.05",
        "requests_j = requests_j * 1.05",
        "idle_j = idle_j + 5",
        "requests_n = requests_n + 1",
        "overhead_j = overhead_j - 0.1",
        # As if one process claimed the whole of it, with all parts of its account in order.
        "counter_j = counter_j + host_to_j - host_from_j, idle_j = idle_j + host_to_j - host_from_j",
        "host_to_j = host_from_j",
        "host_from_j = NULL",
        "ended_utc = '1999-01-01 00:00:00.000000'",
    ):
        assert not after(change, tmp_path / "ledger.sqlite").ok, change
