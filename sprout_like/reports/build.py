"""Reads a ledger and works out a report."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context
from functools import cache
from importlib.metadata import version
from json import loads
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, Subquery, select

from sprout_like.errors import ReportError
from sprout_like.ledger.begun import first_and_last_utc
from sprout_like.ledger.rollups.facts import daily_facts, facts
from sprout_like.reports.grouping import TAG
from sprout_like.reports.report import Report, Span
from sprout_like.reports.sections.costs import costs, sci
from sprout_like.reports.sections.devices import read_devices
from sprout_like.reports.sections.jobs import MOST_JOBS, read_jobs
from sprout_like.reports.sections.method import method, read_sources
from sprout_like.reports.sections.overview import classes, headlines, lines, mix, points
from sprout_like.reports.sections.quality import read_quality
from sprout_like.reports.sections.reading import cells, groups, levels, step_of
from sprout_like.reports.sections.saved import read_savings
from sprout_like.reports.sections.site import check_sources, equivalences, scope2, site
from sprout_like.settings import Settings

__all__ = ["DIGITS", "Asked", "build", "steady"]

DIGITS = 9
"""Significant digits of a figure in a report: databases add up in orders of their own, which moves the sixteenth."""

_ROUNDED: Final = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN)

_Content = TypeVar("_Content")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is to be about.

    Attributes:
        since_utc, until_utc: the span, its end exclusive; None leaves an end open.
        period: its name, where it is a whole day, week, month or year.
        by: dimensions of the lines, as `grouping.dimensions` gives them.
        share_idle: share the time between requests out over the lines.

    Raises:
        ReportError: the span ends before it begins.
    """

    since_utc: datetime | None = None
    until_utc: datetime | None = None
    period: str | None = None
    by: tuple[str, ...] = ("directive",)
    share_idle: bool = False

    def __post_init__(self) -> None:
        if self.since_utc is not None and self.until_utc is not None and self.since_utc >= self.until_utc:
            raise ReportError("--until: the span ends before it begins. Give a moment after --since")

    @property
    def span(self) -> dict[str, datetime | None]:
        """Both ends, as arguments."""
        return {"since_utc": self.since_utc, "until_utc": self.until_utc}


def build(engine: Engine, settings: Settings, asked: Asked | None = None) -> Report:
    """The report: the same for the same ledger, settings and release, whatever time it is.

    Args:
        engine: a database with the ledger's schema, from `open_engine`.
        settings: floors, prices, contract and the rest.
        asked: what it is to be about; None for the whole ledger by directive.

    Raises:
        SettingError: a setting is not as it must be, e.g. a factor without its source.
        PolicyError: a row does not hold what a policy is made of.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    asked = asked or Asked()
    check_sources(settings)
    # Savings read as many lines as all the rest does; the database can do both at once.
    with ThreadPoolExecutor(1, "savings") as beside, engine.connect() as connection:
        reading_savings = beside.submit(read_savings, engine, settings, **asked.span)
        first_utc, last_utc = first_and_last_utc(connection, **asked.span)
        step = step_of(asked.since_utc or first_utc, asked.until_utc or last_utc)
        of_step = facts if step == "hour" else daily_facts
        alike = cells(connection, of_step(engine, **asked.span), step)
        of_lines = facts if "hour" in asked.by else daily_facts
        grouped = groups(connection, of_lines(engine, **asked.span), asked.by)
        classed = classes(levels(connection, facts(engine, **asked.span)))
        sources = read_sources(connection, **asked.span)
        missing = _absent_tags(connection, daily_facts(engine, **asked.span), asked.by, {key[0] for key in grouped})
        devices = read_devices(engine, **asked.span)
        jobs, zones, jobs_n = read_jobs(engine, **asked.span, pue=settings.pue)
        saved = reading_savings.result()
    electricity = scope2(alike, settings)
    place = site(alike, devices, settings, idle_shared=asked.share_idle)
    further = [*missing]
    if jobs_n > len(jobs):
        further.append(f"Of {jobs_n:,} jobs, the {MOST_JOBS} that were submitted last are shown.")
    return steady(
        Report(
            version=version("sprout-like"),
            span=Span(**asked.span, first_utc=first_utc, last_utc=last_utc, period=asked.period),
            by=asked.by,
            headlines=headlines(alike),
            lines=lines(grouped, asked.by, idle_j=place.idle_j if asked.share_idle else None),
            step=step,
            points=points(alike),
            mix=mix(alike),
            classes=classed,
            savings=saved,
            quality=read_quality(engine, settings, {line.model: line for line in saved.modelled}, **asked.span),
            costs=costs(alike, settings),
            jobs=jobs,
            zones=zones,
            devices=devices,
            sci=sci(alike),
            scope2=electricity,
            site=place,
            equivalences=equivalences(alike),
            method=method(
                alike,
                sources=sources,
                savings=saved,
                devices=devices,
                scope2=electricity,
                site=place,
                further=further,
            ),
        )
    )


def steady(content: _Content) -> _Content:
    """The content with each figure at `DIGITS` significant digits; one that is no finite number becomes unknown."""
    return _steady(content)  # type: ignore[no-any-return]


def _steady(value: Any) -> Any:
    if isinstance(value, float):
        # A sum of milliseconds or mJ is often just between two figures, where its last bit would decide: it is made
        # the decimal number that it stands for first.
        exact = f"{value:.{DIGITS + 4}g}"
        return float(_ROUNDED.create_decimal(exact)) + 0.0 if math.isfinite(value) else None
    if isinstance(value, tuple):
        return tuple(map(_steady, value))
    if isinstance(value, Mapping):
        return {key: _steady(of) for key, of in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{name: _steady(getattr(value, name)) for name in _fields(type(value))})
    return value


@cache
def _fields(content: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(content))


def _absent_tags(
    connection: Connection, lines_of_facts: Subquery, by: Sequence[str], seen: Collection[tuple[str | None, ...]]
) -> list[str]:
    """A sentence for each tag asked for that no request has."""
    absent = [
        name.removeprefix(TAG)
        for place, name in enumerate(by)
        if name.startswith(TAG) and seen and all(values[place] is None for values in seen)
    ]
    if not absent:
        return []
    texts = connection.scalars(select(lines_of_facts.c.tags).distinct())
    known = sorted({tag for text in texts for tag in loads(text)})
    there = f"; the tags there are: {', '.join(known)}" if known else "; there is no tag at all"
    return [f"No request of this span has the tag {name}{there}." for name in absent]
