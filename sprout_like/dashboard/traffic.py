"""What was served in a span: how much, by which directives, at which cost per request. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from sprout_like.dashboard.span import Span

__all__ = ["OTHERS", "Carbon", "Mix", "Other", "Plots", "Served", "Traffic", "merged", "rate_since", "traffic_of"]

OTHERS: Final = "(other directives)"
"""Stands for those beyond the most used; no directive has brackets in its name."""

_MOST_DIRECTIVES: Final = 7
_LEAST_OF_A_BUCKET: Final = 1 / 6

_Number = TypeVar("_Number", int, float)
_Provenance = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Served:
    """Rows that share a bucket, a purpose, a directive, the provenance of their grams and a method. Sums over rows.

    Attributes:
        at_utc: a moment in the bucket.
        energy_j, uncertainty_j, operational_g: None where no row knows it.
        energy_known_n, uncertainty_known_n, carbon_known_n: rows that do.
    """

    at_utc: datetime
    purpose: str
    directive: str
    kind: str | None
    factors: str | None
    energy_method: str
    requests_n: int
    errors_n: int
    new_tokens: int | None
    energy_j: float | None
    energy_known_n: int
    uncertainty_j: float | None
    uncertainty_known_n: int
    operational_g: float | None
    carbon_known_n: int


@dataclass(frozen=True, slots=True)
class Carbon:
    """Operational emissions of one kind and factors; those of others are never added to it.

    Attributes:
        operational_g: g CO2e of `known_n` requests. per_request_g: of one of them.
    """

    kind: str
    factors: str
    operational_g: float
    known_n: int
    per_request_g: float


@dataclass(frozen=True, slots=True)
class Mix:
    """A directive in the span; `share` is of all requests, `per_request_j` None where no energy is known."""

    directive: str
    requests_n: int
    share: float
    per_request_j: float | None


@dataclass(frozen=True, slots=True)
class Other:
    """Rows of another purpose than `request`, which the figures leave out; `energy_j` None where unknown."""

    purpose: str
    requests_n: int
    energy_j: float | None


@dataclass(frozen=True, slots=True)
class Plots:
    """Columns of equal length, a figure for each bucket; None where unknown.

    Attributes:
        times_s: starts of the buckets, in s since 1970.
        per_minute: requests.
        mix: requests per minute by directive, in the order of `Traffic.directives`.
        per_request_j: mean energy of a request.
        per_request_g: mean operational emissions of a request, in the order of `Traffic.carbon`.
    """

    times_s: Sequence[int]
    per_minute: Sequence[float]
    mix: Sequence[Sequence[float]]
    per_request_j: Sequence[float | None]
    per_request_g: Sequence[Sequence[float | None]]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests of a span.

    Attributes:
        since_utc: its start. step_s: length of a bucket.
        requests_n: requests. errors_n: those whose generation raised. new_tokens: as far as known, None where not.
        per_minute: requests per minute of the span, counted from the first request where the ledger is younger.
        energy_j: of `energy_known_n` requests; None where unknown. uncertainty_j: its half-width, were all
            errors to one side; a report, which knows each meter's own error, says less.
        per_request_j: mean over those that know it. per_request_uncertainty_j: its half-width.
        carbon: for each kind and factors, that of the most requests first.
        carbon_unknown_n: requests of unknown emissions.
        methods: requests by `energy_method`.
        directives: the most used first; beyond seven they are put together.
        others: what else ran in the span.
    """

    since_utc: datetime
    step_s: int
    requests_n: int
    errors_n: int
    new_tokens: int | None
    per_minute: float
    energy_j: float | None
    energy_known_n: int
    uncertainty_j: float | None
    per_request_j: float | None
    per_request_uncertainty_j: float | None
    carbon: Sequence[Carbon]
    carbon_unknown_n: int
    methods: dict[str, int]
    directives: Sequence[Mix]
    others: Sequence[Other]
    plots: Plots


def merged(lines: Iterable[Served], span: Span) -> list[Served]:
    """The same in as few lines as the span needs; of other purposes than `request`, only how much they were."""
    groups: defaultdict[tuple[object, ...], list[Served]] = defaultdict(list)
    for line in lines:
        at_utc = span.bucket_utc(line.at_utc)
        key = (line.directive, line.kind, line.factors, line.energy_method) if line.purpose == "request" else ()
        groups[at_utc, line.purpose, *key].append(line)
    return [_together(span.bucket_utc(group[0].at_utc), group) for group in groups.values()]


def _together(at_utc: datetime, group: Sequence[Served]) -> Served:
    return replace(
        group[0],
        at_utc=at_utc,
        requests_n=sum(line.requests_n for line in group),
        errors_n=sum(line.errors_n for line in group),
        new_tokens=_sum(line.new_tokens for line in group),
        energy_j=_sum(line.energy_j for line in group),
        energy_known_n=sum(line.energy_known_n for line in group),
        uncertainty_j=_sum(line.uncertainty_j for line in group),
        uncertainty_known_n=sum(line.uncertainty_known_n for line in group),
        operational_g=_sum(line.operational_g for line in group),
        carbon_known_n=sum(line.carbon_known_n for line in group),
    )


