"""How long the dashboard's page takes on a ledger: `python -m benchmarks.dashboard_time LEDGER [--chromium FILE]`.

The first answer of each kind is told apart from those that follow, for which what is over was added up before. No
answer is one that was remembered from the one before. The clock stands at the ledger's last request. `sprout-like
report` or the dashboard itself has added its hours up before; `--first` tells how long that takes here.

Apart from the server's answers, with a Chromium: a page's first paint, and the time from the request for it until every
part of it is drawn, in a browser that has the page's files already and in one that was never there. Just after the
start, `at_start` tells how long the page and its answers take while everything is still being added up.
"""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

import httpx
from sqlalchemy import func, select

from benchmarks.harness import write_result
from grid import Grid
from grid.testing import ScriptedSource
from sprout_like.dashboard.dashboard import Listening, opened_dashboard
from sprout_like.dashboard.span import SPANS
from sprout_like.ledger.open import open_engine
from sprout_like.ledger.rollups.roller import roll_up
from sprout_like.ledger.schema import RequestRow
from sprout_like.settings import Settings

TIMES = 7
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
DRAWN = """() => [...document.querySelectorAll('main .card')].every((card) => !card.textContent.includes(' …'))
  && document.getElementById('state').dataset.state === 'live' && performance.now()"""


class Standing:
    """A clock of which the time of day stands still."""

    def __init__(self, now_utc: datetime) -> None:
        self._now_utc = now_utc

    def now_utc(self) -> datetime:
        """When it stopped."""
        return self._now_utc

    def monotonic_s(self) -> float:
        """Goes on."""
        return perf_counter()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ledger", metavar="FILE|URL")
    parser.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"))
    parser.add_argument("--first", action="store_true", help="add the hours up first, and say how long it takes")
    options = parser.parse_args()
    engine = open_engine(options.ledger)
    with engine.connect() as connection:
        last_utc = connection.scalar(select(func.max(RequestRow.started_utc)))
        rows = connection.scalar(select(func.count()).select_from(RequestRow))
    now_utc = last_utc + timedelta(seconds=1)
    found: dict[str, Any] = {"database": engine.dialect.name, "rows": rows, "load_before": os.getloadavg()[0]}
    if options.first:
        begun_s = perf_counter()
        print(f"adding up: {roll_up(engine, now_utc=now_utc)} in {perf_counter() - begun_s:.1f} s")
        found["adding_up_s"] = round(perf_counter() - begun_s, 1)
    with (
        served(options.ledger, Standing(now_utc), patience_s=0.2) as base,
        httpx.Client(base_url=base, timeout=600, trust_env=False) as client,
    ):
        paths = ("/", "/api/now", "/api/traffic?span=day", "/api/saving?span=day", "/api/jobs", "/api/health")
        found["at_start_ms"] = {path: round(timed(client, path, rest_s=0), 1) for path in paths}
        print(f"just after the start: {found['at_start_ms']}")
    print(f"{rows:,} requests, {engine.dialect.name}; first, then median and longest of {TIMES}, in ms")
    answers: dict[str, Any] = {}
    with served(options.ledger, Standing(now_utc), patience_s=600.0) as base:
        with httpx.Client(base_url=base, timeout=600, trust_env=False) as client:
            for name in SPANS:
                show(answers, f"traffic, {name}", lambda name=name: timed(client, f"/api/traffic?span={name}"))
            for name in SPANS:
                show(answers, f"saving, {name}", lambda name=name: timed(client, f"/api/saving?span={name}"))
            for name in ("now", "jobs", "health"):
                show(answers, name, lambda name=name: timed(client, f"/api/{name}"))
            show(answers, "page itself", lambda: timed(client, "/"))
        found["answers_ms"] = answers
        if options.chromium.exists():
            pages: dict[str, Any] = {}
            with page_timer(options.chromium, base) as load:
                for name in SPANS:
                    show(pages, f"drawn, {name}", lambda name=name: load(name)[1])
                show(pages, "first paint", lambda: load("day")[0])
                show(pages, "drawn, never here", lambda: load("day", fresh=True)[1])
    found["browser_ms"] = pages if options.chromium.exists() else None
    found["load_after"] = os.getloadavg()[0]
    write_result(f"dashboard_time_{engine.dialect.name}", found)


def show(into: dict[str, Any], name: str, once: Callable[[], float]) -> None:
    """One line."""
    first, found = once(), [once() for _ in range(TIMES)]
    into[name] = {"first": round(first, 1), "p50": round(median(found), 1), "max": round(max(found), 1), "n": TIMES}
    print(f"  {name:<20}{first:8.0f}{median(found):8.0f}{max(found):8.0f}", flush=True)


def timed(client: httpx.Client, path: str, *, rest_s: float = 0.4) -> float:
    """In ms."""
    sleep(rest_s)  # longer than an answer is remembered
    begun_s = perf_counter()
    client.get(path).raise_for_status()
    return 1000 * (perf_counter() - begun_s)


@contextmanager
def page_timer(chromium: Path, base: str) -> Iterator[Callable[..., tuple[float, float]]]:
    """Opens the page on a span and gives when something was painted, and when all was drawn, in ms."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox", "--disable-gpu"])
        known = browser.new_page()

        def load(name: str, *, fresh: bool = False) -> tuple[float, float]:
            sleep(0.4)
            page = browser.new_context().new_page() if fresh else known
            page.goto(f"{base}/?span={name}")
            drawn = float(page.wait_for_function(DRAWN, polling=5, timeout=600_000).json_value())
            painted = float(page.evaluate(PAINTED))
            if fresh:
                page.context.close()
            return painted, drawn

        load("hour")  # the browser's own start
        yield load
        browser.close()


@contextmanager
def served(ledger: str, clock: Standing, *, patience_s: float) -> Iterator[str]:
    """A dashboard that soon forgets."""
    up = threading.Event()
    with opened_dashboard(
        Settings.load(ledger=ledger, meter="none", grid="static:200"),
        Listening(port=0),
        started=up.set,
        used=print,
        clock=clock,
        grid=lambda: Grid(ScriptedSource(200.0), "GB", now_utc=clock.now_utc),
        poll_s=1.0,
        patience_s=patience_s,
    ) as dashboard:
        thread = threading.Thread(target=dashboard.server.run)
        thread.start()
        up.wait()
        try:
            yield dashboard.url.rstrip("/")
        finally:
            dashboard.server.stop()
            thread.join()


if __name__ == "__main__":
    main()
