"""Where the processes of a host keep their claims on one device: a small file that one of them holds at a time."""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from pathlib import Path
from typing import Any, Final, Protocol

from sprout_like.errors import MeterError
from sprout_like.meters.claims import Claim, Claims, Due, Open
from sprout_like.meters.meter import ProcessUse

__all__ = ["ClaimsFile", "ClaimsInMemory", "ClaimsStore"]

_WAIT_S: Final = 0.5
"""Who holds the file does so for one reading of the counter; one that was stopped meanwhile is not waited for."""

_RETRY_S: Final = 0.0002
_LARGEST: Final = 1 << 20


class ClaimsStore(Protocol):
    """Holds the claims on one device."""

    def take(self) -> Claims:
        """Keep everybody else out, and give the claims.

        Raises:
            MeterError: another holds them for too long, or they cannot be reached.
        """
        ...

    def give_back(self, claims: Claims) -> None:
        """Keep the claims as they are now, and let others in.

        Raises:
            OSError: they could not be written.
        """
        ...

    def close(self) -> None:
        """Let go of it without a word to the others; safe to call twice."""
        ...


class ClaimsInMemory:
    """For one process alone, where there is nothing to share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims = _new()

    def take(self) -> Claims:
        """The claims themselves."""
        _acquire(self._lock)
        return self._claims

    def give_back(self, claims: Claims) -> None:
        """Let others in."""
        self._claims = claims
        self._lock.release()

    def close(self) -> None:
        """Nothing to let go of."""


class ClaimsFile:
    """One line of JSON under a lock on the open file.

    The lock is `flock` itself: `filelock` opens the file anew each time, which takes 76 µs against 1 µs. The line is
    written by one call over the last one, which a process that is killed has either made or not.

    Args:
        path: the file; made where it is missing, for this user alone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.Lock()
        self._fd: int | None = None

    def take(self) -> Claims:
        """The claims as the last process left them; new ones where there are none, or where they make no sense."""
        _acquire(self._threads)
        try:
            return _decoded(os.pread(self._locked(), _LARGEST, 0))
        except OSError as exc:
            self.close()
            self._threads.release()
            raise MeterError(f"the claims of other processes cannot be read: {exc}") from exc
        except BaseException:
            self.close()
            self._threads.release()
            raise

    def give_back(self, claims: Claims) -> None:
        """Write, and unlock."""
        import fcntl

        try:
            if self._fd is not None:
                os.pwrite(self._fd, _encoded(claims), 0)
                fcntl.flock(self._fd, fcntl.LOCK_UN)
        except OSError:
            self.close()
            raise
        finally:
            self._threads.release()

    def close(self) -> None:
        """Close the file, and so unlock it if nobody else has this same one open."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _locked(self) -> int:
        import fcntl

        give_up_s = time.monotonic() + _WAIT_S
        while True:
            if self._fd is None:
                self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > give_up_s:
                    raise MeterError(f"another process has held {self._path} for {_WAIT_S:g} s") from None
                time.sleep(_RETRY_S)
                continue
            if os.fstat(self._fd).st_nlink:
                return self._fd
            self.close()  # somebody tidied up: those who come now have another file


def _acquire(lock: threading.Lock) -> None:
    if not lock.acquire(timeout=_WAIT_S):
        raise MeterError(f"another thread has held the claims for {_WAIT_S:g} s")


def _new() -> Claims:
    return Claims(counter_id=uuid.uuid4().hex)


def _encoded(claims: Claims) -> bytes:
    use = claims.use
    sessions = {
        session: [
            *(c.pid, c.born, c.active_since_s, c.from_j),
            *(c.due.energy_j, c.due.error_j, c.due.shared, c.due.estimated, c.due.void),
            *(c.open.elsewhere_j, c.open.overhead_j, c.open.idle_j),
        ]
        for session, c in claims.by_session.items()
    }
    head = [claims.counter_id, claims.counter_j, claims.raw_j, claims.use_at_s, claims.roll_at_s, use.processes_n]
    busy = None if use.busy is None else list(use.busy.items())
    return json.dumps([head, busy, sessions], separators=(",", ":")).encode() + b"\n"


def _decoded(written: bytes) -> Claims:
    line, end, _ = written.partition(b"\n")
    if not end:
        return _new()
    try:
        (counter_id, counter_j, raw_j, use_at_s, roll_at_s, processes_n), busy, sessions = json.loads(line)
        return Claims(
            counter_id=counter_id,
            counter_j=counter_j,
            raw_j=raw_j,
            use=ProcessUse(busy=None if busy is None else dict(busy), processes_n=processes_n),
            use_at_s=use_at_s,
            roll_at_s=roll_at_s,
            by_session={session: _claim(*fields) for session, fields in sessions.items()},
        )
    except (ValueError, TypeError):
        return _new()


def _claim(pid: int, born: int, active_since_s: float | None, from_j: float, *rest: Any) -> Claim:
    return Claim(
        pid=pid, born=born, active_since_s=active_since_s, from_j=from_j, due=Due(*rest[:5]), open=Open(*rest[5:])
    )
