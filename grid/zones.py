"""The zones there are, so that a misspelt one is told at construction and not by an empty report.

Names are Electricity Maps keys: ISO 3166-1 alpha-2 country codes, and `COUNTRY-PART` where a country has several grids.
The table is for sources that take any zone; a source that covers few zones says so itself. Electricity Maps' `XX`
(Northern Cyprus) is left out: everywhere else it means "unknown".
"""

from __future__ import annotations

from difflib import get_close_matches

from grid.errors import ZoneError

__all__ = ["ZONES", "check_known", "nearest"]

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
    "MX": "BC BCS CE NE NO NW OC OR PN",
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

# What people type instead, and no spelling distance would find.
_ALSO_KNOWN_AS = {
    "UK": "GB",
    "EL": "GR",
    "CAISO": "US-CAL-CISO",
    "ERCOT": "US-TEX-ERCO",
    "ISONE": "US-NE-ISNE",
    "MISO": "US-MIDW-MISO",
    "NYISO": "US-NY-NYIS",
    "PJM": "US-MIDA-PJM",
    "SPP": "US-CENT-SWPP",
}


def check_known(zone: str) -> None:
    """Accept a zone that exists.

    Raises:
        ZoneError: it does not; the message offers the nearest names.
    """
    if zone in ZONES:
        return
    guess = " or ".join(map(repr, nearest(zone)))
    hint = f" Did you mean {guess}?" if guess else ""
    raise ZoneError(
        f"zone: {zone!r} is not a known zone.{hint} Zones are Electricity Maps keys such as GB, DE, US-CAL-CISO"
    )


def nearest(zone: str) -> list[str]:
    """Up to two known zones that look like `zone`, best first; empty where none does."""
    asked = str(zone).strip().upper().replace("_", "-")
    if asked in _ALSO_KNOWN_AS:
        return [_ALSO_KNOWN_AS[asked]]
    if asked in ZONES:
        return [asked]
    return get_close_matches(asked, sorted(ZONES), n=2, cutoff=0.6)
