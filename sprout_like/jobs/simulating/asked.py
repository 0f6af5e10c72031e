"""The jobs of a simulation: made up, or read from a file."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sprout_like.errors import JobError
from sprout_like.jobs.planning.order import Task, too_late

__all__ = ["Asked", "generated", "read_jobs"]

_KEYS = ("arrival_utc", "deadline_utc", "duration_s")
_MOST_DRAWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A job of the simulation, in s from its start: when it is submitted, must be done, and how long it runs."""

    name: str
    arrival_s: float
    due_s: float
    work_s: float


def generated(
    count: int, *, span_s: float, deadlines_s: Sequence[float], durations_s: Sequence[float], load_s: float, seed: int
) -> list[Asked]:
    """Jobs that come at random moments, with these deadlines and durations in equal shares.

    A moment is drawn again while one station could not keep all deadlines even if it loaded anew for every job. One
    that works whenever there is anything to do, earliest deadline first, loads no more often than that and keeps them
    all, so that a missed one is always a policy's own doing.

    Args:
        count: how many.
        span_s: all come and are due within it.
        deadlines_s: time from submission to deadline.
        durations_s: time of work, with `load_s` within every deadline.
        load_s: time of a start.
        seed: of the draws.

    Raises:
        JobError: so many do not fit.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    shares = rng.permutation(count)
    asked: list[Asked] = []
    tasks: list[Task] = []
    for number in range(count):
        within_s = deadlines_s[number % len(deadlines_s)]
        work_s = durations_s[int(shares[number]) % len(durations_s)]
        for _ in range(_MOST_DRAWS):
            arrival_s = math.floor(float(rng.uniform(0, max(span_s - within_s, 0))))
            task = Task(number, work_s + load_s, arrival_s, arrival_s + within_s)
            near = [each for each in tasks if _touch(each, task)]
            if arrival_s + within_s <= span_s and not too_late([*near, task], 0.0):
                break
        else:
            raise JobError(
                f"--jobs: {count} jobs do not fit into {span_s / 86400:g} days on one station; number {number + 1} "
                "finds no place. Ask for fewer or shorter ones, or later deadlines"
            )
        tasks.append(task)
        asked.append(Asked(name=f"job-{number:04d}", arrival_s=arrival_s, due_s=task.due_s, work_s=work_s))
    return sorted(asked, key=lambda each: each.arrival_s)


def _touch(one: Task, other: Task) -> bool:
    """Whether they may get into each other's way, directly or by one between them."""
    reach_s = 2 * 86400.0
    return one.release_s <= other.due_s + reach_s and other.release_s <= one.due_s + reach_s


def read_jobs(path: Path, start_utc: datetime, end_utc: datetime) -> list[Asked]:
    """Jobs from JSON lines: `arrival_utc`, `deadline_utc`, `duration_s`, and `job_id` if there is one.

    Raises:
        JobError: the file cannot be read, or a line is not a job of the time that is simulated; the message has the
            number of the line.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise JobError(
            f"--jobs {path}: cannot be read: {getattr(exc, 'strerror', None) or exc}. Give a number or a file"
        ) from exc
    asked = [
        _job(f"--jobs {path}, line {number}", line, number, start_utc, end_utc)
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not asked:
        raise JobError(f"--jobs {path}: there is no job in it. Give one a line, as JSON with {', '.join(_KEYS)}")
    return sorted(asked, key=lambda each: each.arrival_s)


def _job(where: str, line: str, number: int, start_utc: datetime, end_utc: datetime) -> Asked:
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise JobError(f"{where}: it is not JSON ({exc}). Give one job a line") from exc
    if not isinstance(found, dict) or any(key not in found for key in _KEYS):
        raise JobError(f"{where}: a job has {', '.join(_KEYS)}. Give all of them")
    arrival, deadline = (_stamp(where, key, found[key]) for key in _KEYS[:2])
    duration_s = found["duration_s"]
    if isinstance(duration_s, bool) or not isinstance(duration_s, int | float) or not 0 < duration_s < math.inf:
        raise JobError(f"{where}: duration_s is {duration_s!r:.40}. Give a number above 0")
    if duration_s > (end_utc - start_utc).total_seconds():
        raise JobError(f"{where}: duration_s is longer than the time that is simulated. Give less, or more --days")
    if not start_utc <= arrival <= deadline <= end_utc:
        span = f"{start_utc.isoformat()} to {end_utc.isoformat()}"
        raise JobError(f"{where}: it must come, and be due after that, within {span}. Move it, --start or --days")
    return Asked(
        name=str(found.get("job_id", f"line {number}")),
        arrival_s=(arrival - start_utc).total_seconds(),
        due_s=(deadline - start_utc).total_seconds(),
        work_s=float(duration_s),
    )


def _stamp(where: str, key: str, text: Any) -> datetime:
    try:
        stamp = datetime.fromisoformat(text)
        utc = stamp.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as exc:
        raise JobError(
            f"{where}: {key} is {text!r:.40}. Give an ISO 8601 time stamp such as 2026-12-01T08:00Z"
        ) from exc
    if stamp.tzinfo is None:
        raise JobError(f"{where}: {key} is {text}, without a zone. Add one, such as Z for UTC")
    return utc
