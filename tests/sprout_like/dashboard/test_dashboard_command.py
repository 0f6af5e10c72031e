"""`sprout-like dashboard` as people start and end it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import httpx
import pytest

from sprout_like.cli.main import run
from tests.sprout_like.dashboard.ledgers import now_request, write
from tests.sprout_like.dashboard.served import serving

START = "from sprout_like.cli.main import run; run()"
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the command in a process of its own, away from the user's files and the network."""
    running: list[subprocess.Popen[str]] = []
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SPROUT_")}
    environment = {
        **clean,
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path),
        "SPROUT_GRID": "static:180",
        "SPROUT_METER": "none",
    }

    def command(*arguments: str, code: str = START, **more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", code, "dashboard", "--port", "0", *arguments],
            env={**environment, **more},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield command
    for process in running:
        process.kill()
        process.communicate()


def first_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.match(r"(http://\S+)  \(Ctrl-C ends it\)", line)
    assert found, line
    return found[1]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_ends_it_quietly(start: Start, ledger: Path, number: signal.Signals, code: int) -> None:
    write(ledger, [now_request(1)])
    process = start("--ledger", str(ledger))
    url = first_url(process)
    answers = (httpx.get(f"{url}api/traffic", trust_env=False).json() for _ in range(100))
    assert next(answer for answer in answers if "pending" not in answer)["requests_n"] == 1
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (code, "", "")


def test_a_ledger_that_is_not_there_yet_is_said_and_not_made(start: Start, ledger: Path) -> None:
    process = start("--ledger", str(ledger))
    url = first_url(process)
    assert httpx.get(url, trust_env=False).status_code == 200
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert err == f"ledger: there is none at {ledger} yet. The first request makes it\n"
    assert not ledger.exists()


def _folder(path: Path) -> None:
    path.mkdir()


def _text(path: Path) -> None:
    path.write_text("hello")


def _damaged(path: Path) -> None:
    write(path, [now_request(1)])
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 8192)


def _of_others(path: Path) -> None:
    with closing(connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")


def _newer(path: Path) -> None:
    write(path, [now_request(1)])
    with closing(connect(path)) as connection, connection:
        connection.execute("UPDATE sprout_like_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (_folder, "is a folder"),
        (_text, "is not a SQLite database, or damaged"),
        (_damaged, "is not a SQLite database, or damaged"),
        (_of_others, "holds tables, but no ledger"),
        (_newer, "has schema 9999, which this release does not know"),
    ],
)
def test_what_will_never_be_a_ledger_is_one_line(
    start: Start, ledger: Path, made: Callable[[Path], None], problem: str
) -> None:
    made(ledger)
    process = start("--ledger", str(ledger))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ledger: ")
    assert problem in err


def test_a_server_that_is_down_for_now_is_waited_for(start: Start) -> None:
    process = start("--ledger", "postgresql://me:hunter2@127.0.0.1:1/team")
    assert httpx.get(first_url(process), trust_env=False).status_code == 200
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert err.startswith("ledger: postgresql://127.0.0.1:1/team: ")
    assert "hunter2" not in err


@pytest.mark.postgres
def test_a_server_that_refuses_is_one_line(start: Start, postgres_url: str) -> None:
    process = start("--ledger", f"{postgres_url.rpartition('/')[0]}/no_such_database")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.count("\n")) == (2, "", 1)
    assert "there is no such database" in err


def test_with_a_token_the_next_url_is_printed_once_one_was_used(start: Start, ledger: Path) -> None:
    process = start("--ledger", str(ledger), "--token")
    url = first_url(process)
    assert process.stdout is not None
    assert httpx.get(url, trust_env=False).status_code == 303
    again = process.stdout.readline()
    assert again.startswith("Opened. For another browser: http://127.0.0.1:")
    assert url not in again


def test_a_taken_port_is_one_line(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as ended:
            run(["dashboard", "--ledger", str(ledger), "--port", str(port)])
    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert f"127.0.0.1 port {port}" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("host", ["203.0.113.1", "no such host", "a" * 300])
def test_an_address_that_is_not_this_machines_is_one_line(
    ledger: Path, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["dashboard", "--ledger", str(ledger), "--port", "0", "--host", host])
    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert "cannot listen at" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["https://board.example", "two words", "", "board.example:port", "a/b"])
def test_a_name_that_no_browser_sends_is_one_line(ledger: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["dashboard", "--ledger", str(ledger), "--port", "0", "--name", name])
    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert f"dashboard: {name!r} is no host name. Give --name as" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_what_is_not_installed_is_named(start: Start, package: str) -> None:
    process = start(code=f"import sys; sys.modules[{package!r}] = None; {START}")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"needs {package}" in err
    assert 'pip install "sprout-like[dashboard]"' in err


def test_nothing_is_left_running(ledger: Path) -> None:
    write(ledger, [now_request(1)])
    before = set(threading.enumerate())
    with serving(ledger) as board:
        assert board.get("/api/traffic").status_code == 200
        assert board.get("/api/jobs").status_code == 200
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(20)
    assert not [thread.name for thread in left if thread.is_alive()]
