"""A PostgreSQL server for the tests that need one; for all, folders of their own and the log as it was."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator

import pytest

from sprout_like.ledger.testing_postgres import PostgresServer, find_postgres, temporary_postgres


def pytest_configure() -> None:
    """Let Ctrl-C interrupt here too where the tests run in the background of a shell, which ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_cache_of_the_users(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Intensities that one test or the user's own programs kept are nobody else's."""
    monkeypatch.setenv("SPROUT_GRID_CACHE", str(tmp_path_factory.mktemp("grid-cache")))


@pytest.fixture(autouse=True)
def no_ledger_of_the_users(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that names no ledger neither writes into the user's nor stumbles over what a newer release left there."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))


@pytest.fixture(autouse=True)
def no_proxy_before_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that the environment names knows nothing of the servers that tests start."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """A command run in somebody's process leaves their log as loud as it was; so does every test."""
    logs = [logging.getLogger(name) for name in ("sprout_like", "grid", "directives")]
    levels = [log.level for log in logs]
    yield
    assert [log.level for log in logs] == levels


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The server, running. A test that stops it starts it again."""
    pytest.importorskip("psycopg", reason="no psycopg: pip install 'sprout-like[postgres]'")
    binaries = find_postgres()
    if binaries is None:
        pytest.skip("no PostgreSQL server: no initdb on the PATH or in /usr/lib/postgresql (apt install postgresql)")
    with temporary_postgres(binaries) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """URL of an empty database."""
    return postgres_server.create_database()
