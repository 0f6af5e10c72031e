"""A report of four requests, to be changed where a test wants it otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sprout_like.reports.interval import UNKNOWN, Figure
from sprout_like.reports.report import Emission, Headline, Line, Method, Report, Savings, Site, Span, Usage
from sprout_like.reports.saving import MeasuredSaving

USAGE = Usage(
    requests=4,
    rows=4,
    errors=0,
    prompt_tokens=40,
    new_tokens=128,
    duration_s=6.0,
    energy_j=Figure(80.0, 78.0, 82.0),
    energy_unknown=0,
    embodied_g=UNKNOWN,
    embodied_unknown=4,
)
EMISSION = Emission(
    intensity_kind="average",
    intensity_factors="direct",
    requests=4,
    operational_g=Figure(0.004, 0.0039, 0.0041),
    carbon_unknown=0,
    intensity_g_per_kwh=180.0,
    logged_operational_g=0.004,
    stale=0,
    settled=0,
    provisional=0,
)
LINE = Line(group=("brief",), purpose="request", usage=USAGE, emission=EMISSION)
UNKNOWN_LINE = replace(
    LINE,
    usage=replace(USAGE, new_tokens=None, energy_j=UNKNOWN, energy_unknown=4),
    emission=replace(EMISSION, operational_g=UNKNOWN, carbon_unknown=4),
)
SAVING = MeasuredSaving("threshold:1", "energy", None, None, 400, 31, 0.31, 0.215, 0.404)
SITE = Site(
    meter_kwh=Figure(80 / 3.6e6),
    facility_kwh=Figure(96 / 3.6e6),
    pues=(1.2,),
    wue_l_per_kwh=None,
    wue_source=None,
    water_l=UNKNOWN,
    price_per_kwh=None,
    currency=None,
    price=UNKNOWN,
    overhead_j=None,
    idle_j=None,
    idle_shared=False,
)
_REPORT = Report(
    version="1",
    span=Span(
        since_utc=None,
        until_utc=None,
        first_utc=datetime(2026, 3, 1, 9, 5, tzinfo=UTC),
        last_utc=datetime(2026, 3, 2, 17, 45, tzinfo=UTC),
    ),
    by=("directive",),
    headlines=(Headline(purpose="request", usage=USAGE, emissions=(EMISSION,)),),
    lines=(LINE,),
    step="hour",
    points=(),
    mix=(),
    classes=(),
    savings=Savings(),
    quality=(),
    costs=(),
    jobs=(),
    zones=(),
    devices=(),
    sci=(),
    scope2=None,
    site=SITE,
    equivalences=(),
    method=Method(),
)


def made(**changes: Any) -> Report:
    return replace(_REPORT, **changes)


def line(group: str | None, **changes: Any) -> Line:
    """The line of a group, with changes to its usage and emission by their fields' names."""
    used = {name: value for name, value in changes.items() if hasattr(USAGE, name)}
    emitted = {name: value for name, value in changes.items() if hasattr(EMISSION, name)}
    rest = {name: value for name, value in changes.items() if name not in {*used, *emitted}}
    return replace(LINE, group=(group,), usage=replace(USAGE, **used), emission=replace(EMISSION, **emitted), **rest)
