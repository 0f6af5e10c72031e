"""The processes of a host that meter the same device: each takes its turn at the counter, and none claims it all.

See docs/decisions/0031-one-device-several-processes.md.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sprout_like.errors import MeterError
from sprout_like.meters.claims import Claim, Claims, Open, Part, settle
from sprout_like.meters.claims_file import ClaimsFile, ClaimsInMemory, ClaimsStore
from sprout_like.meters.meter import Meter, ProcessUse, TellsUse

__all__ = ["Announcement", "Host", "Turn", "hindrances", "open_host", "process_born"]

_ASK_AGAIN_S: Final = 0.5
"""The driver is asked who uses a device at most this often, by all processes together."""

_ROLL_CALL_S: Final = 0.1
"""How long a process that was killed may go on drawing its share: each look at one costs 20 µs."""

_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the folder made in it is checked to be ours

UseOf = Callable[[str, float], ProcessUse]


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the others are told of a process' account of a device.

    Attributes:
        active: one of its windows is open. open: what is booked in its open account. from_j: where that began.
    """

    active: bool
    open: Open
    from_j: float


class Host:
    """What the processes of one user on one machine tell each other about the devices they meter.

    Processes of other users, and those in other containers, are not seen here; of them only the driver tells.

    Args:
        folder: where the claims are kept; None where they are kept in this process alone.
        problem: why there is no folder; None where there is one, or none is wanted.
        name: the machine, for the ledger.
        pid: id of this process.
        born_of: when a process began, in any unit; None where there is none of that id.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        problem: str | None = None,
        name: str | None = None,
        pid: Callable[[], int] = os.getpid,
        born_of: Callable[[int], int | None] | None = None,
    ) -> None:
        self.folder = folder
        self.problem = problem
        self.name = name or socket.gethostname()
        self._pid_now = pid
        self._born_of = born_of or process_born
        self._stores: dict[str, ClaimsStore] = {}
        self.restart()

    def restart(self) -> None:
        """Open everything anew; for a forked child, which has its own id, and would share its parent's locks."""
        for store in self._stores.values():
            store.close()
        self._stores = {}
        self._pid = self._pid_now()
        self._born = self._born_of(self._pid) or 0

    def turn(self, session: str, device_ids: Iterable[str]) -> Turn:
        """A turn at some devices, not begun yet."""
        return Turn(self, session, sorted(device_ids))

    def store(self, device_id: str) -> ClaimsStore:
        """Where the claims on a device are."""
        store = self._stores.get(device_id)
        if store is None:
            path = None if self.folder is None else self.folder / f"{re.sub(r'[^A-Za-z0-9-]', '_', device_id)}.json"
            store = self._stores.setdefault(device_id, ClaimsInMemory() if path is None else ClaimsFile(path))
        return store

    def new_claim(self, from_j: float) -> Claim:
        """Of this process."""
        return Claim(pid=self._pid, born=self._born, from_j=from_j)

    def gone(self, claims: Claims) -> set[str]:
        """Sessions of processes that are no more."""
        pids = {claim.pid: claim.born for claim in claims.by_session.values() if claim.pid != self._pid}
        born = {pid: self._born_of(pid) for pid in pids} | {self._pid: self._born}
        return {session for session, claim in claims.by_session.items() if born[claim.pid] != claim.born}