def traffic_of(lines: Iterable[Served], span: Span, now_utc: datetime) -> Traffic:
    """Add the lines up."""
    every = list(lines)
    mine = [line for line in every if line.purpose == "request"]
    requests_n = sum(line.requests_n for line in mine)
    energy_known_n = sum(line.energy_known_n for line in mine)
    energy_j = _sum(line.energy_j for line in mine)
    # Rows that do not know their half-width are taken to be like those that do.
    each_j = _each(_sum(line.uncertainty_j for line in mine), sum(line.uncertainty_known_n for line in mine))
    carbon = _carbon(mine)
    directives = _directives(mine, requests_n)
    since_utc = span.since_utc(now_utc)
    first_utc = min((span.bucket_utc(line.at_utc) for line in mine), default=since_utc)
    return Traffic(
        since_utc=since_utc,
        step_s=span.step_s,
        requests_n=requests_n,
        errors_n=sum(line.errors_n for line in mine),
        new_tokens=_sum(line.new_tokens for line in mine),
        per_minute=requests_n / max(1.0, (now_utc - max(since_utc, first_utc)) / timedelta(minutes=1)),
        energy_j=energy_j,
        energy_known_n=energy_known_n,
        uncertainty_j=None if each_j is None else each_j * energy_known_n,
        per_request_j=_each(energy_j, energy_known_n),
        per_request_uncertainty_j=each_j,
        carbon=carbon,
        carbon_unknown_n=sum(line.requests_n - line.carbon_known_n for line in mine),
        methods=_counts(mine, lambda line: line.energy_method),
        directives=directives,
        others=[
            Other(purpose, count, _sum(line.energy_j for line in every if line.purpose == purpose))
            for purpose, count in _counts(every, lambda line: line.purpose).items()
            if purpose != "request"
        ],
        plots=_plots(mine, span, now_utc, [mix.directive for mix in directives], carbon),
    )


def rate_since(lines: Iterable[Served], since_utc: datetime, now_utc: datetime) -> float:
    """Requests per minute between two moments."""
    count = sum(line.requests_n for line in lines if line.purpose == "request" and line.at_utc >= since_utc)
    return count / max(1.0, (now_utc - since_utc) / timedelta(minutes=1))


def _directives(lines: Sequence[Served], requests_n: int) -> list[Mix]:
    counts = _counts(lines, lambda line: line.directive)
    named = list(counts) if len(counts) <= _MOST_DIRECTIVES else list(counts)[: _MOST_DIRECTIVES - 1]
    groups = [(name, [line for line in lines if line.directive == name]) for name in named]
    if len(named) < len(counts):
        groups.append((OTHERS, [line for line in lines if line.directive not in named]))
    return [_mix(name, group, requests_n) for name, group in groups]


def _mix(name: str, lines: Sequence[Served], requests_n: int) -> Mix:
    count = sum(line.requests_n for line in lines)
    known_n = sum(line.energy_known_n for line in lines)
    return Mix(name, count, count / requests_n, _each(_sum(line.energy_j for line in lines), known_n))


def _carbon(lines: Iterable[Served]) -> list[Carbon]:
    groups: defaultdict[_Provenance, list[Served]] = defaultdict(list)
    for line in lines:
        if line.operational_g is not None and line.carbon_known_n:
            groups[line.kind, line.factors].append(line)
    found = []
    for (kind, factors), group in groups.items():
        total_g, known_n = _sum(line.operational_g for line in group) or 0.0, sum(line.carbon_known_n for line in group)
        found.append(Carbon(kind or "unknown", factors or "unknown", total_g, known_n, total_g / known_n))
    return sorted(found, key=lambda each: (-each.known_n, each.kind, each.factors))


def _plots(
    lines: Iterable[Served], span: Span, now_utc: datetime, directives: Sequence[str], carbon: Sequence[Carbon]
) -> Plots:
    step = timedelta(seconds=span.step_s)
    starts = [span.since_utc(now_utc) + n * step for n in range(span.buckets_n)]
    if (now_utc - starts[-1]) / step < _LEAST_OF_A_BUCKET:
        starts.pop()  # a rate over the first seconds of a bucket is noise
    minutes = [min(step, now_utc - start) / timedelta(minutes=1) for start in starts]
    in_bucket: defaultdict[datetime, list[Served]] = defaultdict(list)
    for line in lines:
        in_bucket[span.bucket_utc(line.at_utc)].append(line)
    rates = [_rates(in_bucket[start], directives, length) for start, length in zip(starts, minutes, strict=True)]
    return Plots(
        times_s=[int(start.timestamp()) for start in starts],
        per_minute=[sum(rate) for rate in rates],
        mix=[[rate[n] for rate in rates] for n in range(len(directives))],
        per_request_j=[
            _each(_sum(line.energy_j for line in group), sum(line.energy_known_n for line in group))
            for group in map(in_bucket.__getitem__, starts)
        ],
        per_request_g=[[_grams_each(in_bucket[start], each) for start in starts] for each in carbon],
    )


def _rates(lines: Sequence[Served], directives: Sequence[str], minutes: float) -> list[float]:
    """Requests per minute by directive."""
    counts = dict.fromkeys(directives, 0)
    for line in lines:
        counts[line.directive if line.directive in counts else OTHERS] += line.requests_n
    return [count / minutes for count in counts.values()]


def _grams_each(lines: Iterable[Served], of: Carbon) -> float | None:
    group = [line for line in lines if (line.kind or "unknown", line.factors or "unknown") == (of.kind, of.factors)]
    return _each(_sum(line.operational_g for line in group), sum(line.carbon_known_n for line in group))


def _counts(lines: Iterable[Served], key: Callable[[Served], str]) -> dict[str, int]:
    """Requests by key, most first."""
    counts: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        counts[key(line)] += line.requests_n
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _sum(values: Iterable[_Number | None]) -> _Number | None:
    known = [value for value in values if value is not None]
    return sum(known[1:], start=known[0]) if known else None


def _each(total: float | None, n: int) -> float | None:
    return None if total is None or not n else total / n
