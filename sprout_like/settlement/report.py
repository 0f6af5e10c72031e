"""What a settlement did, as data. Grams of different zones, kinds or factors are never added up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sprout_like.settlement.figures import Group, Provisional, Settled

__all__ = ["GroupOutcome", "Open", "SettlementReport", "Tally"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOutcome:
    """What became of the requests of one zone, kind and set of factors.

    Attributes:
        zone, kind, factors: which.
        settled: requests settled for the first time. corrected: settled before, by a figure that has changed.
        unchanged: settled before, and still so.
        before_g: operational g CO2e of all requests of the group before this run, those with an actual from the start
            included; None where no request had a figure. after_g: the same after it.
        moved_g: `after_g` less `before_g`, by this run alone: what another settles meanwhile is in neither.
        newly_known: requests that had no figure before. newly_known_g: what of `moved_g` is theirs.
    """

    zone: str
    kind: str
    factors: str
    settled: int
    corrected: int
    unchanged: int
    before_g: float | None
    after_g: float | None
    newly_known: int
    newly_known_g: float
    moved_g: float

    @property
    def moved_share(self) -> float | None:
        """How far the figures that there were moved, as a share of them; None where there were none."""
        return (self.moved_g - self.newly_known_g) / self.before_g if self.before_g else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Requests that are still provisional for one reason."""

    zone: str
    kind: str
    factors: str
    reason: str
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementReport:
    """The outcome.

    Attributes:
        source: whom actuals were asked of. questions: how many times it was asked.
        problem: why the source was given up; None where it answered, or did not have to.
        dry_run: whether nothing was written.
        groups: per zone, kind and factors; empty where every request has a published actual from the start.
        still_open: what is still provisional, by reason.
        nothing_known: whether no request in the scope has known energy, so that there was nothing to look at.
    """

    source: str
    questions: int
    problem: str | None
    dry_run: bool
    groups: tuple[GroupOutcome, ...]
    still_open: tuple[Open, ...]
    nothing_known: bool = False

    @property
    def changed(self) -> int:
        """Requests whose settled figure is new or another one."""
        return sum(group.settled + group.corrected for group in self.groups)


@dataclass(slots=True)
class _Counts:
    settled: int = 0
    corrected: int = 0
    unchanged: int = 0
    moved_g: float = 0.0
    newly_known: int = 0
    newly_known_g: float = 0.0


class Tally:
    """Adds up a settlement request by request.

    Args:
        before_g: operational g CO2e of each group before it.
    """

    def __init__(self, before_g: Mapping[Group, float]) -> None:
        self._before_g = before_g
        self._counts: defaultdict[Group, _Counts] = defaultdict(_Counts)
        self._open: Counter[tuple[Group, str]] = Counter()

    def settled(self, group: Group, row: Provisional, settled: Settled) -> None:
        """The request gets this figure."""
        counts = self._counts[group]
        if row.settled_g_per_kwh is None:
            counts.settled += 1
        else:
            counts.corrected += 1
        after_g, before_g = settled.settled_operational_g or 0.0, row.known_g
        counts.moved_g += after_g - (before_g or 0.0)
        if before_g is None:
            counts.newly_known += 1
            counts.newly_known_g += after_g

    def unchanged(self, group: Group) -> None:
        """The request keeps the figure it was settled by."""
        self._counts[group].unchanged += 1

    def open(self, group: Group, reason: str) -> None:
        """The request is still provisional."""
        self._counts.setdefault(group, _Counts())
        self._open[group, reason] += 1

    def report(self, *, source: str, questions: int, problem: str | None, dry_run: bool) -> SettlementReport:
        """All of it."""
        return SettlementReport(
            source=source,
            questions=questions,
            problem=problem,
            dry_run=dry_run,
            groups=tuple(self._outcome(group, counts) for group, counts in sorted(self._counts.items(), key=_group)),
            still_open=tuple(
                Open(zone=group.zone, kind=group.kind, factors=group.factors, reason=reason, requests=requests)
                for (group, reason), requests in sorted(self._open.items())
            ),
            nothing_known=not self._before_g and not self._counts,
        )

    def _outcome(self, group: Group, counts: _Counts) -> GroupOutcome:
        before_g = self._before_g.get(group)
        changed = counts.settled + counts.corrected
        return GroupOutcome(
            zone=group.zone,
            kind=group.kind,
            factors=group.factors,
            settled=counts.settled,
            corrected=counts.corrected,
            unchanged=counts.unchanged,
            before_g=before_g,
            after_g=(before_g or 0.0) + counts.moved_g if changed else before_g,
            newly_known=counts.newly_known,
            newly_known_g=counts.newly_known_g,
            moved_g=counts.moved_g,
        )


def _group(item: tuple[Group, _Counts]) -> Group:
    return item[0]
