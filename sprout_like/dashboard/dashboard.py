"""The dashboard with all its parts, from its opening to its end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from grid import Grid
from sprout_like.background import Background
from sprout_like.clock import Clock, SystemClock
from sprout_like.dashboard.access import Access
from sprout_like.dashboard.app import build_app
from sprout_like.dashboard.data import Data, Parts
from sprout_like.dashboard.database import ReadOnlyDatabase
from sprout_like.dashboard.grid_now import GridWatch
from sprout_like.dashboard.guard import LOOPBACK, Hosts, host_name, is_loopback
from sprout_like.dashboard.rolling import Rolling
from sprout_like.dashboard.serving import Server, listen
from sprout_like.errors import SettingError
from sprout_like.grids import open_grid
from sprout_like.ledger.open import ledger_address, ledger_spool
from sprout_like.settings import Settings

__all__ = ["Dashboard", "Listening", "opened_dashboard"]

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, never listened at by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where the dashboard is reached, and by whom.

    Attributes:
        host: address to listen at. port: 0 for any free one.
        token: ask for a token on loopback too; anywhere else one is asked for in any case.
        names: other names that it is asked by, such as that of a proxy before it.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token: bool = False
    names: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One that is about to serve.

    Attributes:
        url: to open in a browser; with a token, it is good once.
        server: to be run. note: why there is nothing to be seen yet; None where there is.
    """

    url: str
    server: Server
    note: str | None


@contextmanager
def opened_dashboard(
    settings: Settings,
    listening: Listening,
    *,
    started: Callable[[], object],
    used: Callable[[str], object],
    clock: Clock | None = None,
    grid: Callable[[], Grid] | None = None,
    poll_s: float = 5.0,
    patience_s: float = 0.2,
) -> Iterator[Dashboard]:
    """One on the ledger and the grid of the settings; nothing of it is left at the end.

    Args:
        settings: whose ledger, grid, meter and site.
        listening: where.
        started: called once requests are answered.
        used: called with the next URL once a token was used.
        clock: None for the machine's own.
        grid: opens the grid; None for that of the settings.
        poll_s: how often the page asks, in s.
        patience_s: as of `Parts`.

    Raises:
        SettingError: it cannot listen there, a name is none, or the ledger is none and will not become one.
        LedgerVersionError: the ledger was written by another release.
    """
    clock = clock or SystemClock()
    url, hosts = ledger_address(settings.ledger_spec), _hosts(listening)
    with closing(ReadOnlyDatabase(url)) as database:
        note = database.first_look()
        sock = listen(listening.host, listening.port)
        port = int(sock.getsockname()[1])
        base = f"http://{_shown(listening.host)}:{port}/"
        open_to_all = is_loopback(listening.host) and not listening.token
        access = None if open_to_all else Access(port, lambda token: used(f"{base}?token={token}"))
        with closing(GridWatch(grid or (lambda: open_grid(settings)), clock)) as watch:
            parts = Parts(database, ledger_spool(url, settings.spool), watch, settings, clock, poll_s, patience_s)
            rolling = Rolling(database, url, clock)
            # Threads of their own: neither waits for the other's network or database.
            with (
                closing(Data(parts)) as data,
                closing(Background({"grid": watch.tick}, patient=False)),
                closing(Background({"hours": rolling.tick}, patient=False)),
            ):
                app = build_app(data, hosts, access)
                server = Server(app, sock, started=started, ending=database.interrupt)
                yield Dashboard(base if access is None else f"{base}?token={access.token}", server, note)


def _hosts(listening: Listening) -> Hosts:
    given = {listening.host.lower(), *map(_named, listening.names)}
    if listening.host not in _EVERYWHERE:
        return Hosts(LOOPBACK | given)
    return Hosts(LOOPBACK | given | {socket.gethostname().lower(), socket.getfqdn().lower()}, any_address=True)


def _named(name: str) -> str:
    found = host_name(f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name)
    if found is None:
        raise SettingError("dashboard", f"{name!r} is no host name", "Give --name as browsers send it: a.example.org")
    return found


def _shown(host: str) -> str:
    """As it is written in a URL."""
    if host in _EVERYWHERE:
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
