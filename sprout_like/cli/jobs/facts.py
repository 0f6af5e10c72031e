"""What there is to say of a job, as names and values in two columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sprout_like.cli.grid.times import Times, in_words
from sprout_like.jobs.job import OPEN_STATES, Run
from sprout_like.jobs.showing.saving import saved_share
from sprout_like.jobs.showing.view import View
from sprout_like.printable import label
from sprout_like.reports.figures import UNKNOWN_MARK, grams, joules_scale, number

__all__ = ["joules", "of_what", "progress", "saving", "used"]

Facts = list[tuple[str, str]]

_LEAST_SHARE: Final = 0.005


def joules(value_j: float | None) -> str:
    """J in the unit that suits it."""
    scale = joules_scale((value_j,))
    return UNKNOWN_MARK if value_j is None else f"{scale(value_j)} {scale.unit}"


def of_what(view: View, times: Times) -> Facts:
    """What was asked for."""
    job = view.job
    asked = [
        ("model", job.model),
        ("engine", job.engine or "any"),
        ("task", job.task or ""),
        ("policy", job.policy or ""),
        ("zones", ", ".join(job.zones) or "any"),
        ("tags", ", ".join(f"{label(name)}={label(value)}" for name, value in job.tags.items())),
        ("answers to", job.out or ""),
        ("schedule", job.schedule_id or ""),
        ("submitted", times.moment(job.submitted_utc)),
        ("earliest", "" if job.earliest_utc is None else times.moment(job.earliest_utc)),
        ("ended", "" if job.finished_utc is None else times.moment(job.finished_utc)),
    ]
    return [(name, value) for name, value in asked if value]


def progress(view: View, times: Times) -> Facts:
    """How far it is, and how long there is."""
    standing, job = view.standing, view.job
    parts = [f"{number(standing.done_n, 0)} of {number(job.items_n, 0)} done"]
    for count, what in ((standing.leased_n, "with a worker"), (standing.failed_n, "set aside")):
        if count:
            parts.append(f"{number(count, 0)} {what}")
    deadline = times.moment(job.deadline_utc)
    if job.state in OPEN_STATES:
        left_s = (job.deadline_utc - view.now_utc).total_seconds()
        deadline += f", {in_words(left_s)} left" if left_s > 0 else f", {in_words(-left_s)} ago"
    return [("items", ", ".join(parts)), ("deadline", deadline)]


def used(view: View) -> Facts:
    """Energy and carbon of the answers, and of how many runs they are unknown."""
    energy_j, operational_g = view.standing.energy_j, view.standing.operational_g
    if not (view.standing.done_n or view.runs):
        return [("energy", "none yet"), ("carbon", "none yet")]
    unmetered = [run for run in view.runs if run.energy_j is None]
    unplaced = [run for run in view.runs if run.operational_g is None]
    return [
        ("energy", "unknown" if energy_j is None else joules(energy_j) + _but(unmetered, view.runs)),
        ("carbon", "unknown" if operational_g is None else f"{grams(operational_g)} CO2e" + _but(unplaced, view.runs)),
    ]


def _but(unknown: Sequence[Run], runs: Sequence[Run]) -> str:
    return f", and unknown of {len(unknown)} of {len(runs)} runs" if unknown else ""


def saving(view: View) -> Facts:
    """Against running at once: as planned, and of the runs so far."""
    job, so_far = view.job, view.so_far
    facts = [("planned", _against(job.planned_g, job.at_once_g, "unknown: no forecast or no measured pace yet"))]
    if so_far.runs_n:
        reason = "unknown: no published intensities of the hours after its submission, or no metered energy"
        text = _against(so_far.emitted_g, so_far.at_once_g, reason)
        if 0 < so_far.known_n < so_far.runs_n:
            text += f"; {so_far.known_n} of {so_far.runs_n} runs, the others are unknown"
        facts.append(("so far", f"{text}, modelled" if so_far.known_n else text))
    return facts


def _against(emitted_g: float | None, at_once_g: float | None, unknown: str) -> str:
    share = saved_share(emitted_g, at_once_g)
    if share is None:
        return unknown
    pair = f"{grams(emitted_g)} CO2e instead of {grams(at_once_g)} at once"
    if abs(share) < _LEAST_SHARE:
        return f"{pair}: no saving"
    return f"{pair}: {number(100 * abs(share), 0)} % {'less' if share > 0 else 'more'}"
