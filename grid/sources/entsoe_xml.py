"""The XML of ENTSO-E's Transparency Platform: generation per type, and the document that says why there is none.

The meaning of curve types is that of ENTSO-E, "Introduction of different Timeseries possibilities (curve types)", v1.4.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

from grid.errors import BadData
from grid.sources.generation import figure

__all__ = ["Block", "blocks", "refusal"]

_RESOLUTIONS = {
    "PT15M": timedelta(minutes=15),
    "PT30M": timedelta(minutes=30),
    "PT60M": timedelta(hours=1),
    "PT1H": timedelta(hours=1),
}
# A period of more than a year, which is also the longest that can be asked for, is a mistake.
_MOST_POSITIONS = 366 * 96
_STAMP = re.compile("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z")


@dataclass(frozen=True, slots=True)
class Block:
    """Mean power that plants of one type fed in over one span.

    Attributes:
        area: EIC code of where they stand.
        psr_type: their type, e.g. `B04`.
        start_utc: start of the span.
        length: its length: 15, 30 or 60 minutes.
        mw: in MW.
    """

    area: str
    psr_type: str
    start_utc: datetime
    length: timedelta
    mw: float


def blocks(body: bytes) -> list[Block]:
    """The generation that a document tells of; what was consumed (pumping, charging) is left out.

    Curve type A01: a missing position is unknown, and has no block. A03: it is as the position before it, to the end of
    its period.

    Raises:
        BadData: not such a document, or anything in it is out of order.
    """
    root = _parsed(body)
    if _local(root) != "GL_MarketDocument":
        raise BadData(f"entsoe: the answer is a {reprlib.repr(_local(root))}, not a document of generation")
    if (kind := _text(root, "type")) not in (None, "A75"):
        raise BadData(f"entsoe: the answer is a document of type {reprlib.repr(kind)}, not A75")
    return [block for series in root.iterfind("{*}TimeSeries") for block in _of_series(series)]


def refusal(body: bytes) -> str | None:
    """What an acknowledgement says is wrong, on one line; None where `body` is something else."""
    if b"Acknowledgement_MarketDocument" not in body:
        return None
    try:
        root = _parsed(body)
    except BadData:
        return None
    if _local(root) != "Acknowledgement_MarketDocument":
        return None
    said = [" ".join((text.text or "").split()) for text in root.iterfind("{*}Reason/{*}text")]
    return "; ".join(said) or "no reason given"


class _WithoutDtd(ET.TreeBuilder):
    """Builds a tree, and refuses the declarations with which a short document can grow without bounds."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:  # noqa: ARG002
        raise BadData("entsoe: the answer declares a document type, as no answer of the platform does")


def _parsed(body: bytes) -> ET.Element:
    try:
        return ET.XML(body, ET.XMLParser(target=_WithoutDtd()))  # noqa: S314
    except (ET.ParseError, ValueError, LookupError) as exc:  # the latter two: encodings it does not know
        raise BadData(f"entsoe: the answer is not XML ({exc})") from exc


def _of_series(series: ET.Element) -> Iterator[Block]:
    area = _text(series, "inBiddingZone_Domain.mRID")
    if area is None:
        if _text(series, "outBiddingZone_Domain.mRID") is None:
            raise BadData("entsoe: a time series does not say which area it is for")
        return
    psr_type = _text(series, "MktPSRType/{*}psrType")
    if psr_type is None:
        raise BadData("entsoe: a time series does not say which type of plant it is for")
    unit = _text(series, "quantity_Measure_Unit.name")
    if unit not in (None, "MAW"):
        raise BadData(f"entsoe: {psr_type} is in {reprlib.repr(unit)}, not in MW (MAW)")
    curve = _text(series, "curveType") or "A01"
    if curve not in ("A01", "A03"):
        raise BadData(f"entsoe: {psr_type} is a curve of type {reprlib.repr(curve)}, not A01 or A03")
    for period in series.iterfind("{*}Period"):
        yield from _of_period(period, area, psr_type, carried=curve == "A03")


def _of_period(period: ET.Element, area: str, psr_type: str, *, carried: bool) -> Iterator[Block]:
    start_utc, end_utc = (_stamp(_text(period, f"timeInterval/{{*}}{edge}")) for edge in ("start", "end"))
    resolution = _text(period, "resolution")
    length = _RESOLUTIONS.get(resolution or "")
    if length is None:
        raise BadData(f"entsoe: {psr_type} has a resolution of {reprlib.repr(resolution)}, not 15, 30 or 60 min")
    count, rest = divmod(end_utc - start_utc, length)
    if rest or not 0 < count <= _MOST_POSITIONS:
        raise BadData(f"entsoe: {psr_type} has a period from {start_utc} to {end_utc} in steps of {resolution}")
    known: dict[int, float] = {}
    for point in period.iterfind("{*}Point"):
        position, mw = _position(_text(point, "position"), count), _quantity(point, psr_type)
        if known.setdefault(position, mw) != mw:
            raise BadData(f"entsoe: two figures for {psr_type} at position {position} from {start_utc}")
    mw_before: float | None = None
    for position in range(1, count + 1):
        mw_now = known.get(position, mw_before if carried else None)
        if mw_now is not None:
            yield Block(area, psr_type, start_utc + (position - 1) * length, length, mw_now)
        mw_before = mw_now


def _position(text: str | None, count: int) -> int:
    if text is None or not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= count:
        raise BadData(f"entsoe: {reprlib.repr(text)} is not a position from 1 to {count}")
    return int(text)


def _quantity(point: ET.Element, psr_type: str) -> float:
    text = _text(point, "quantity")
    mw = figure(text or "")
    if mw is None or not math.isfinite(mw):
        raise BadData(f"entsoe: {reprlib.repr(text)} is not a power of {psr_type} in MW")
    return mw


def _stamp(text: str | None) -> datetime:
    # Python reads forms that the platform does not write, such as a date without a time.
    if text is not None and _STAMP.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # a thirteenth month, say
    raise BadData(f"entsoe: {reprlib.repr(text)} is not a time in UTC")


def _text(element: ET.Element, path: str) -> str | None:
    """The text at a path, whatever the namespace; None where there is none."""
    text = element.findtext("{*}" + path)
    return text.strip() or None if text is not None else None


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
