"""A PostgreSQL server for tests and benchmarks: real, on a free loopback port, gone afterwards."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["PostgresServer", "find_postgres", "temporary_postgres"]

_USER = "sprout"


class PostgresServer:
    """One server with a password, which can be stopped and started again."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries = binaries
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user = _unprivileged() if os.geteuid() == 0 else {}
        self.password = secrets.token_hex(8)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

        password_file = folder / "password"
        password_file.write_text(self.password)
        for path in (folder, password_file) if self._as_user else ():
            os.chown(path, self._as_user["user"], self._as_user["group"])
        arguments = ["-D", str(folder / "data"), "-U", _USER, "-A", "scram-sha-256", f"--pwfile={password_file}"]
        arguments += ["--locale=C", "-E", "UTF8", "--no-sync"]
        subprocess.run(
            [binaries / "initdb", *arguments], check=True, stdout=subprocess.DEVNULL, cwd=folder, **self._as_user
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self._folder,
            "fsync": "off",  # it never has to survive a power cut
            "timezone": "Asia/Kolkata",  # stamps must come back in UTC all the same
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        log_file = self._folder / "server.log"
        with log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._folder / "data", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._as_user,
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log_file.read_text())
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once, cutting every connection."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def url(self, database: str, *, user: str = _USER, password: str | None = None) -> str:
        """URL of a database of this server."""
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Create an empty database; returns its URL."""
        name = f"db_{secrets.token_hex(6)}"
        with self._connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def _connect(self) -> Any:
        import psycopg

        return psycopg.connect(self.url("postgres"), autocommit=True)

    def _answers(self) -> bool:
        import psycopg

        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True


def _unprivileged() -> dict[str, Any]:
    """Whom to run the server as: it refuses root."""
    accounts = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = accounts.get("postgres") or accounts["nobody"]
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def find_postgres() -> Path | None:
    """Folder of `initdb` and `postgres`; Debian keeps them off the PATH."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    return newest.parent if newest else None


@contextmanager
def temporary_postgres(binaries: Path) -> Iterator[PostgresServer]:
    """A running server in a folder of its own, both gone afterwards.

    Args:
        binaries: folder of `initdb` and `postgres`, from `find_postgres`.

    Raises:
        RuntimeError: it did not start; the message is its log.
    """
    # Not under pytest's folders, which are closed to the unprivileged user.
    folder = Path(tempfile.mkdtemp(prefix="sprout-pg-"))
    server = None
    try:
        server = PostgresServer(binaries, folder)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
