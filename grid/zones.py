"""The zones there are, so that a misspelt one is told at construction and not by an empty report.

Names are Electricity Maps keys: ISO 3166-1 alpha-2 country codes, and `COUNTRY-PART` where a country has several grids.
The table is for sources that take any zone; a source that covers few zones says so itself. Electricity Maps' `XX`
(Northern Cyprus) is left out: everywhere else it means "unknown". So are the parts of Mexico, which it names for their
exchanges: what is produced is known for `MX` alone.

Great Britain is also known in parts that only the UK's Carbon Intensity API tells apart: its regions (`GB-LONDON`) and
postcode districts (`GB-SW1A`). They are no keys of Electricity Maps, so `ZONES` is without them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources
from reprlib import Repr
from types import MappingProxyType

from grid.errors import ZoneError

__all__ = ["UK_REGIONS", "ZONES", "check_known", "is_uk_postcode_zone", "nearest", "quoted"]

# ISO 3166-1 alpha-2, and XK (Kosovo), which has a grid of its own.
_COUNTRIES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD
CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF
GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI
SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
VN VU WF WS XK YE YT ZA ZM ZW
"""

_PARTS = {
    "AR": "BAS CEN COM CUY LIT NEA NOA PAT",
    "AU": "LH NSW NT QLD SA TAS TAS-CBI TAS-FI TAS-KI VIC WA WA-RI",
    "BR": "CS N NE S",
    "CA": "AB BC MB NB NL NL-LB NL-NF NS NT NU ON PE QC SK YT",
    "CL": "CHP SEA SEM SEN",
    "DK": "BHM DK1 DK2",
    "ES": "CE CN-FVLZ CN-GC CN-HI CN-IG CN-LP CN-TE IB-FO IB-IZ IB-MA IB-ME ML",
    "FO": "MI SI",
    "FR": "COR",
    "GB": "NIR ORK ZET",
    "IN": "EA NE NO SO WE",
    "IT": "CNO CSO NO SAR SIC SO",
    "JP": "CB CG HKD HR KN KY ON SK TH TK",
    "MY": "EM WM",
    "NO": "NO1 NO2 NO3 NO4 NO5",
    "NZ": "NZA NZC NZST",
    "PH": "LU MI VI",
    "PT": "AC MA",
    "RU": "1 2 AS EU FE KGD",
    "SE": "SE1 SE2 SE3 SE4",
    "US": """
        AK AK-SEAPA HI-HA HI-KA HI-KH HI-LA HI-MA HI-MO HI-NI HI-OA CAL-BANC CAL-CISO CAL-IID CAL-LDWP CAL-TIDC
        CAR-CPLE CAR-CPLW CAR-DUK CAR-SC CAR-SCEG CAR-YAD CENT-SPA CENT-SWPP FLA-FMPP FLA-FPC FLA-FPL FLA-GVL FLA-HST
        FLA-JEA FLA-SEC FLA-TAL FLA-TEC MIDA-PJM MIDW-AECI MIDW-LGEE MIDW-MISO NE-ISNE NW-AVA NW-BPAT NW-CHPD NW-DOPD
        NW-GCPD NW-GRID NW-GWA NW-IPCO NW-NEVP NW-NWMT NW-PACE NW-PACW NW-PGE NW-PSCO NW-PSEI NW-SCL NW-TPWR NW-WACM
        NW-WAUW NW-WWA NY-NYIS SE-SEPA SE-SOCO SW-AZPS SW-EPE SW-GRIF SW-PNM SW-SRP SW-TEPC SW-WALC TEN-TVA TEX-ERCO
        """,
    "VN": "C N S",
}

ZONES: frozenset[str] = frozenset(_COUNTRIES.split()) | {
    f"{country}-{part}" for country, parts in _PARTS.items() for part in parts.split()
}

_UK_REGION_NAMES = """
NORTH-SCOTLAND SOUTH-SCOTLAND NORTH-WEST-ENGLAND NORTH-EAST-ENGLAND YORKSHIRE NORTH-WALES-AND-MERSEYSIDE SOUTH-WALES
WEST-MIDLANDS EAST-MIDLANDS EAST-ENGLAND SOUTH-WEST-ENGLAND SOUTH-ENGLAND LONDON SOUTH-EAST-ENGLAND ENGLAND SCOTLAND
WALES
"""

# Zone -> `regionid` of api.carbonintensity.org.uk/regional: 14 licence areas of distribution, then the three countries.
UK_REGIONS: Mapping[str, int] = MappingProxyType(
    {f"GB-{name}": number for number, name in enumerate(_UK_REGION_NAMES.split(), start=1)}
)

