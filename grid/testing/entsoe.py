"""ENTSO-E's Transparency Platform on loopback, traps included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from grid.clock import slot_start
from grid.testing.loopback import Answer, Asked, Loopback, Point
from grid.testing.mixes import TOTAL_MW, coal_mw, wind_mw

__all__ = ["LoopbackEntsoe"]

_HOUR = timedelta(hours=1)


class LoopbackEntsoe(Loopback):
    """Actual generation per type of whatever area is asked for; a token is wanted.

    Coal comes in quarters as a curve of type A03, which leaves out what has not changed, and in a new period after each
    gap; wind in hours as type A01. Pumping stands beside generation, in a series of its own. Nothing is published of
    the hour that runs, and an answer without data is an acknowledgement with status 200.
    """

    def truth(self, asked: Asked) -> Answer:
        """What the API answers."""
        query = asked.query
        if not query.get("securityToken"):
            return Answer(_acknowledgement("Unauthorized. Missing or invalid security token"), status=401)
        if asked.path != "/api" or (query.get("documentType"), query.get("processType")) != ("A75", "A16"):
            return Answer(_acknowledgement("Invalid query attributes or parameters."), status=400)
        first, end = (_utc(query[key]) for key in ("periodStart", "periodEnd"))
        if end - first > timedelta(days=366):
            return Answer(_acknowledgement("The requested period exceeds one year."), status=400)
        points = []
        while first < min(end, slot_start(self.now_utc(), _HOUR)):
            points.append(Point(first, self.g_per_kwh(first), query["in_Domain"]))
            first += _HOUR
        altered = self.alter(list(points))
        if not altered:
            return Answer(_acknowledgement("No matching data found"))
        zone = altered[0].zone or ""
        wind = [Point(point.start_utc, wind_mw(point.value)) for point in points]
        coal = [Point(point.start_utc, coal_mw(point.value)) for point in altered]
        pumping = [Point(point.start_utc, TOTAL_MW) for point in points]
        series = [
            _series(1, "inBiddingZone_Domain", zone, "B05", "A03", map(_quarters, _runs(coal))),
            _series(2, "inBiddingZone_Domain", zone, "B19", "A01", map(_hours, _runs(wind))),
            _series(3, "outBiddingZone_Domain", zone, "B10", "A01", map(_hours, _runs(pumping))),
        ]
        return Answer(_document(series), headers={"Content-Type": "text/xml"})


def _utc(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y%m%d%H%M").replace(tzinfo=UTC)


def _runs(points: Iterable[Point]) -> list[list[Point]]:
    """The points in runs of hours that follow each other; those without a value break them."""
    runs: list[list[Point]] = []
    before: Point | None = None
    for point in points:
        if point.value is None:
            before = None
            continue
        if before is None or point.start_utc != before.start_utc + _HOUR:
            runs.append([])
        runs[-1].append(point)
        before = point
    return runs


def _quarters(run: Sequence[Point]) -> str:
    """A period of quarters, with a point only where something changes."""
    written: list[tuple[int, Any]] = []
    for number, point in enumerate(run):
        if number == 0 or point.value != run[number - 1].value:
            written.append((4 * number + 1, point.value))
    return _period(run, "PT15M", written)


def _hours(run: Sequence[Point]) -> str:
    return _period(run, "PT60M", [(number, point.value) for number, point in enumerate(run, start=1)])


def _period(run: Sequence[Point], resolution: str, written: Iterable[tuple[int, Any]]) -> str:
    points = "".join(
        f"<Point><position>{position}</position><quantity>{quantity}</quantity></Point>"
        for position, quantity in written
    )
    start, end = run[0].start_utc, run[-1].start_utc + _HOUR
    interval = f"<start>{start:%Y-%m-%dT%H:%MZ}</start><end>{end:%Y-%m-%dT%H:%MZ}</end>"
    return f"<Period><timeInterval>{interval}</timeInterval><resolution>{resolution}</resolution>{points}</Period>"


def _series(number: int, direction: str, area: str, psr_type: str, curve: str, periods: Iterable[str]) -> str:
    return (
        f"<TimeSeries><mRID>{number}</mRID><businessType>A01</businessType><objectAggregation>A08</objectAggregation>"
        f'<{direction}.mRID codingScheme="A01">{area}</{direction}.mRID>'
        f"<quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><curveType>{curve}</curveType>"
        f"<MktPSRType><psrType>{psr_type}</psrType></MktPSRType>{''.join(periods)}</TimeSeries>"
    )


def _document(series: Iterable[str]) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<GL_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0">'
        "<mRID>0</mRID><revisionNumber>1</revisionNumber><type>A75</type><process.processType>A16</process.processType>"
        f"{''.join(series)}</GL_MarketDocument>"
    )


def _acknowledgement(text: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">'
        f"<mRID>0</mRID><Reason><code>999</code><text>{text}</text></Reason></Acknowledgement_MarketDocument>"
    )
