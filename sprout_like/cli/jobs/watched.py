"""A job while it waits and runs: the forecast with the spans planned and run below it, and how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from grid import Intensity, Series
from sprout_like.cli.grid.glyphs import Glyphs
from sprout_like.cli.grid.plot import plot, strip
from sprout_like.cli.grid.screen import facts_text
from sprout_like.cli.grid.times import Times, in_words
from sprout_like.cli.jobs.facts import progress, saving, used
from sprout_like.jobs.job import OPEN_STATES, WorkerRecord
from sprout_like.jobs.showing.view import View
from sprout_like.reports.figures import number

__all__ = ["frame"]

_BEFORE: Final = timedelta(hours=24)
_AHEAD: Final = timedelta(hours=72)
"""Of a job that takes longer than both, this much is drawn around now."""

_LATE_AHEAD: Final = timedelta(hours=6)
"""Of a job whose deadline has passed, so much of what lies ahead."""

_MOST_WORKERS: Final = 5


def frame(view: View, times: Times, width: int, glyphs: Glyphs) -> RenderableType:
    """One picture of it, `width` characters wide."""
    start_utc, end_utc = _span(view)
    zone = _zone(view)
    series = Series(()) if zone is None else _series(view, zone, start_utc, end_utc)
    where = "zone not yet known" if zone is None else zone
    title = f"{view.job.job_id[:12]}: {view.state} ({where}, times {times.offsets(start_utc, end_utc)})"
    parts: list[RenderableType] = [Text(title, style="bold")]
    if len(series):
        parts.append(plot(series, start_utc, end_utc, width=width, times=times, glyphs=glyphs))
        parts += _strips(view, zone, start_utc, end_utc, width, glyphs)
    facts = [*progress(view, times), *_next(view, times), *used(view), *saving(view), *_workers(view)]
    if not len(series) and view.job.state in OPEN_STATES:
        facts.append(("forecast", "unknown: no worker has announced one"))
    parts.append(facts_text(facts, width))
    return Group(*parts)


def _span(view: View) -> tuple[datetime, datetime]:
    ends = [view.job.deadline_utc, *(run.ended_utc for run in view.runs), *(span.end_utc for span in view.planned)]
    start_utc, end_utc = view.job.submitted_utc, max(ends)
    if view.job.state in OPEN_STATES:
        if end_utc <= view.now_utc:
            end_utc = view.now_utc + _LATE_AHEAD
        if end_utc - start_utc > _BEFORE + _AHEAD:
            start_utc = max(start_utc, view.now_utc - _BEFORE)
            end_utc = min(end_utc, start_utc + _BEFORE + _AHEAD)
    return start_utc, max(end_utc, start_utc + timedelta(minutes=1))


def _zone(view: View) -> str | None:
    """Where it runs next, ran last, or could run."""
    if view.planned:
        return view.planned[0].zone
    if view.runs:
        return view.runs[-1].zone
    return next((worker.zone for worker in view.able if worker.outlook), None)


def _series(view: View, zone: str, start_utc: datetime, end_utc: datetime) -> Series:
    """What was published of the hours behind, as far as it is of one kind and source, and a worker's forecast."""
    known = _of_one_source([reading for reading in view.past if reading.zone == zone])
    outlook = next((worker.outlook for worker in view.able if worker.zone == zone and worker.outlook), ())
    from_utc = max((reading.end_utc for reading in known), default=start_utc)
    ahead = [
        # Its kind and factors are not announced; nothing of them is drawn.
        Intensity(
            zone=zone,
            start_utc=max(start, from_utc),
            end_utc=end,
            g_per_kwh=value,
            kind=known[0].kind if known else "average",
            factors=known[0].factors if known else "lifecycle",
            status="forecast",
            source="worker",
            fetched_at_utc=view.now_utc,
        )
        for start, end, value in outlook
        if max(start, from_utc) < end
    ]
    return Series([*known, *ahead]).between(start_utc, end_utc)


def _of_one_source(readings: Iterable[Intensity]) -> list[Intensity]:
    """Those of the source, kind and factors with the most, an actual in front of an estimate of the same time."""
    by_source: dict[tuple[str, str, str], dict[datetime, Intensity]] = {}
    for reading in sorted(readings, key=lambda r: r.status, reverse=True):  # "estimated" before "actual"
        by_source.setdefault((reading.source, reading.kind, reading.factors), {})[reading.start_utc] = reading
    most = max(by_source.values(), key=len, default={})
    found: list[Intensity] = []
    for reading in sorted(most.values(), key=lambda r: r.start_utc):
        if not found or found[-1].end_utc <= reading.start_utc:
            found.append(reading)
    return found


def _strips(
    view: View, zone: str | None, start_utc: datetime, end_utc: datetime, width: int, glyphs: Glyphs
) -> list[Text]:
    """Rows below the plot: what was run and is planned in its zone, in each other one, and where now is."""
    ran = [(run.zone, (run.started_utc, run.ended_utc)) for run in view.runs]
    planned = [(span.zone, (span.start_utc, span.end_utc)) for span in view.planned]
    rows = [
        ("ran", [span for where, span in ran if where == zone], glyphs.levels[-1], "green"),
        ("plan", [span for where, span in planned if where == zone], glyphs.mark, "green"),
    ]
    rows += [
        (other, [span for where, span in (*ran, *planned) if where == other], glyphs.mark, "dim")
        for other in sorted({where for where, _ in (*ran, *planned)} - {zone})
    ]
    if view.job.state in OPEN_STATES:
        rows.append(("now", [(view.now_utc, view.now_utc + timedelta(microseconds=1))], glyphs.vertical, ""))
    return [
        strip(name, spans, start_utc, end_utc, width=width, mark=mark, style=style)
        for name, spans, mark, style in rows
        if spans
    ]


def _next(view: View, times: Times) -> list[tuple[str, str]]:
    if view.job.state not in OPEN_STATES:
        return []
    if not view.planned:
        return [("next run", "not planned" if view.able else "not planned: no worker alive may run it")]
    span = view.planned[0]
    return [("next run", f"{times.span(span.start_utc, span.end_utc)}, {span.zone}")]


def _workers(view: View) -> list[tuple[str, str]]:
    if view.job.state not in OPEN_STATES:
        return []
    if not view.able:
        return [("workers", "none")]
    lines = [_worker(worker, view.now_utc) for worker in view.able[:_MOST_WORKERS]]
    if len(view.able) > _MOST_WORKERS:
        lines.append(f"and {number(len(view.able) - _MOST_WORKERS, 0)} more")
    return [("workers" if n == 0 else "", line) for n, line in enumerate(lines)]


def _worker(worker: WorkerRecord, now_utc: datetime) -> str:
    pace = "pace unknown" if worker.pace_tokens_per_s is None else f"{number(worker.pace_tokens_per_s, 0)} tokens/s"
    seen = in_words(max(0.0, (now_utc - worker.seen_utc).total_seconds()))
    return f"{worker.worker_id[:12]} {worker.state}, {worker.zone}, {worker.engine}, {pace}, seen {seen} ago"
