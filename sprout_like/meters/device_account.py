"""One device's account: where every joule between two readings goes. Bookkeeping alone: no meter, no clock, no lock."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sprout_like.meters.claims import Open, Part
from sprout_like.meters.meter import Device

__all__ = ["DeviceAccount", "Period", "Reading", "Span", "Stake"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A counter in J, and when it was read: monotonic s and UTC."""

    energy_j: float
    at_s: float
    at_utc: datetime


@dataclass(slots=True, eq=False)
class Stake:
    """One window's part in one device's account.

    Attributes:
        to_overhead: what it draws now is nobody's request (loading, compiling).
        energy_j: booked to its request so far, in J.
        active_s: time in which that was booked, in s.
        shared: another window was active on the device at some time, so its energy is a share.
        estimated: others held the device of whom nobody tells what they drew.
        error_j: half-width of the error of dividing with other processes, in J.
        void: a reading failed meanwhile: what it drew cannot be told from what others drew.
    """

    to_overhead: bool
    energy_j: float = 0.0
    active_s: float = 0.0
    shared: bool = False
    estimated: bool = False
    error_j: float = 0.0
    void: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a counter that several processes read: its id, and from where to where in J."""

    counter_id: str
    from_j: float
    to_j: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a device drew in one account period: by its counter, and by what was booked.

    Attributes:
        requests: owner to (J, number of requests). Others as in `AccountRecord`.
        foreign_j: part of `elsewhere_j` that is no ledger's of this process.
        span: what it comes from; None where this process' reading is its own alone.
    """

    started_utc: datetime
    ended_utc: datetime
    counter_j: float
    requests: Mapping[Hashable, tuple[float, int]]
    overhead_j: float
    idle_j: float
    foreign_j: float = 0.0
    span: Span | None = None


@dataclass(slots=True)
class _Books:
    """The running period: where it began, and what has been booked since."""

    started_utc: datetime | None = None
    opening_j: float = 0.0
    earlier_j: float = 0.0  # counted before the counter last fell
    requests: dict[Hashable, tuple[float, int]] = field(default_factory=dict)
    overhead_j: float = 0.0
    idle_j: float = 0.0
    foreign_j: float = 0.0
    span: Span | None = None


