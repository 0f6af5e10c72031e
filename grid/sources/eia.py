"""The United States, hour by hour, from the generation per fuel that the Energy Information Administration collects.

Needs a key (free). The EIA publishes energy, not carbon: each hour's intensity is the mean of `grid.fuels`' factors,
weighted by what each fuel generated. Imports are not in it (`accounting` is `production`).

API: https://www.eia.gov/opendata/documentation.php, route `electricity/rto/fuel-type-data`; the data is form EIA-930's.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Unpack

from grid.clock import utc_now
from grid.errors import BadData, NoData, ZoneError
from grid.fuels import Fuel
from grid.http.credentials import QueryKey
from grid.http.options import HttpOptions
from grid.intensity import Factors
from grid.sources.generation import HOUR, FedIn, figure
from grid.sources.generation_source import GenerationSource
from grid.zones import ZONES

__all__ = ["RESPONDENT_BY_ZONE", "EiaSource"]

RESPONDENT_BY_ZONE: Mapping[str, str] = MappingProxyType(
    {"US": "US48"}
    | {zone: zone.rpartition("-")[2] for zone in sorted(ZONES) if re.fullmatch("US-(?!AK|HI)[A-Z]+-[A-Z]+", zone)}
)
"""Zone to balancing authority: zone keys end in its code. `US` is the contiguous states: EIA-930 has no others."""

_PATH = "/electricity/rto/fuel-type-data/data/"
_ROWS_PER_PAGE = 5_000
# Nine days of all fuels are fewer than one page of rows.
_MOST_PAGES = 10

# Balancing authorities have until the next morning to report.
_OLDEST_LATEST = timedelta(days=3)
# A month of all fuels is three pages of rows.
_MISSED_FOR = timedelta(days=30)
_SINCE_UTC = datetime(2018, 7, 1, tzinfo=UTC)

_FUELS: Mapping[str, Fuel] = MappingProxyType(
    {
        "BM": "biomass",
        "COL": "coal",
        "GEO": "geothermal",
        "NG": "gas",
        "NUC": "nuclear",
        "OIL": "oil",
        "OTH": "unknown",
        "SNB": "solar",
        "SUN": "solar",
        "UNK": "unknown",
        "WAT": "hydro",
        "WNB": "wind",
        "WND": "wind",
    }
)
# Batteries, pumped storage, other and unknown storage.
_STORAGE = frozenset({"BAT", "OES", "PS", "UES"})
# Sun and wind with a battery behind the same meter: what is negative there is charging.
_WITH_BATTERY = frozenset({"SNB", "WNB"})

_PERIOD = re.compile("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}")


class EiaSource(GenerationSource):
    """Carbon intensity of US balancing authorities, of what is generated there: average, measured, up to a day late.

    Args:
        key: the API key.
        factors: what the figures count.
        http: base URL, time limit, clock and so on, see `HttpOptions`.

    Raises:
        SourceSpecError: the URL or the timeout cannot be used.
    """

    name = "eia"
    oldest = _OLDEST_LATEST
    missed_for = _MISSED_FOR
    since_utc = _SINCE_UTC

    def __init__(
        self,
        key: str,
        *,
        factors: Factors = "lifecycle",
        **http: Unpack[HttpOptions],
    ) -> None:
        from grid.http.api import HttpApi  # httpx is loaded when a source that needs it is made

        http.setdefault("base_url", "https://api.eia.gov/v2")
        api = HttpApi(
            name=self.name,
            credentials=QueryKey("api_key", key),
            **http,
        )
        super().__init__(api, factors=factors, now_utc=http.get("now_utc", utc_now))

    def check_zone(self, zone: str) -> None:
        """Accept `US` and its balancing authorities.

        Raises:
            ZoneError: any other; the message names the nearest.
        """
        if zone not in RESPONDENT_BY_ZONE:
            near = get_close_matches(zone, RESPONDENT_BY_ZONE, n=3, cutoff=0.5) or ["US-CAL-CISO", "US-TEX-ERCO"]
            known = f"'US' and {len(RESPONDENT_BY_ZONE) - 1} of its parts such as {', '.join(near)}"
            raise ZoneError(f"zone: {self.name} covers {known}, and {zone!r} was asked for")

    def _fed_in(self, zone: str, start_utc: datetime, end_utc: datetime) -> list[FedIn]:
        respondent = RESPONDENT_BY_ZONE[zone]
        told: list[FedIn] = []
        seen = 0
        for _ in range(_MOST_PAGES):
            rows, total = self._page(respondent, start_utc, end_utc, offset=seen)
            told += [one for one in (_fed_in(row, respondent) for row in rows) if one is not None]
            seen += len(rows)
            if not rows or seen >= total:
                break
        else:
            raise BadData(
                f"{self.name}: {_PATH} announces {total} rows for {(end_utc - start_utc).days} days of {zone}"
            )
        if not seen:
            raise NoData(f"{self.name}: it has no generation of {zone} from {start_utc} to {end_utc}")
        return told

    def _page(self, respondent: str, start_utc: datetime, end_utc: datetime, *, offset: int) -> tuple[list[Any], int]:
        query: dict[str, str | int | float] = {
            "frequency": "hourly",
            "data[]": "value",
            "facets[respondent][]": respondent,
            "start": f"{start_utc + HOUR:%Y-%m-%dT%H}",  # of the first hour's end
            "end": f"{end_utc:%Y-%m-%dT%H}",
            "sort[0][column]": "period",
            "sort[0][direction]": "asc",
            "sort[1][column]": "fueltype",
            "sort[1][direction]": "asc",
            "offset": offset,
            "length": _ROWS_PER_PAGE,
        }
        document = self._api.get_json(_PATH, query)
        response = document.get("response") if isinstance(document, dict) else None
        rows = response.get("data") if isinstance(response, dict) else None
        if not isinstance(response, dict) or not isinstance(rows, list):
            # Its answers repeat the question, key and all: nothing of it is quoted.
            raise BadData(f"{self.name}: {_PATH} answered a document without a list of data")
        if response.get("frequency", "hourly") != "hourly":
            raise BadData(f"{self.name}: the rows are {reprlib.repr(response['frequency'])}, not hourly in UTC")
        return rows, _total(response.get("total"), offset + len(rows))


def _total(said: Any, seen: int) -> int:
    """How many rows there are on all pages; where the answer does not say, one more as long as pages are full."""
    if said is None:
        return seen + 1 if seen and seen % _ROWS_PER_PAGE == 0 else seen
    if isinstance(said, int) and not isinstance(said, bool):
        return said
    if isinstance(said, str) and re.fullmatch("[0-9]{1,9}", said):
        return int(said)
    raise BadData(f"eia: {reprlib.repr(said)} is not a number of rows")


def _fed_in(row: Any, respondent: str) -> FedIn | None:
    """What one row says; None where it is about storage, or null.

    The form lists every fuel, so that null alone does not tell one that is late from one that the zone has not: what
    was told before does.
    """
    try:
        period, whose, code, value = (row[key] for key in ("period", "respondent", "fueltype", "value"))
    except (KeyError, TypeError) as exc:
        raise BadData(f"eia: {reprlib.repr(row)} is not an hour of a fuel") from exc
    if whose != respondent:
        raise BadData(f"eia: {respondent} was asked for, and the answer is for {reprlib.repr(whose)}")
    if row.get("value-units", "megawatthours") != "megawatthours":
        raise BadData(f"eia: the rows are in {reprlib.repr(row['value-units'])}, not in megawatthours")
    if not isinstance(code, str) or code not in _STORAGE | _FUELS.keys():
        raise BadData(f"eia: {reprlib.repr(code)} is a fuel that nobody has a factor for")
    start_utc, mw = _period_end(period) - HOUR, _mw(value, code)
    if code in _STORAGE or mw is None:
        return None
    if code in _WITH_BATTERY:
        mw = max(0.0, mw)
    return FedIn(code, _FUELS[code], start_utc, mw)


def _period_end(period: Any) -> datetime:
    # An hour is named by its end: https://www.eia.gov/electricity/gridmonitor/about, and Electricity Maps' parser.
    if isinstance(period, str) and _PERIOD.fullmatch(period):
        try:
            return datetime.fromisoformat(period).replace(tzinfo=UTC)
        except ValueError:
            pass  # a thirteenth month, say
    raise BadData(f"eia: {reprlib.repr(period)} is not an hour in UTC")


def _mw(value: Any, code: str) -> float | None:
    """MWh in one hour, which is MW; text since version 2.1.6 of the API, numbers before; None for null."""
    if value is None:
        return None
    if isinstance(value, str):
        mw = figure(value)
    elif isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        mw = float(value) if abs(value) < 1e300 else math.inf
    else:
        mw = None
    if mw is None or not math.isfinite(mw):
        raise BadData(f"eia: {reprlib.repr(value)} is not the generation of {code} in MWh")
    return mw
