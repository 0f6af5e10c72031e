"""From what a user writes, `uk`, `static:250`, `trace:day.csv`, to a source."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast, get_args

from grid.clock import UtcNow, utc_now
from grid.errors import SourceSpecError
from grid.intensity import Factors
from grid.source import Source
from grid.sources.static import StaticSource
from grid.sources.trace import TraceSource
from grid.sources.trace_csv import read_trace
from grid.sources.uk_national import UKNationalSource

__all__ = ["FORMS", "SourceSpec", "open_source"]

SourceSpec = Source | str | float | Path

FORMS = (
    "uk",
    "uk+http://HOST:PORT",
    "static:250 or a number, in g CO2e/kWh",
    "trace:FILE.csv or FILE.csv",
    "?factors=direct or ?factors=lifecycle after static and trace",
    "a Source object",
)


def open_source(
    spec: SourceSpec, *, zone: str | None = None, timeout_s: float = 10.0, now_utc: UtcNow = utc_now
) -> Source:
    """Make the source that `spec` names; one of `FORMS`.

    Args:
        spec: a name, text with a URL, a file or a figure, a path, a number, or a source, which is returned as it is.
        zone: the zone of a trace whose file does not name one.
        timeout_s: for sources that ask the network: limit on each wait, in s.
        now_utc: the clock that stamps when figures were fetched.

    Raises:
        SourceSpecError: the text cannot be understood, or the file cannot be read.
        ZoneError: the trace is for another zone.
        BadData: a cell of the trace is not what its column says.
    """
    match spec:
        case bool():
            raise _unknown(spec)
        case int() | float():
            return StaticSource(spec)
        case Path():
            return TraceSource(read_trace(spec, zone=zone, now_utc=now_utc))
        case Source():
            return spec
        case str():
            pass
        case _:
            raise _unknown(spec)
    text = spec.strip()
    if text.lower() == "uk":
        return UKNationalSource(timeout_s=timeout_s, now_utc=now_utc)
    if text.lower().startswith("uk+"):
        return UKNationalSource(base_url=text[3:], timeout_s=timeout_s, now_utc=now_utc)
    bare, factors = _split(text)
    if bare.lower().startswith("trace:") or bare.lower().endswith(".csv"):
        path = re.sub("^trace:", "", bare, flags=re.IGNORECASE)
        return TraceSource(read_trace(path, zone=zone, factors=factors, now_utc=now_utc))
    try:
        figure = float(re.sub("^static:", "", bare, flags=re.IGNORECASE))
    except ValueError:
        raise _unknown(text) from None
    return StaticSource(figure, factors=factors or "lifecycle")


def _split(text: str) -> tuple[str, Factors | None]:
    bare, mark, query = text.partition("?")
    if not mark:
        return bare, None
    key, _, value = query.partition("=")
    if key != "factors" or value not in get_args(Factors):
        raise _unknown(text)
    return bare, cast("Factors", value)


def _unknown(spec: Any) -> SourceSpecError:
    # A URL written in the wrong place may hold a password or a key.
    shown = re.sub(r"\?.*", "?…", re.sub(r"//.*@", "//…@", str(spec)))
    name = re.split(r"[:+?]", shown)[0].lower()
    near = get_close_matches(name, ("uk", "static", "trace"), n=1, cutoff=0.7)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return SourceSpecError(f"grid: {shown!r} is not a source.{hint} A source is one of: {'; '.join(FORMS)}")
