"""Rows as they are written, for exporters: handed over away from the requests, and dropped rather than waited for."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from sprout_like.background import Background, within

if TYPE_CHECKING:
    from directives import Policy
    from grid import Grid
    from sprout_like.ledger import Ledger
    from sprout_like.ledger.rows import Record

__all__ = [
    "CLOSE_WAIT_S",
    "MOST_WAITING",
    "Feed",
    "Followed",
    "Live",
    "ObservedLedger",
    "Observer",
    "Seen",
    "Subscription",
]

_LOG = logging.getLogger("sprout_like")

MOST_WAITING: Final = 10_000
"""Rows that wait for one exporter; of those that come when so many do, it is told only how many there were."""

CLOSE_WAIT_S: Final = 5.0
"""How long closing waits for an exporter to take its last rows, in s."""

_BATCH: Final = 500


class Seen(NamedTuple):
    """A row, and what was current in the thread that wrote it, such as the caller's span."""

    record: Record
    context: Context


class Observer(Protocol):
    """An exporter. It is called by one thread at a time, never a request's; what it raises costs it the rows alone."""

    @property
    def name(self) -> str:
        """For the log."""
        ...

    def tell(self, rows: Sequence[Seen]) -> None:
        """Take rows, in the order in which they were written."""
        ...

    def close(self) -> None:
        """There are no more; send what is left and release what it holds."""
        ...


class Subscription:
    """One exporter's rows, on their way to it.

    Args:
        observer: the exporter. most_waiting: rows that may wait for it. interval_s: time between deliveries, in s.
        close_wait_s: how long closing waits for it, in s.
        left: called once it is closed.
    """

    def __init__(
        self,
        observer: Observer,
        *,
        most_waiting: int = MOST_WAITING,
        interval_s: float = 1.0,
        close_wait_s: float = CLOSE_WAIT_S,
        left: Callable[[Subscription], object] = lambda _: None,
    ) -> None:
        self._observer = observer
        self._most_waiting = most_waiting
        self._close_wait_s = close_wait_s
        self._left = left
        self._waiting: deque[Seen] = deque()
        self._counting = Lock()
        self._telling = Lock()
        self._dropped = 0
        self._failed = 0
        self._closed = False
        # A thread of its own: an exporter that hangs holds up neither rows and accounts nor other exporters.
        self._background = Background(
            {f"export to {observer.name}": self.deliver}, interval_s=interval_s, patient=False
        )

    @property
    def dropped(self) -> int:
        """Rows that it was not told of because too many waited."""
        return self._dropped

    @property
    def failed(self) -> int:
        """Rows that were lost because the exporter raised."""
        return self._failed

    def put(self, seen: Seen) -> None:
        """Leave a row for it; called by the thread of a request, and done at once."""
        if len(self._waiting) < self._most_waiting:
            self._waiting.append(seen)
            return
        with self._counting:
            self._dropped += 1
            first = self._dropped == 1
        if first:
            _LOG.warning(
                "exporter %s is behind by %d rows: further ones are dropped, and counted",
                self._name,
                self._most_waiting,
            )

    def deliver(self) -> None:
        """Tell it of what waits; returns when nothing does."""
        with self._telling:
            while self._waiting:
                rows = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
                try:
                    self._observer.tell(rows)
                except Exception as exc:  # noqa: BLE001 - an exporter may be anyone's code
                    if not self._failed:
                        # By class alone: a message may hold the address with its key.
                        _LOG.warning(
                            "exporter %s failed with %s: rows are lost to it", self._name, type(exc).__qualname__
                        )
                    self._failed += len(rows)

    def close(self) -> None:
        """Tell it of what still waits, for `close_wait_s` at most, and let it go. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._left(self)
        self._background.close()
        if not within(self._close_wait_s, self._finish, name="sprout-like-last-export"):
            _LOG.warning("exporter %s has not ended within %g s and is left to itself", self._name, self._close_wait_s)
        if self._dropped or self._failed:
            _LOG.warning("exporter %s: %d rows dropped, %d failed", self._name, self._dropped, self._failed)

    def _finish(self) -> None:
        self.deliver()
        try:
            self._observer.close()
        except Exception as exc:  # noqa: BLE001 - as in `deliver`
            _LOG.warning("exporter %s failed with %s as it was closed", self._name, type(exc).__qualname__)

    @property
    def _name(self) -> str:
        return self._observer.name


class Feed:
    """Where exporters subscribe; costs a request next to nothing while there are none.

    A forked child has no exporters of its parent's: subscribe after the fork.
    """

    def __init__(self) -> None:
        self._changing = Lock()
        self._subscriptions: tuple[Subscription, ...] = ()

    def subscribe(
        self,
        observer: Observer,
        *,
        most_waiting: int = MOST_WAITING,
        interval_s: float = 1.0,
        close_wait_s: float = CLOSE_WAIT_S,
    ) -> Subscription:
        """Tell an exporter of every row from now on.

        Args:
            observer: the exporter.
            most_waiting: rows that may wait for it; those beyond are dropped and counted.
            interval_s: time between deliveries, in s.
            close_wait_s: how long closing waits for it to take its last rows, in s.
        """
        subscription = Subscription(
            observer, most_waiting=most_waiting, interval_s=interval_s, close_wait_s=close_wait_s, left=self._leave
        )
        with self._changing:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def put(self, record: Record) -> None:
        """Leave a row for everyone who subscribed."""
        if subscriptions := self._subscriptions:
            seen = Seen(record, copy_context())
            for subscription in subscriptions:
                subscription.put(seen)

    def close(self) -> None:
        """Close every subscription; safe to call twice."""
        for subscription in self._subscriptions:
            subscription.close()

    def _leave(self, subscription: Subscription) -> None:
        with self._changing:
            self._subscriptions = tuple(other for other in self._subscriptions if other is not subscription)


class ObservedLedger:
    """A `Ledger` whose rows go to a feed too; all else is the ledger's own.

    Args:
        ledger: keeps the rows. feed: is left them.
    """

    def __init__(self, ledger: Ledger, feed: Feed) -> None:
        self._ledger = ledger
        self._feed = feed

    @property
    def name(self) -> str:
        """The ledger's."""
        return self._ledger.name

    def append(self, record: Record) -> None:
        """Keep one row; the feed has it also where the ledger loses it."""
        self._feed.put(record)
        self._ledger.append(record)

    def tick(self) -> None:
        """The ledger's."""
        self._ledger.tick()

    def flush(self) -> int:
        """The ledger's."""
        return self._ledger.flush()

    def close(self) -> None:
        """The ledger's; the feed is closed by whoever made it."""
        self._ledger.close()


@dataclass(frozen=True, slots=True)
class Live:
    """What exporters may see of a `CarbonAware`. Holds none of it alive but these parts.

    Attributes:
        feed: rows as they are written.
        grid: asked for the intensity now, from memory.
        ledger: asked where rows wait, if it can tell.
        policy: asked whether its breaker is open; None where each job has one of its own.
        model: the wrapped model's name. meter: the meter's.
    """

    feed: Feed
    grid: Grid
    ledger: Ledger
    policy: Policy | None
    model: str
    meter: str


class Followed(Protocol):
    """Whatever exporters can follow, such as a `CarbonAware`."""

    @property
    def live(self) -> Live:
        """Its parts."""
        ...
