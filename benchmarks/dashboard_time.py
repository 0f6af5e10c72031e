"""How long the dashboard's page takes on a ledger: `python -m benchmarks.dashboard_time LEDGER [--chromium FILE]`.

The first answer of each kind is told apart from those that follow, for which what is over was added up before. No
answer is one that was remembered from the one before. The clock stands at the ledger's last request. `sprout-like
report` or the dashboard itself has added its hours up before; `--first` tells how long that takes here. With a
Chromium, the whole page is timed too: from the request for it until every part of it is drawn.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import httpx
from sqlalchemy import func, select

from grid import Grid
from grid.testing import ScriptedSource
from sprout_like.dashboard.dashboard import Listening, opened_dashboard
from sprout_like.dashboard.span import SPANS
from sprout_like.ledger.open import open_engine
from sprout_like.ledger.rollups.roller import roll_up
from sprout_like.ledger.schema import RequestRow
from sprout_like.settings import Settings

TIMES = 7
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
    if options.first:
        begun_s = perf_counter()
        print(f"adding up: {roll_up(engine, now_utc=now_utc)} in {perf_counter() - begun_s:.1f} s")
    print(f"{rows:,} requests, {engine.dialect.name}; first, then median and longest of {TIMES}, in ms")
    with served(options.ledger, Standing(now_utc)) as base:
        with httpx.Client(base_url=base, timeout=600, trust_env=False) as client:
            for name in SPANS:
                show(f"traffic, {name}", lambda name=name: timed(client, f"/api/traffic?span={name}"))
            for name in SPANS:
                show(f"saving, {name}", lambda name=name: timed(client, f"/api/saving?span={name}"))
            for name in ("now", "jobs", "health"):
                show(name, lambda name=name: timed(client, f"/api/{name}"))
        if options.chromium.exists():
            with page_timer(options.chromium, base) as page:
                for name in SPANS:
                    show(f"whole page, {name}", lambda name=name: page(name))


def show(name: str, once: Callable[[], float]) -> None:
    """One line."""
    first, found = once(), [once() for _ in range(TIMES)]
    print(f"  {name:<20}{first:8.0f}{median(found):8.0f}{max(found):8.0f}", flush=True)


def timed(client: httpx.Client, path: str) -> float:
    """In ms."""
    sleep(0.4)  # longer than an answer is remembered
    begun_s = perf_counter()
    client.get(path).raise_for_status()
    return 1000 * (perf_counter() - begun_s)


@contextmanager
def page_timer(chromium: Path, base: str) -> Iterator[Callable[[str], float]]:
    """Opens the page, or turns it to another span, and gives how long it took in ms."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()

        def load(name: str) -> float:
            page.goto(f"{base}/?span={name}")
            return float(page.wait_for_function(DRAWN, polling=5, timeout=600_000).json_value())

        load("hour")  # the browser's own start
        yield load
        browser.close()


@contextmanager
def served(ledger: str, clock: Standing) -> Iterator[str]:
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
        patience_s=600.0,
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