class DeviceAccount:
    """Shares out what a device draws between each two readings.

    Windows that are active on it get equal parts; without any, it is idle. Where a reading failed, everything up to the
    next good one is overhead, and the windows that were active are void. So the parts add up to the counter by
    construction; `Period.counter_j` is taken from the readings alone, so that the ledger can check it.

    Of a counter that several processes read, it books its part as the host divided it. There the ledger can check that
    the parts of all processes are no more than the counter's stretch they come from.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.last: Reading | None = None
        self.failed = False
        self.peak_w: float | None = None
        self.company = False
        self._stakes: list[Stake] = []
        self._books = _Books()

    @property
    def busy(self) -> bool:
        """Whether the period holds anything but idle energy."""
        return bool(self._books.requests) or self._books.overhead_j > 0

    @property
    def active(self) -> bool:
        """Whether a window is open on it."""
        return bool(self._stakes)

    @property
    def open(self) -> Open:
        """What becomes of the running period should this process end without closing it."""
        books = self._books
        return Open(
            elsewhere_j=sum(energy_j for energy_j, _ in books.requests.values()) + books.foreign_j,
            overhead_j=books.overhead_j + sum(stake.energy_j for stake in self._stakes),
            idle_j=books.idle_j,
        )

    @property
    def from_j(self) -> float:
        """Where on the host's counter the running period began."""
        return self._books.span.from_j if self._books.span is not None else 0.0

    def book(self, reading: Reading) -> bool:
        """Share out what was drawn since the last reading; False where the counter fell, which counts as a failure."""
        last, self.last = self.last, reading
        if last is None:
            self.failed = False
            self._books = _Books(reading.at_utc, reading.energy_j)
            return True
        if reading.energy_j < last.energy_j:
            self._books.earlier_j += last.energy_j - self._books.opening_j
            self._books.opening_j = reading.energy_j
            self.fail()
            return False
        drawn_j = reading.energy_j - last.energy_j
        if self.failed:
            self.failed = False
            self._books.overhead_j += drawn_j
        else:
            self._share_out(drawn_j, reading.at_s - last.at_s)
        return True

    def book_part(self, part: Part, at_s: float, at_utc: datetime) -> bool:
        """Book this process' part of what the device drew, as the host divided it; False where the counter fell."""
        windows, last = part.windows, self.last
        total_j = windows.energy_j + part.elsewhere_j + part.overhead_j + part.idle_j
        before_j = last.energy_j if last is not None else 0.0
        if last is None:
            self._books = _Books(at_utc, before_j)
        self.last = Reading(before_j + total_j, at_s, at_utc)
        books = self._books
        from_j = part.from_j if books.span is None else min(part.from_j, books.span.from_j)
        books.span = Span(part.counter_id, from_j, part.to_j)
        books.foreign_j += part.elsewhere_j
        books.overhead_j += part.overhead_j
        self.company = part.company
        if windows.void:
            self.fail()
        if self.failed:
            # The others were not told of windows that opened meanwhile, and may have taken their energy for idle.
            books.overhead_j += windows.energy_j + part.idle_j
            self.failed = False
            return not windows.void
        books.idle_j += part.idle_j
        for stake in self._stakes:
            stake.shared = stake.shared or windows.shared
            stake.estimated = stake.estimated or windows.estimated
            stake.error_j += windows.error_j / len(self._stakes)
        if self._stakes:
            self._share_out(windows.energy_j, at_s - last.at_s if last is not None else 0.0)
        else:
            books.overhead_j += windows.energy_j
        return True

    def fail(self) -> None:
        """A reading failed: whoever is active now cannot be told apart until the next one."""
        self.failed = True
        for stake in self._stakes:
            stake.void = True

    def enter(self, *, to_overhead: bool) -> Stake:
        """A window becomes active; call right after a reading."""
        for stake in self._stakes:
            stake.shared = True
        stake = Stake(to_overhead, shared=bool(self._stakes), void=self.failed)
        self._stakes.append(stake)
        return stake

    def leave(self, stake: Stake, *, owner: Hashable, to_overhead: bool, requests_n: int = 1) -> None:
        """A window ends, right after a reading: its energy goes to its owner's requests, or to overhead."""
        self._stakes.remove(stake)
        if to_overhead:
            self._books.overhead_j += stake.energy_j
        else:
            energy_j, number = self._books.requests.get(owner, (0.0, 0))
            self._books.requests[owner] = (energy_j + stake.energy_j, number + requests_n)

    def close_period(self) -> Period | None:
        """End the period at the last good reading and begin the next one there; None where nothing was drawn.

        Call while no window is active: what an active one has drawn so far is booked only when it leaves.
        """
        books = self._books
        if self.last is None or books.started_utc is None:
            return None
        self._books = _Books(self.last.at_utc, self.last.energy_j)
        if books.span is not None:
            self._books.span = Span(books.span.counter_id, books.span.to_j, books.span.to_j)
        counter_j = books.earlier_j + (self.last.energy_j - books.opening_j)
        if counter_j <= 0 and not books.requests:
            return None
        return Period(
            started_utc=books.started_utc,
            ended_utc=max(books.started_utc, self.last.at_utc),  # the clock may have been set back meanwhile
            counter_j=counter_j,
            requests=books.requests,
            overhead_j=books.overhead_j,
            idle_j=books.idle_j,
            foreign_j=books.foreign_j,
            span=books.span,
        )

    def uncertainty_j(self, stake: Stake) -> float | None:
        """Half-width of a stake's energy in J: one tick of power, the counter's systematic error, and the division's.

        A window of k ticks may lack what it drew in one of them, so that its power is taken to be k/(k - 1) of what it
        shows, and at most the highest the device was seen at; of a window of one tick or less, or that reads 0, it is
        the highest. None where none was seen yet.
        """
        tick_j, tick_s = 0.0, self.device.tick_s
        if tick_s > 0:
            if self.peak_w is None:
                return None
            shown_w = stake.energy_j / max(stake.active_s, tick_s)
            tells = shown_w > 0 and stake.active_s > tick_s
            drawn_w = shown_w * stake.active_s / (stake.active_s - tick_s) if tells else self.peak_w
            tick_j = max(shown_w, min(drawn_w, self.peak_w)) * tick_s
        return tick_j + self.device.relative_error * stake.energy_j + stake.error_j

    def _share_out(self, drawn_j: float, elapsed_s: float) -> None:
        # A single tick inside a very short interval would look like enormous power.
        span_s = max(elapsed_s, self.device.tick_s)
        if drawn_j > 0 and span_s > 0:
            self.peak_w = max(self.peak_w or 0.0, drawn_j / span_s)
        if not self._stakes:
            self._books.idle_j += drawn_j
            return
        part_j = drawn_j / len(self._stakes)
        for stake in self._stakes:
            if stake.to_overhead:
                self._books.overhead_j += part_j
            else:
                stake.energy_j += part_j
                stake.active_s += elapsed_s
