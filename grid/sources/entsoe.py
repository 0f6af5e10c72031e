"""Europe, hour by hour, from the generation per fuel on ENTSO-E's Transparency Platform; needs a security token.

The platform publishes power, not carbon: each hour's intensity is the mean of `grid.fuels`' factors, weighted by what
each fuel generated. Imports are not in it (`accounting` is `production`), so in a zone that imports much of its power
it may be far from what is consumed there.

API guide: https://transparency.entsoe.eu/content/static_content/Static%20content/web%20api/Guide.html.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from types import MappingProxyType
from typing import Unpack

from grid.clock import slot_start, utc_now
from grid.errors import BadData, NoData, SourceError, ZoneError
from grid.fuels import Fuel
from grid.http.credentials import QueryKey
from grid.http.masking import masked
from grid.http.options import HttpOptions
from grid.intensity import Factors
from grid.sources.entsoe_xml import Block, blocks, refusal
from grid.sources.entsoe_zones import EIC_BY_ZONE, SAME_AREA
from grid.sources.generation import HOUR, FedIn
from grid.sources.generation_source import GenerationSource

__all__ = ["EntsoeSource"]

# Regulation (EU) 543/2013 wants it an hour after; some operators take most of a day.
_OLDEST_LATEST = timedelta(days=1)
# Not a month, as for the EIA: quarters of all types are large documents.
_MISSED_FOR = timedelta(days=14)
_SINCE_UTC = datetime(2014, 12, 1, tzinfo=UTC)

_FUELS: Mapping[str, Fuel] = MappingProxyType(
    {
        "B01": "biomass",
        "B02": "lignite",
        "B03": "coal-gas",
        "B04": "gas",
        "B05": "coal",
        "B06": "oil",
        "B07": "oil-shale",
        "B08": "peat",
        "B09": "geothermal",
        "B11": "hydro",
        "B12": "hydro",
        "B13": "marine",
        "B14": "nuclear",
        "B15": "biomass",  # "other renewable": what is neither water, wind, sun nor solid biomass is mostly biogas
        "B16": "solar",
        "B17": "waste",
        "B18": "wind-offshore",
        "B19": "wind",
        "B20": "unknown",
    }
)
_STORAGE = frozenset({"B10", "B25"})


class EntsoeSource(GenerationSource):
    """Carbon intensity of European zones, of what is generated there: average, measured, an hour or more late.

    Hours are the mean of their quarters where the platform has quarters, so that fuels of both kinds add up.

    Args:
        token: the security token.
        factors: what the figures count.
        http: base URL, time limit, clock and so on, see `HttpOptions`.

    Raises:
        SourceSpecError: the URL or the timeout cannot be used.
    """

    name = "entsoe"
    oldest = _OLDEST_LATEST
    missed_for = _MISSED_FOR
    since_utc = _SINCE_UTC

    def __init__(
        self,
        token: str,
        *,
        factors: Factors = "lifecycle",
        **http: Unpack[HttpOptions],
    ) -> None:
        from grid.http.api import HttpApi  # httpx is loaded when a source that needs it is made

        http.setdefault("base_url", "https://web-api.tp.entsoe.eu")
        credentials = QueryKey("securityToken", token)

        def judge(status: int, body: bytes) -> SourceError | None:
            return _judged(status, body, credentials.secrets())

        api = HttpApi(
            name=self.name,
            credentials=credentials,
            judge=judge,
            **http,
        )
        super().__init__(api, factors=factors, now_utc=http.get("now_utc", utc_now))

    def check_zone(self, zone: str) -> None:
        """Accept the zones that publish their generation.

        Raises:
            ZoneError: any other; the message names the nearest.
        """
        if zone not in EIC_BY_ZONE:
            near = get_close_matches(zone, EIC_BY_ZONE, n=3, cutoff=0.5) or ["DE", "FR", "NO-NO1"]
            known = f"{len(EIC_BY_ZONE)} European zones such as {', '.join(near)}"
            raise ZoneError(f"zone: {self.name} covers {known}, and {zone!r} was asked for")

    def _fed_in(self, zone: str, start_utc: datetime, end_utc: datetime) -> Iterator[FedIn]:
        for area in EIC_BY_ZONE[zone]:
            query = {
                "documentType": "A75",
                "processType": "A16",
                "in_Domain": area,
                "periodStart": f"{start_utc:%Y%m%d%H%M}",
                "periodEnd": f"{end_utc:%Y%m%d%H%M}",
            }
            answer = blocks(self._api.get("/api", query))
            for block in answer:
                if area not in (block.area, SAME_AREA.get(block.area)):
                    raise BadData(f"entsoe: the answer is for {block.area[:20]!r}, and {zone} is {area}")
            yield from _hourly(block for block in answer if block.psr_type not in _STORAGE)


def _hourly(quarters: Iterable[Block]) -> Iterator[FedIn]:
    """Means of hours; of those that are not known throughout, nothing."""
    known: dict[tuple[str, str, datetime], dict[tuple[datetime, timedelta], float]] = defaultdict(dict)
    for block in quarters:
        hour_utc = slot_start(block.start_utc, HOUR)
        if block.start_utc + block.length > hour_utc + HOUR:
            raise BadData(f"entsoe: {block.psr_type} has a span of {block.length} from {block.start_utc}")
        parts = known[block.area, block.psr_type, hour_utc]
        if parts.setdefault((block.start_utc, block.length), block.mw) != block.mw:
            raise BadData(f"entsoe: two different figures for {block.psr_type} at {block.start_utc}")
    for (area, psr_type, hour_utc), parts in known.items():
        fuel = _FUELS.get(psr_type)
        if fuel is None:
            raise BadData(f"entsoe: {psr_type[:20]!r} is a type of plant that nobody has a factor for")
        covered = sum((length for _, length in parts), timedelta(0))
        if covered > HOUR:
            raise BadData(f"entsoe: {psr_type} has overlapping figures in the hour from {hour_utc}")
        mw = sum(mw * (length / HOUR) for (_, length), mw in parts.items())
        yield FedIn(f"{psr_type} in {area}", fuel, hour_utc, mw if covered == HOUR else None)


def _judged(status: int, body: bytes, secrets: Iterable[str]) -> SourceError | None:
    """What an acknowledgement means; the platform sends it with 200 as well as with 400."""
    if status not in (200, 400) or (said := refusal(body)) is None:
        return None
    if "no matching data found" in said.lower():
        return NoData("entsoe: it has no generation for that zone and span (no matching data found)")
    return SourceError(f"entsoe: it does not answer: {masked(said, secrets)[:160]}")
