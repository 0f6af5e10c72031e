"""The batch that all calls on one model share: begun with the first, ended when nobody comes, begun anew on failure."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final
from weakref import WeakSet

from sprout_like.engines.continuous.asking import Ask
from sprout_like.engines.continuous.session import Session, SessionOver

__all__ = ["Batch"]

_IDLE_S: Final = 60.0
"""After so long without a row the cache is given back; an idle manager also wakes ten times a second."""

_ALL: Final[WeakSet[Batch]] = WeakSet()


class Batch:
    """Runs rows of one model together.

    Args:
        model: a model that fits, see `misfit`.
        monotonic_s: clock for its idle time, in s.
    """

    def __init__(self, model: Any, monotonic_s: Callable[[], float]) -> None:
        self._model = model
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._made_for: object = None
        self._used_s = monotonic_s()
        _ALL.add(self)

    def start(self) -> None:
        """Begin where it is not running; safe to call at any time.

        Raises:
            BatchFailed: there is no memory for it.
        """
        self._running()

    @property
    def is_running(self) -> bool:
        """Whether the next row need not wait for a start."""
        return self._is_current(self._session)

    def run(self, asks: Sequence[Ask]) -> list[list[int]]:
        """New tokens of each row; whoever is interrupted while waiting gives up its own rows.

        Raises:
            BatchFailed: the batch broke off.
        """
        session, rows = self._submitted(asks)
        try:
            return [future.result() for _, future in rows]
        except BaseException:
            session.cancel([name for name, _ in rows])
            raise

    def tick(self) -> None:
        """End it where nobody has come for long."""
        with self._lock:
            session = self._session
            if session is None or session.is_busy or self._monotonic_s() - self._used_s < _IDLE_S:
                return
            self._session = None
        session.stop()

    def close(self) -> None:
        """End it; rows still under way fail. It begins again with the next row."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.stop()

    def restart(self) -> None:
        """In a forked child: what ran in the parent's threads does not run here."""
        self._lock = threading.Lock()
        self._session = None

    def _submitted(self, asks: Sequence[Ask]) -> tuple[Session, list[tuple[str, Future[list[int]]]]]:
        while True:
            session = self._running()
            rows: list[tuple[str, Future[list[int]]]] = []
            try:
                for ask in asks:
                    rows.append(session.submit(ask))  # noqa: PERF401 - what was handed in is known if the next fails
            except SessionOver:  # between the question and the row
                session.cancel([name for name, _ in rows])
            except BaseException:
                session.cancel([name for name, _ in rows])
                raise
            else:
                return session, rows

    def _running(self) -> Session:
        with self._lock:
            self._used_s = self._monotonic_s()
            session = self._session
            if session is not None and self._is_current(session):
                return session
            if session is not None:
                session.stop()
            self._made_for = self._form()
            self._session = session = Session(self._model)
            return session

    def _is_current(self, session: Session | None) -> bool:
        return session is not None and not session.is_over and self._made_for == self._form()

    def _form(self) -> object:
        """What a cache is made for: the model may have been moved or converted since."""
        model = self._model
        return model.device, model.dtype, model.config._attn_implementation  # noqa: SLF001 - its only name


def _restart_all() -> None:
    for batch in _ALL:
        batch.restart()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_all)
