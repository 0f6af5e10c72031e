"""The zones of the ENTSO-E Transparency Platform that publish generation per fuel, and their EIC codes.

The codes are those of the platform's own guide (static content, "Areas"), checked against two independent clients. Left
out are areas that publish nothing there now: Great Britain (since 2021), Ukraine, Turkey, Iceland, Belarus and Russia.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["EIC_BY_ZONE", "SAME_AREA"]

EIC_BY_ZONE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "AL": ("10YAL-KESH-----5",),
        "AT": ("10YAT-APG------L",),
        "BA": ("10YBA-JPCC-----D",),
        "BE": ("10YBE----------2",),
        "BG": ("10YCA-BULGARIA-R",),
        "CH": ("10YCH-SWISSGRIDZ",),
        "CY": ("10YCY-1001A0003J",),
        "CZ": ("10YCZ-CEPS-----N",),
        "DE": ("10Y1001A1001A83F",),
        "DK": ("10Y1001A1001A65H",),
        "DK-DK1": ("10YDK-1--------W",),
        "DK-DK2": ("10YDK-2--------M",),
        "EE": ("10Y1001A1001A39I",),
        "ES": ("10YES-REE------0",),
        "FI": ("10YFI-1--------U",),
        "FR": ("10YFR-RTE------C",),
        "GB-NIR": ("10Y1001A1001A016",),
        "GE": ("10Y1001A1001B012",),
        "GR": ("10YGR-HTSO-----Y",),
        "HR": ("10YHR-HEP------M",),
        "HU": ("10YHU-MAVIR----U",),
        "IE": ("10YIE-1001A00010",),
        "IT": ("10YIT-GRTN-----B",),
        "IT-CNO": ("10Y1001A1001A70O",),
        "IT-CSO": ("10Y1001A1001A71M",),
        "IT-NO": ("10Y1001A1001A73I",),
        "IT-SAR": ("10Y1001A1001A74G",),
        "IT-SIC": ("10Y1001A1001A75E",),
        # Since 2021 Calabria is a bidding zone of its own; the zone key still means both.
        "IT-SO": ("10Y1001A1001A788", "10Y1001C--00096J"),
        "LT": ("10YLT-1001A0008Q",),
        "LU": ("10YLU-CEGEDEL-NQ",),
        "LV": ("10YLV-1001A00074",),
        "MD": ("10Y1001A1001A990",),
        "ME": ("10YCS-CG-TSO---S",),
        "MK": ("10YMK-MEPSO----8",),
        "MT": ("10Y1001A1001A93C",),
        "NL": ("10YNL----------L",),
        "NO": ("10YNO-0--------C",),
        "NO-NO1": ("10YNO-1--------2",),
        "NO-NO2": ("10YNO-2--------T",),
        "NO-NO3": ("10YNO-3--------J",),
        "NO-NO4": ("10YNO-4--------9",),
        "NO-NO5": ("10Y1001A1001A48H",),
        "PL": ("10YPL-AREA-----S",),
        "PT": ("10YPT-REN------W",),
        "RO": ("10YRO-TEL------P",),
        "RS": ("10YCS-SERBIATSOV",),
        "SE": ("10YSE-1--------K",),
        "SE-SE1": ("10Y1001A1001A44P",),
        "SE-SE2": ("10Y1001A1001A45N",),
        "SE-SE3": ("10Y1001A1001A46L",),
        "SE-SE4": ("10Y1001A1001A47J",),
        "SI": ("10YSI-ELES-----O",),
        "SK": ("10YSK-SEPS-----K",),
        "XK": ("10Y1001C--00100H",),
    }
)
"""Zone to the areas whose generation makes up the zone's."""

# Germany's plants make up the bidding zone DE-LU but for a thousandth.
SAME_AREA: Mapping[str, str] = MappingProxyType({"10Y1001A1001A82H": "10Y1001A1001A83F"})
"""Areas that an answer may name in place of the one that was asked for."""