# The outward half of a postcode holds a digit, so it cannot be taken for a part such as GB-NIR. The areas BT (Northern
# Ireland), GY, IM and JE (the islands of the Crown) lie outside Great Britain's grid.
_UK_POSTCODE = re.compile(r"GB-(?!BT|GY|IM|JE)[A-Z]{1,2}[0-9][A-Z0-9]?")

# What people type instead, and no spelling distance would find.
_ALSO_KNOWN_AS = {
    "UK": "GB",
    "EL": "GR",
    "USA": "US",
    "AESO": "CA-AB",
    "BPA": "US-NW-BPAT",
    "CAISO": "US-CAL-CISO",
    "ERCOT": "US-TEX-ERCO",
    "IESO": "CA-ON",
    "ISO-NE": "US-NE-ISNE",
    "ISONE": "US-NE-ISNE",
    "LADWP": "US-CAL-LDWP",
    "NYISO": "US-NY-NYIS",
    "SEM": "IE",
    "SPP": "US-CENT-SWPP",
    "IT-NORD": "IT-NO",
    "IT-CNOR": "IT-CNO",
    "IT-CSUD": "IT-CSO",
    "IT-SUD": "IT-SO",
    "IT-SICI": "IT-SIC",
    "IT-SARD": "IT-SAR",
}
# The shortest part of a zone's name that stands for the zone: DK1, PJM.
_SHORTEST_PART = 3

_shortened = Repr()
_shortened.maxstring = 60


def is_uk_postcode_zone(zone: str) -> bool:
    """Whether the zone has the form of a postcode district, such as `GB-SW1A`; not whether there is such a district."""
    return _UK_POSTCODE.fullmatch(zone) is not None


def quoted(text: str) -> str:
    """What a user typed, in quotes, for a message of readable length."""
    return _shortened.repr(text)


def check_known(zone: str) -> None:
    """Accept a zone that exists: one of `ZONES`, a region of Great Britain, or the form of a postcode district.

    Raises:
        ZoneError: it does not; the message offers the nearest names.
    """
    if zone in ZONES or zone in UK_REGIONS or is_uk_postcode_zone(zone):
        return
    guess = " or ".join(map(repr, nearest(zone)))
    hint = f" Did you mean {guess}?" if guess else ""
    raise ZoneError(
        f"zone: {quoted(zone)} is not a known zone.{hint} Zones are Electricity Maps keys such as GB, DE, US-CAL-CISO"
    )


def nearest(zone: str) -> list[str]:
    """Up to two known zones that look like `zone` or bear that name in English, best first; empty where none does.

    So does what leaves out the country, such as `DK1`, `PJM` or `SW1A`, and a part of a country that has but one zone,
    such as `DE-LU`. A state or province with several zones gives the one that serves most of it.
    """
    asked = str(zone).strip().upper().replace("_", "-")
    if asked in _ALSO_KNOWN_AS:
        return [_ALSO_KNOWN_AS[asked]]
    if asked in ZONES or asked in UK_REGIONS or is_uk_postcode_zone(asked):
        return [asked]
    country, dash, _ = asked.partition("-")
    if dash and country in ZONES and country not in _PARTS:
        return [country]
    if by_part := _zones_by_part().get(asked):
        return [by_part]
    if is_uk_postcode_zone(f"GB-{asked}"):
        return [f"GB-{asked}"]
    names = _zones_by_name()
    spelt_out = get_close_matches(asked.replace("-", " "), names, n=1, cutoff=0.85)
    if spelt_out:
        return [names[spelt_out[0]]]
    return get_close_matches(asked, sorted(ZONES | UK_REGIONS.keys()), n=2, cutoff=0.6)


@cache
def _zones_by_part() -> Mapping[str, str]:
    """The last parts of names, where only one zone has such a part."""
    parts = [zone.rpartition("-")[2] for zone in ZONES if "-" in zone]
    found = ((zone.rpartition("-")[2], zone) for zone in ZONES if "-" in zone)
    return {part: zone for part, zone in found if len(part) >= _SHORTEST_PART and parts.count(part) == 1}


@cache
def _zones_by_name() -> Mapping[str, str]:
    """English names, in capitals, of countries, and of the states and provinces of the larger federations."""
    text = resources.files("grid").joinpath("data", "names.csv").read_text("utf-8")
    return {row["name"].upper(): row["zone"] for row in csv.DictReader(text.splitlines())}
