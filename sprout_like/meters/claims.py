"""Who draws what a machine-wide counter counts, over all processes of the host. Arithmetic alone: no file, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sprout_like.meters.meter import ProcessUse

__all__ = ["Claim", "Claims", "Due", "Open", "Part", "settle"]

_USE_ERROR: Final = 0.2
"""Error of a share that goes by the driver's figures, as a share of it: they are of the last second or less and tell
time, not power. Assumed, as RAPL's is; not measured here."""

_SAMPLED_S: Final = 1.0
"""The driver's longest sampling period in s: who was active for less may be missing in its figures."""


@dataclass(slots=True)
class Due:
    """What was booked to a process' windows since it last looked.

    Attributes:
        energy_j: in J. error_j: half-width of the division's error in J.
        shared: another process was active meanwhile.
        estimated: processes held the device of which nobody tells what they drew.
        void: the counter fell meanwhile.
    """

    energy_j: float = 0.0
    error_j: float = 0.0
    shared: bool = False
    estimated: bool = False
    void: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """What a process has booked in its account that is not closed yet, in J: who finds it gone books that instead."""

    elsewhere_j: float = 0.0
    overhead_j: float = 0.0
    idle_j: float = 0.0


@dataclass(slots=True, kw_only=True)
class Claim:
    """One metering session's claim on a device.

    Attributes:
        pid, born: the process, and when it began in the kernel's ticks; together they name it for good.
        active_since_s: since when one of its windows is open, on the host's monotonic clock; None where none is.
        due: what it is to book. open: what is lost with it. from_j: where on the counter its open account began.
    """

    pid: int
    born: int
    active_since_s: float | None = None
    due: Due = field(default_factory=Due)
    open: Open = field(default_factory=Open)
    from_j: float = 0.0


@dataclass(slots=True, kw_only=True)
class Claims:
    """All that the processes of a host know of one device together.

    Attributes:
        counter_id: names this count; another begins where the host forgot the last.
        counter_j: J counted since then, by whoever looked. It never falls.
        raw_j: the device's own counter when somebody last looked; None before.
        use, use_at_s: what the driver last told, and when.
        roll_at_s: when somebody last looked which processes are still there.
        by_session: the claims.
    """

    counter_id: str
    counter_j: float = 0.0
    raw_j: float | None = None
    use: ProcessUse = field(default_factory=ProcessUse)
    use_at_s: float | None = None
    roll_at_s: float | None = None
    by_session: dict[str, Claim] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a process is to book now, in J: each joule of the counter is in one process' part, once.

    Attributes:
        windows: of its own windows.
        elsewhere_j: of processes that are not ours, and of requests whose process is gone before its account was.
        overhead_j: of processes that are gone, but for their requests. idle_j: drawn while nobody was active.
        from_j, to_j: the stretch of the host's counter that all this comes from.
        counter_id: of that counter.
        company: others use the device too, now or lately.
    """

    windows: Due
    elsewhere_j: float
    overhead_j: float
    idle_j: float
    from_j: float
    to_j: float
    counter_id: str
    company: bool


def settle(
    claims: Claims, session: str, claim: Claim, *, raw_j: float, use: ProcessUse, now_s: float, gone: Collection[str]
) -> Part:
    """Divide what was drawn since anybody last looked; the one who looks books what is nobody's window.

    Args:
        claims: of the device; changed.
        session: who looks.
        claim: what to enter for it where it is new.
        raw_j: the device's counter now.
        now_s: the host's monotonic clock.
        use: what the driver tells of who used it.
        gone: sessions whose process is no more.
    """
    if not claims.by_session.keys() - gone:
        # Nobody was there: what was drawn meanwhile, and what the dead left, is in no account.
        claims.by_session.clear()
        claims.raw_j = raw_j
    last_j, claims.raw_j = claims.raw_j if claims.raw_j is not None else raw_j, raw_j
    mine = claims.by_session.setdefault(session, claim)
    from_j = claims.counter_j
    claims.counter_j += max(raw_j - last_j, 0.0)
    elsewhere_j, idle_j, foreign = _divide(claims, claims.counter_j - from_j, use, now_s)
    if raw_j < last_j:
        for other in claims.by_session.values():
            other.due.void = True
    overhead_j = 0.0
    for name in gone:
        dead = claims.by_session.pop(name, None)
        if dead is not None:
            overhead_j += dead.due.energy_j + dead.open.overhead_j
            elsewhere_j += dead.open.elsewhere_j
            idle_j += dead.open.idle_j
            from_j = min(from_j, dead.from_j)
    windows, mine.due = mine.due, Due()
    return Part(
        windows=windows,
        elsewhere_j=elsewhere_j,
        overhead_j=overhead_j,
        idle_j=idle_j,
        from_j=from_j,
        to_j=claims.counter_j,
        counter_id=claims.counter_id,
        company=foreign or len(claims.by_session) > 1,
    )


def _divide(claims: Claims, drawn_j: float, use: ProcessUse, now_s: float) -> tuple[float, float, bool]:
    """Add to what each active claim is due; J of strangers, J of nobody, and whether there are strangers."""
    active = [claim for claim in claims.by_session.values() if claim.active_since_s is not None]
    pids = {claim.pid for claim in claims.by_session.values()}
    if use.busy is None:
        strangers = use.processes_n is not None and use.processes_n > len(pids)
        for claim in active:
            part_j = drawn_j / len(active)
            # The others may have drawn nothing, or nearly all.
            error_j = max(drawn_j - part_j, part_j if strangers else 0.0)
            _credit(claim.due, part_j, error_j, shared=len(active) > 1, estimated=strangers)
        return 0.0, 0.0 if active else drawn_j, strangers

    foreign = sum(busy for pid, busy in use.busy.items() if pid not in pids)
    if not active:
        return (drawn_j, 0.0, True) if foreign > 0 else (0.0, drawn_j, False)
    weights = _weights(active, use.busy, foreign, now_s)
    total = sum(weights) + foreign
    shared = len(active) > 1 or foreign > 0
    for claim, weight in zip(active, weights, strict=True):
        part_j = drawn_j * weight / total
        _credit(claim.due, part_j, _USE_ERROR * part_j if shared else 0.0, shared=shared, estimated=False)
    return drawn_j * foreign / total, 0.0, foreign > 0


def _weights(active: Sequence[Claim], busy: Mapping[int, float], foreign: float, now_s: float) -> list[float]:
    """The share of time in which each kept the device busy; who came too lately to be in it counts like the mean."""
    sessions = Counter(claim.pid for claim in active)
    known = [busy[pid] for pid in sessions if pid in busy]
    mean = sum(known) / len(known) if known else foreign or 1.0
    weights = [
        busy[claim.pid] / sessions[claim.pid] if claim.pid in busy else mean if _is_new(claim, now_s) else 0.0
        for claim in active
    ]
    return weights if any(weights) or foreign > 0 else [1.0] * len(active)


def _is_new(claim: Claim, now_s: float) -> bool:
    return claim.active_since_s is not None and now_s - claim.active_since_s < _SAMPLED_S


def _credit(due: Due, energy_j: float, error_j: float, *, shared: bool, estimated: bool) -> None:
    due.energy_j += energy_j
    due.error_j += error_j
    due.shared = due.shared or shared
    due.estimated = due.estimated or estimated
