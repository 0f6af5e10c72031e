"""`sprout-like jobs worker`, on a fake server: jobs run through all of it, and signals lose nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from sprout_like.jobs.testing_server import ChatServer
from sprout_like.jobs.working.opening import opened_worker
from sprout_like.settings import Settings
from tests.sprout_like.cli.jobs_queue import opened

Command = Callable[..., Any]

PROMPTS = 6


@pytest.fixture
def ledger(place: Path, sprout_like: Command, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger with one job, and settings that need neither a network nor a meter."""
    for name, value in (("GRID", "static:150"), ("METER", "none"), ("POLICY", "full"), ("LEDGER", "ledger.sqlite")):
        monkeypatch.setenv(f"SPROUT_{name}", value)
    lines = [{"prompt": f"question {n}", "id": f"q{n}"} for n in range(PROMPTS)]
    (place / "prompts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    outcome = sprout_like(
        *("jobs", "submit", "prompts.jsonl", "--deadline", "+8h", "--model", "fake", "--out", "answers.jsonl")
    )
    assert outcome.code == 0
    return place / "ledger.sqlite"


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[[ChatServer], None]:
    def use(server: ChatServer) -> None:
        monkeypatch.setenv("SPROUT_ENGINE_URL", f"{server.url}/v1")

    return use


def test_submitted_run_and_written(
    sprout_like: Command, ledger: Path, place: Path, ask: Callable[[ChatServer], None]
) -> None:
    with ChatServer() as server:
        ask(server)
        outcome = sprout_like("jobs", "worker", "--engine", "openai", "--model", "fake", "--once", "--at-once")
    results = [json.loads(line) for line in (place / "answers.jsonl").read_text().splitlines()]

    assert outcome.code == 0
    assert outcome.out.startswith(f"{PROMPTS} items answered, ")
    assert "stopped" in outcome.err
    assert [line["id"] for line in results] == [f"q{n}" for n in range(PROMPTS)]
    assert all(line["text"] and line["error"] is None for line in results)
    assert f"{PROMPTS}/{PROMPTS}" in sprout_like("jobs", "list").out
    assert sprout_like("jobs", "results", job_id(ledger)).code == 0


def test_what_a_worker_runs_is_in_its_metrics(ledger: Path, ask: Callable[[ChatServer], None]) -> None:
    pytest.importorskip("prometheus_client")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with ChatServer() as server:
        ask(server)
        settings = Settings.load(metrics_port=port)
        with opened_worker(settings, model="fake", engine="openai", at_once=True) as worker:
            worker.run(until_empty=True)
            found: list[str] = []
            while not found:  # told about once a second
                told = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
                found = [line for line in told.splitlines() if line.startswith("sprout_like_requests_total{")]
    assert sum(float(line.rpartition(" ")[2]) for line in found) == PROMPTS
    assert all('purpose="job"' in line for line in found)
    assert "sprout_like_policy_info" not in told
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)


def left_by(sprout_like: Command, ask: Callable[[ChatServer], None]) -> list[str]:
    """What a worker of the model `fake` in Great Britain says when it has ended, after its own work."""
    with ChatServer() as server:
        ask(server)
        outcome = sprout_like(
            *("jobs", "worker", "--engine", "openai", "--model", "fake", "--zone", "GB", "--once", "--at-once")
        )
    assert outcome.code == 0
    first, *others = outcome.out.splitlines()
    assert first.startswith(f"{PROMPTS} items answered, ")
    return others


def test_a_worker_that_ends_names_the_jobs_that_wait_for_others(
    sprout_like: Command, ledger: Path, ask: Callable[[ChatServer], None]
) -> None:
    submit = ("jobs", "submit", "prompts.jsonl", "--deadline", "+8h", "--model")
    for options in (
        ("org/other",),
        ("org/other", "--engine", "padded"),
        ("org/third",),
        ("fake", "--engine", "padded"),
        ("fake", "--zones", "FR,DE"),
    ):
        assert sprout_like(*submit, *options).code == 0
    with opened(ledger) as queue:
        (third,) = (job for job in queue.jobs() if job.model == "org/third")
        queue.pause(third.job_id)  # it waits for its owner, not for a worker

    assert left_by(sprout_like, ask) == [
        "4 open jobs wait for another worker: 2 for org/other, 1 for fake in DE or FR, 1 for fake with engine padded."
    ]


def test_one_job_that_waits_for_another_worker(
    sprout_like: Command, ledger: Path, ask: Callable[[ChatServer], None]
) -> None:
    sprout_like("jobs", "submit", "prompts.jsonl", "--deadline", "+8h", "--model", "org/other")
    assert left_by(sprout_like, ask) == ["1 open job waits for another worker: 1 for org/other."]


def test_a_worker_that_leaves_nothing_says_nothing_of_it(
    sprout_like: Command, ledger: Path, ask: Callable[[ChatServer], None]
) -> None:
    assert left_by(sprout_like, ask) == []


def job_id(ledger: Path) -> str:
    with opened(ledger) as queue:
        (job,) = queue.jobs()
    return job.job_id


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "sprout_like", "jobs", "worker", "--engine", "openai", "--model", "fake"]
    started = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_lets_the_batch_under_way_be_finished(
    ledger: Path, ask: Callable[[ChatServer], None], number: signal.Signals, code: int
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        asked.set()
        go_on.wait(60)

    with ChatServer(hold=hold) as server:
        ask(server)
        with running("--at-once", "--batch-size", "2") as worker:
            assert asked.wait(60)
            os.kill(worker.pid, number)
            go_on.set()
            out, err = worker.communicate(timeout=60)
    with opened(ledger) as queue:
        standing = queue.standing(job_id(ledger))

    assert worker.returncode == code, err
    assert "Traceback" not in err
    assert out.startswith("2 items answered, ")
    assert (standing.done_n, standing.leased_n, standing.waiting_n) == (2, 0, PROMPTS - 2)


def test_a_worker_without_a_server_address_says_what_to_set(sprout_like: Command, ledger: Path) -> None:
    outcome = sprout_like("jobs", "worker", "--engine", "openai", "--model", "fake", "--once")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "engine_url" in outcome.err
