"""Jobs that could wait: their windows on the intensity, and what waiting saved."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from sprout_like.reports.figures import UNKNOWN_MARK
from sprout_like.reports.html.palette import SERIES
from sprout_like.reports.html.plots.windows import Lane, Slot, Trace, windows
from sprout_like.reports.html.svg import Styles
from sprout_like.reports.html.units import electricity, emissions, in_column, moment, points, share
from sprout_like.reports.html.view import Column, Key, Picture, Section, Table, TableBuilder
from sprout_like.reports.html.words import DASHES, basis, count, named, sign
from sprout_like.reports.report import JobLine, Report, ZoneIntensity

__all__ = ["section"]

_LANES = 8
_ROWS = 200
_TRACES = 3
_RUN, _PLANNED = (SERIES[2], None), (SERIES[1], "///")
_NOTHING_RUN = "no run of it has published intensities yet"


def section(report: Report, styles: Styles) -> Section:
    """The section."""
    name, title = "jobs", "Batch windows"
    if not report.jobs:
        return Section(name=name, title=title, notes=["No job was submitted or ran in this span."])
    lead = [
        "A job is work with a deadline; it runs in windows of low intensity before that. Planned savings are "
        "expectations on the forecast of the time; saved is what the published intensities say, against the same "
        "energy had it been used at once."
    ]
    parts = [_picture(report.jobs, report.zones, styles)]
    return Section(name=name, title=title, lead=lead, parts=parts)


def _picture(jobs: Sequence[JobLine], zones: Sequence[ZoneIntensity], styles: Styles) -> Picture:
    shown = jobs[:_LANES]
    traces, keys = _traces(zones, shown)
    states = {window.state for job in shown for window in job.windows}
    keys += [sign("ran", _RUN[0], hatch=_RUN[1])] if "run" in states else []
    keys += [sign("planned", _PLANNED[0], hatch=_PLANNED[1])] if "planned" in states else []
    lanes = [
        Lane(
            job.task or job.job_id,
            _saved(job),
            job.submitted_utc,
            job.deadline_utc,
            [Slot(w.start_utc, w.end_utc, *(_RUN if w.state == "run" else _PLANNED)) for w in job.windows],
        )
        for job in shown
    ]
    said = "; ".join(
        f"{lane.name}: from {moment(lane.from_utc)} to {moment(lane.until_utc)} UTC, {len(lane.slots)} windows, "
        f"{lane.written}"
        for lane in lanes
    )
    more = "" if len(jobs) <= _LANES else f" The latest {_LANES} of {len(jobs):,} jobs are drawn."
    return Picture(
        svg=windows("plot-jobs", traces, lanes, ("Intensity, g CO₂e/kWh", "Jobs, time in UTC"), said, styles),
        title="Windows of jobs, and the intensity around them",
        reading="A thin line leads from a job's submission to its deadline, the bold mark; the bars are its windows, "
        f"shaded in the panel above.{more}",
        keys=keys,
        tables=[_times(jobs), _grams(jobs)],
    )


def _saved(job: JobLine) -> str:
    if job.saving is not None:
        return f"saved {share(job.saving)}" if job.saving >= 0 else f"emitted {share(-job.saving)} more"
    return "" if job.planned_saving is None else f"planned to save {share(job.planned_saving)}"


def _traces(zones: Sequence[ZoneIntensity], jobs: Sequence[JobLine]) -> tuple[list[Trace], list[Key]]:
    """Of the zones with the most windows; what is published and what is expected have a dash each."""
    begin = min(job.submitted_utc for job in jobs)
    end = max([job.deadline_utc for job in jobs] + [window.end_utc for job in jobs for window in job.windows])
    often = Counter(window.zone for job in jobs for window in job.windows)
    slots: defaultdict[tuple[str, str | None, str | None, bool], list[ZoneIntensity]] = defaultdict(list)
    for each in zones:
        if each.end_utc > begin and each.start_utc < end and each.zone in often:
            slots[each.zone, each.intensity_kind, each.intensity_factors, each.status == "forecast"].append(each)
    places = dict.fromkeys(key[:3] for key in sorted(slots, key=lambda key: (-often[key[0]], str(key))))
    traces, keys = [], []
    for place, trace in enumerate(list(places)[:_TRACES]):
        for forecast in (False, True):
            found = sorted(slots.get((*trace, forecast), ()), key=lambda each: each.start_utc)
            if found:
                colour, dash = SERIES[(0, 3, 4)[place]], 2 if forecast else place % 2
                levels = [(each.start_utc, each.end_utc, each.g_per_kwh) for each in found]
                traces.append(Trace(levels, colour, DASHES[dash]))
                how = "forecast" if forecast else "published"
                keys.append(sign(f"{trace[0]}, {how} ({basis(*trace[1:])})", colour, dash=dash))
    return traces, keys


def _times(jobs: Sequence[JobLine]) -> Table:
    headings = ("job", "task", "model", "state", "submitted (UTC)", "deadline", "finished", "windows (UTC)")
    columns = [Column(heading, figures=False) for heading in headings]
    rows = TableBuilder("When jobs could run and did, the latest first", columns, longest=_ROWS)
    for job in jobs:
        spans = [
            f"{moment(w.start_utc)} to {moment(w.end_utc)} in {w.zone} ({'ran' if w.state == 'run' else 'planned'})"
            for w in job.windows
        ]
        rows.add(
            job.job_id,
            (named(job.task), "the job names no task"),
            job.model,
            job.state,
            moment(job.submitted_utc),
            moment(job.deadline_utc),
            (moment(job.finished_utc), "it goes on"),
            ("; ".join(spans) or UNKNOWN_MARK, "no window is planned, and it did not run yet"),
        )
    return rows.table()


def _grams(jobs: Sequence[JobLine]) -> Table:
    grams = emissions(value for job in jobs for value in (job.operational_g, job.emitted_g, job.at_once_g))
    energy = electricity(job.energy_j for job in jobs)
    headings = (
        *(
            "items",
            "answered",
            "set aside",
            f"energy, {energy.unit}",
            f"operational, {grams.unit}",
            "planned saving, %",
        ),
        *(f"published: emitted, {grams.unit}", f"had it run at once, {grams.unit}", "saved, %", "runs published"),
    )
    columns = [Column("job", figures=False), *map(Column, headings)]
    rows = TableBuilder("What jobs used, and what waiting saved", columns, longest=_ROWS)
    for job in jobs:
        rows.add(
            job.job_id,
            count(job.items_n),
            count(job.done_n),
            count(job.failed_n),
            (in_column(job.energy_j, energy), "none of its answers has a known energy"),
            (in_column(job.operational_g, grams), "none of its answers has known emissions"),
            (points(job.planned_saving), "its plan was made without a forecast"),
            (in_column(job.emitted_g, grams), _NOTHING_RUN),
            (in_column(job.at_once_g, grams), _NOTHING_RUN),
            (points(job.saving), _NOTHING_RUN),
            f"{job.known_runs:,} of {job.runs:,}",
        )
    return rows.table()
