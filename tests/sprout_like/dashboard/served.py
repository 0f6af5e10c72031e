"""Dashboards that really serve, on free loopback ports."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from grid import Grid, Source
from grid.clock import utc_now
from grid.testing import ScriptedSource
from sprout_like.dashboard.assets import read_assets
from sprout_like.dashboard.dashboard import Listening, opened_dashboard
from sprout_like.settings import Settings


@dataclass(frozen=True)
class Served:
    """A dashboard that answers.

    Attributes:
        url: as it was printed. base: without a token. new_urls: printed since, when a token was used.
    """

    url: str
    stop: Callable[[], object]
    new_urls: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 80

    @property
    def script(self) -> str:
        """The address of one of the page's files."""
        return next(path for path in read_assets() if path.endswith("/main.js"))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(self.base + path, timeout=20, trust_env=False, **options)

    def raw(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> httpx.Response:
        """Sends exactly that path and those headers: no client tidies it up."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": f"127.0.0.1:{self.port}", **(headers or {})}.items():
                connection.putheader(name, value)
            connection.endheaders()
            if body:
                connection.send(body)
            answer: HTTPResponse = connection.getresponse()
            return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())
        finally:
            connection.close()


@contextmanager
def serving(
    ledger: str | Path, *, source: Source | None = None, poll_s: float = 0.2, **listening: Any
) -> Iterator[Served]:
    """A dashboard in a thread of this process, and no thread of it afterwards."""
    asked = source or ScriptedSource(150.0)
    settings = Settings.load(
        ledger=str(ledger), spool=Path(ledger).with_suffix(".spool"), meter="none", grid="static:1"
    )
    up, new_urls = threading.Event(), []
    with opened_dashboard(
        settings,
        Listening(port=0, **listening),
        started=up.set,
        used=new_urls.append,
        grid=lambda: Grid(asked, "GB", now_utc=utc_now),
        poll_s=poll_s,
        patience_s=20.0,
    ) as dashboard:
        thread = threading.Thread(target=dashboard.server.run, name="dashboard-under-test")
        thread.start()
        try:
            assert up.wait(20)
            yield Served(dashboard.url, dashboard.server.stop, new_urls)
        finally:
            dashboard.server.stop()
            thread.join(20)
    assert not thread.is_alive()
