"""Asking a source for what it has published, and remembering why a request got nothing from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from grid import GridError, Intensity, NoData, Source, SourceDown, SourceError, SourceRefused, ZoneError
from grid.clock import UtcNow, slot_start
from grid.live.asking import ask_series, check_covers
from sprout_like.settlement.figures import Group
from sprout_like.settlement.spans import Span, cut, joined

__all__ = ["Asking", "briefly"]

# A question costs a source more than a day of figures in its answer.
_BRIDGE: Final = timedelta(days=1)
# What has been answered is kept before the next question, so that a run that is cut short loses one week at most.
_LONGEST: Final = timedelta(days=7)


def briefly(spans: Iterable[Span]) -> list[Span]:
    """The spans to ask for in place of these."""
    return joined(spans, _BRIDGE)


class Asking:
    """One source, asked for the actuals of several groups.

    A source that is down or refuses the key is asked no more; other errors are held against the span alone.

    Args:
        source: whom to ask.
        keep: called with each answer's actual and estimated readings of the zone, kind and factors asked for.
        now_utc: nothing beyond it is asked for.

    Attributes:
        problem: why the source was given up; None where it was not.
        asked: questions so far.
    """

    def __init__(self, source: Source, keep: Callable[[Sequence[Intensity]], None], now_utc: UtcNow) -> None:
        self.problem: str | None = None
        self.asked = 0
        self._source = source
        self._keep = keep
        self._now_utc = now_utc
        self._failed: list[tuple[Group, Span, str]] = []
        self._obstacles: dict[Group, str | None] = {}

    def obstacle(self, group: Group) -> str | None:
        """Why the source can never say anything about the group; None where it can."""
        if group not in self._obstacles:
            self._obstacles[group] = self._find_obstacle(group)
        return self._obstacles[group]

    def ask(self, group: Group, spans: Iterable[Span]) -> None:
        """Ask for the spans, in whole slots."""
        slot = timedelta(seconds=self._source.slot_s)
        whole = [(slot_start(start, slot), slot_start(end, slot) + slot) for start, end in spans]
        for start, end in briefly(whole):
            for piece in cut((start, min(end, self._now_utc())), _LONGEST):
                if self.problem is not None or self.obstacle(group) is not None:
                    return
                self._ask_piece(group, piece)

    def why(self, group: Group, start_utc: datetime, end_utc: datetime) -> str:
        """Why a request of that group and span is not settled."""
        known = self.obstacle(group) or self.problem
        if known is not None:
            return known
        for failed, (start, end), problem in self._failed:
            if failed == group and start < end_utc and start_utc < end:
                return problem
        return "no actual is published for its whole span, or not yet"

    def _find_obstacle(self, group: Group) -> str | None:
        source = self._source
        try:
            check_covers(source, group.zone)
        except ZoneError:
            return f"{source.name} does not cover {group.zone}"
        except GridError as exc:
            return str(exc)
        if "history" not in source.can:
            return f"{source.name} gives no history"
        if (source.kind, source.factors) != (group.kind, group.factors):
            return f"{source.name} gives {source.kind} intensities with {source.factors} factors, which is not the same"
        return None

    def _ask_piece(self, group: Group, piece: Span) -> None:
        self.asked += 1
        try:
            answer = ask_series(self._source, "history", group.zone, *piece)
        except NoData:
            return  # said of each request it leaves without an actual
        except (SourceDown, SourceRefused) as exc:
            self.problem = str(exc)
            return
        except SourceError as exc:
            self._failed.append((group, piece, str(exc)))
            return
        self._keep([r for r in answer if r.status in ("actual", "estimated") and _is_of(group, r)])


def _is_of(group: Group, reading: Intensity) -> bool:
    return group == Group(reading.zone, reading.kind, reading.factors)