class Turn:
    """The time in which one process reads the counters of some devices and all others wait."""

    def __init__(self, host: Host, session: str, device_ids: Collection[str]) -> None:
        self._host, self._session, self._device_ids = host, session, device_ids
        self._held: dict[str, Claims] = {}

    def begin(self) -> None:
        """Wait for the others.

        Raises:
            MeterError: they take too long, or cannot be told.
        """
        for device_id in self._device_ids:  # sorted, so that no two processes wait for each other
            self._held[device_id] = self._host.store(device_id).take()

    def part(self, device_id: str, raw_j: float, now_s: float, use_of: UseOf | None) -> Part:
        """What this process is to book of what was drawn since anybody last looked.

        Args:
            device_id: one of the turn's.
            raw_j: its counter.
            now_s: the host's monotonic clock.
            use_of: asks who used a device in the last seconds; None where nobody tells.
        """
        claims = self._held[device_id]
        gone: Collection[str] = ()
        if self._session not in claims.by_session or _is_due(claims.roll_at_s, now_s, _ROLL_CALL_S):
            gone, claims.roll_at_s = self._host.gone(claims), now_s
        if use_of is not None and _is_due(claims.use_at_s, now_s, _ASK_AGAIN_S):
            span_s = 0.0 if claims.use_at_s is None else max(now_s - claims.use_at_s, 0.0)
            claims.use, claims.use_at_s = use_of(device_id, span_s), now_s
        return settle(
            claims,
            self._session,
            self._host.new_claim(claims.counter_j),
            raw_j=raw_j,
            use=claims.use,
            now_s=now_s,
            gone=gone,
        )

    def end(self, announcements: Mapping[str, Announcement], now_s: float) -> None:
        """Tell the others how things stand, and let them in; after a `begin` that failed, only the latter.

        Raises:
            MeterError: they could not be told.
        """
        problem: OSError | None = None
        for device_id in tuple(self._held):
            claims = self._held.pop(device_id)
            claim = claims.by_session.get(self._session)
            said = announcements.get(device_id)
            if claim is not None and said is not None:
                claim.open, claim.from_j = said.open, said.from_j
                if not said.active:
                    claim.active_since_s = None
                elif claim.active_since_s is None:
                    claim.active_since_s = now_s
            try:
                self._host.store(device_id).give_back(claims)
            except OSError as exc:
                problem = exc
        if problem is not None:
            raise MeterError(f"the claims on a device could not be written: {problem}") from problem


def open_host(folder: Path | None = None) -> Host:
    """The host as this machine allows; where processes cannot tell each other of themselves, `problem` says why.

    Args:
        folder: where to keep the claims; None for the machine's shared memory, or the folder of temporary files where
            there is none. It must belong to this user and be closed to others.
    """
    if sys.platform == "win32":
        return Host(problem="Windows has no lock that is quick enough")
    if folder is None:
        root = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
        folder = root / f"sprout-like-{os.geteuid()}"
    own = folder / _namespace()
    try:
        for path in (folder, own):
            path.mkdir(mode=0o700, exist_ok=True)
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
                return Host(problem=f"{path} is not a folder of this user that is closed to others")
    except OSError as exc:
        return Host(problem=f"{own} cannot be used: {exc}")
    return Host(own)


def hindrances(meter: Meter, host: Host | None = None) -> Iterator[tuple[str, str]]:
    """What keeps a meter's machine-wide counters from being divided rightly among processes, and what to do about it.

    Args:
        meter: what is read.
        host: where its processes meet; None for `open_host`.
    """
    wide = [device.id for device in meter.devices if device.machine_wide]
    if not wide:
        return
    problem = (host or open_host()).problem
    if problem is not None:
        yield f"processes on a GPU cannot tell each other so: {problem}", "Mend that, or run one process per GPU"
    if isinstance(meter, TellsUse) and any(meter.process_use(device_id, 0.0).busy is None for device_id in wide):
        yield (
            "the driver does not tell what each process uses of a GPU: those of this user share it equally, and of "
            "others only the number is known",
            "In a container, share the host's process ids (`docker run --pid=host …`); MIG instances have no figures",
        )


def process_born(pid: int) -> int | None:
    """When a process began, in the kernel's ticks since boot (elsewhere in ms); None where there is none of that id."""
    try:
        stat_file = os.open(f"/proc/{pid}/stat", os.O_RDONLY)  # twice as quick as a file object
        try:
            fields = os.read(stat_file, 1024).rpartition(b")")[2].split()
        finally:
            os.close(stat_file)
        return None if fields[0] in (b"Z", b"X") else int(fields[19])
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    except OSError:
        return None
    import psutil

    try:
        return int(psutil.Process(pid).create_time() * 1000)
    except psutil.Error:
        return None


def _is_due(last_s: float | None, now_s: float, every_s: float) -> bool:
    # Also where the clock is behind: it begins anew with the machine, and the file may outlive that.
    return last_s is None or not 0 <= now_s - last_s < every_s


def _namespace() -> str:
    """This boot and this pid namespace: process ids mean something only within."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii")
        return hashlib.sha256(f"{boot}{Path('/proc/self/ns/pid').readlink()}".encode()).hexdigest()[:16]
    except OSError:
        return "this-boot"
