"""From what a user writes, `uk`, `static:250`, `trace:day.csv` or `electricity-maps, yearly`, to a source."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from grid.clock import UtcNow, utc_now
from grid.errors import SourceSpecError
from grid.opening.built_in import BUILT_IN
from grid.opening.keys import Keys
from grid.opening.offered import offered, open_offered
from grid.opening.opening import Opening
from grid.source import Source
from grid.sources.generation import figure

__all__ = ["FORMS", "SourceSpec", "open_source"]

SourceSpec = Source | str | float | Path | Sequence["Source | str | float | Path"]

FORMS = (
    "uk, energy-charts, electricity-maps, watttime, entsoe, eia or yearly",
    "static:250 or a number, in g CO2e/kWh",
    "trace:FILE or FILE.csv, .csv.gz, .parquet",
    "NAME+http://HOST:PORT",
    "NAME?factors=direct or ?factors=lifecycle",
    "several, separated by commas, the first that answers",
    "the name of one that an installed package offers",
    "a Source object",
)

_FILE = re.compile(r"\.(csv|csv\.gz|parquet)$", re.IGNORECASE)
_NAME = re.compile(r"(?P<name>[a-z][a-z0-9_.-]*)(:(?P<argument>[^?]*?))??(\+(?P<url>https?://[^?]*))?", re.IGNORECASE)


def open_source(
    spec: SourceSpec,
    *,
    zone: str | None = None,
    keys: Keys | None = None,
    mix: bool = False,
    timeout_s: float = 10.0,
    now_utc: UtcNow = utc_now,
) -> Source:
    """Make the source that `spec` names; one of `FORMS`.

    Args:
        spec: a name, text with a URL, a file or a figure, a path, a number, a source, which is returned as it is, or
            several of these, of which the first that answers is believed.
        zone: the zone of a trace whose file does not name one.
        keys: for the sources that want one; None for those in the environment.
        mix: let several sources differ in kind or factors.
        timeout_s: for sources that ask the network: limit on an attempt, in s.
        now_utc: the clock that stamps when figures were fetched.

    Raises:
        SourceSpecError: the text cannot be understood, a key is missing, or a file cannot be read.
        ZoneError: a trace is for another zone.
        BadData: a cell of a trace is not what its column says.
    """
    shared = Opening(
        name="",
        zone=zone,
        keys=Keys.from_environment() if keys is None else keys,
        timeout_s=timeout_s,
        now_utc=now_utc,
    )
    if isinstance(spec, bytes | bytearray | memoryview):
        raise _unknown(spec)  # a sequence too, of numbers
    if isinstance(spec, str):
        spec = [part.strip() for part in spec.split(",")]
    elif isinstance(spec, Source) or not isinstance(spec, Sequence):
        spec = [spec]
    if not spec:
        raise _unknown("")
    sources: list[Source] = []
    try:
        for one in spec:
            sources.append(_open_one(one, shared))  # noqa: PERF401 - those opened so far are closed where one fails
        if len(sources) == 1:
            return sources[0]
        from grid.live.fallback import FallbackSource

        return FallbackSource(sources, mix=mix)
    except BaseException:
        for source in sources:
            if source not in spec:
                source.close()
        raise


def _open_one(spec: Any, shared: Opening) -> Source:
    match spec:
        case bool():
            raise _unknown(spec)
        case int() | float():
            return BUILT_IN["static"](dataclasses.replace(shared, name="static", argument=str(spec)))
        case Path():
            return BUILT_IN["trace"](dataclasses.replace(shared, name="trace", argument=str(spec)))
        case Source():
            return spec
        case str():
            return _open_text(spec, shared)
        case _:
            raise _unknown(spec)


def _open_text(text: str, shared: Opening) -> Source:
    bare, _, query = text.partition("?")
    options = _options(query, text)
    if _FILE.search(bare):
        bare = bare if bare.lower().startswith("trace:") else f"trace:{bare}"
    elif figure(bare) is not None:
        bare = f"static:{bare}"
    matched = _NAME.fullmatch(bare)
    if matched is None:
        raise _unknown(text)
    name = matched["name"].lower()
    opening = dataclasses.replace(
        shared, name=name, argument=matched["argument"], base_url=matched["url"], options=options
    )
    if (make := BUILT_IN.get(name)) is not None:
        return make(opening)
    if (entry := offered().get(name)) is not None:
        return open_offered(entry, opening)
    raise _unknown(text)


def _options(query: str, text: str) -> dict[str, str]:
    options = {}
    for pair in query.split("&") if query else ():
        key, mark, value = pair.partition("=")
        if not key or not mark or key in options:
            raise _unknown(text)
        options[key] = value
    return options


def _unknown(spec: Any) -> SourceSpecError:
    # A URL written in the wrong place may hold a password or a key.
    shown = re.sub(r"\?.*", "?…", re.sub(r"//.*@", "//…@", str(spec)))
    name = re.split(r"[:+?]", shown)[0].lower()
    near = get_close_matches(name, (*BUILT_IN, *offered()), n=1, cutoff=0.7)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return SourceSpecError(f"grid: {shown!r} is not a source.{hint} A source is one of: {'; '.join(FORMS)}")
