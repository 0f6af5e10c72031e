"""Which of WattTime's regions serve a zone.

Region names are those that clients of the API publish; WattTime's own list, `/v3/my-access`, needs an account. The
marginal signal tells parts of the large markets apart, the average one has a region for each market as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["AVERAGE_REGIONS", "MARGINAL_REGIONS"]

# Where the signals agree, and the region is called as the last part of the zone.
_SAME_NAME = """
US-CAL-BANC US-CAL-IID US-CAL-LDWP US-CAR-CPLE US-CAR-CPLW US-CAR-DUK US-CAR-SC US-CAR-SCEG US-CENT-SPA US-FLA-FMPP
US-FLA-FPC US-FLA-FPL US-FLA-GVL US-FLA-HST US-FLA-JEA US-FLA-SEC US-FLA-TAL US-FLA-TEC US-MIDW-AECI US-MIDW-LGEE
US-NW-AVA US-NW-CHPD US-NW-DOPD US-NW-GCPD US-NW-IPCO US-NW-NEVP US-NW-PACE US-NW-PACW US-NW-PGE US-NW-PSCO US-NW-PSEI
US-NW-SCL US-NW-TPWR US-NW-WACM US-NW-WAUW US-SE-SOCO US-SW-AZPS US-SW-PNM US-SW-SRP US-SW-TEPC US-SW-WALC US-TEN-TVA
"""

_ONE_REGION = {
    **{zone: zone.split("-")[-1] for zone in _SAME_NAME.split()},
    "US-CAL-TIDC": "TID",
    "US-NW-BPAT": "BPA",
    "US-NW-NWMT": "MPCO",
    "US-SW-EPE": "ELE",
    "CA-AB": "AESO",
    "CA-BC": "BCHYDRO",
    "CA-QC": "HQ",
}

# The first one is used unless another is asked for: that of the data centres or, failing those, of the largest city.
# CAISO_NORTH is also the one region that an account without a subscription may ask about.
_PARTS = {
    "US-CAL-CISO": "CAISO_NORTH CAISO_ESCONDIDO CAISO_LONGBEACH CAISO_PALMSPRINGS CAISO_REDDING CAISO_SANBERNARDINO "
    "CAISO_SANDIEGO",
    "US-CENT-SWPP": "SPP_KC SPP_FORTPECK SPP_KANSAS SPP_MEMPHIS SPP_ND SPP_OKCTY SPP_SIOUX SPP_SPRINGFIELD SPP_SWOK "
    "SPP_TX SPP_WESTNE",
    "US-MIDA-PJM": "PJM_DC PJM_CHICAGO PJM_EASTERN_KY PJM_EASTERN_OH PJM_NJ PJM_ROANOKE PJM_SOUTHWEST_OH "
    "PJM_WESTERN_KY",
    "US-MIDW-MISO": "MISO_INDIANAPOLIS MISO_BEAUMONT MISO_DETROIT MISO_EAU_CLAIRE MISO_GRAND_RAPIDS MISO_LAFAYETTE "
    "MISO_LOWER_MS_RIVER MISO_MADISON MISO_MASON_CITY MISO_MINNEAPOLIS MISO_NEW_ORLEANS MISO_N_DAKOTA "
    "MISO_SAINT_LOUIS MISO_SPRINGFIELD MISO_UPPER_PENINSULA MISO_WORTHINGTON",
    "US-NE-ISNE": "ISONE_NEMA ISONE_CT ISONE_ME ISONE_NH ISONE_RI ISONE_SEMA ISONE_VT ISONE_WCMA",
    "US-NY-NYIS": "NYISO_NYC NYISO_CAPITAL NYISO_CENTRAL NYISO_HUDSON NYISO_LONG NYISO_MOHAWK NYISO_NORTH NYISO_WEST",
    "US-TEX-ERCO": "ERCOT_NORTHCENTRAL ERCOT_AUSTIN ERCOT_COAST ERCOT_EASTTX ERCOT_HIDALGO ERCOT_PANHANDLE "
    "ERCOT_SANANTONIO ERCOT_SECOAST ERCOT_SOUTHTX ERCOT_WESTTX",
    "CA-ON": "IESO_SOUTH IESO_NORTH IESO_WEST",
}

# Outside North America: those few that public clients of the API name.
_ELSEWHERE = {"BE": "BE", "DE": "DE", "FR": "FR", "GB": "UK", "IE": "IE", "IT": "IT", "SE": "SE"}

MARGINAL_REGIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **{zone: (region,) for zone, region in (_ONE_REGION | _ELSEWHERE).items()},
        **{zone: tuple(regions.split()) for zone, regions in _PARTS.items()},
    }
)
"""Zone -> regions of `co2_moer`; the first is the one used where none is asked for."""

AVERAGE_REGIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **{zone: (region,) for zone, region in _ONE_REGION.items()},
        "US-CAL-CISO": ("CAISO",),
        "US-CENT-SWPP": ("SPP",),
        "US-MIDW-MISO": ("MISO",),
        "US-NE-ISNE": ("ISONE",),
        "US-TEX-ERCO": ("ERCOT",),
    }
)
"""Zone -> the region of `co2_aoer`."""
