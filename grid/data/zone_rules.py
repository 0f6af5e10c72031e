"""Which zone a town is in: rules for countries with several grids, by province, county and position.

Borders of control areas follow lines of utilities, not of counties: a county is given the zone that serves most of it.
`README.md` names the maps these rules were read from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["zone_of"]


def _by_name(table: Mapping[str, str]) -> dict[str, str]:
    return {name.strip(): zone for zone, names in table.items() for name in names.split("|")}


_PROVINCES: dict[str, dict[str, str]] = {
    "AR": _by_name(
        {
            "AR-BAS": "Buenos Aires|Buenos Aires F.D.",
            "AR-CEN": "Cordoba|San Luis",
            "AR-COM": "Neuquen|Rio Negro|La Pampa",
            "AR-CUY": "San Juan|Mendoza",
            "AR-LIT": "Santa Fe|Entre Rios",
            "AR-NEA": "Chaco|Formosa|Corrientes|Misiones",
            "AR-NOA": "Jujuy|Salta|Tucuman|Catamarca|La Rioja|Santiago del Estero",
            "AR-PAT": "Chubut|Santa Cruz|Tierra del Fuego",
        }
    ),
    "AU": _by_name(
        {
            "AU-NSW": "New South Wales|Australian Capital Territory",
            "AU-NT": "Northern Territory",
            "AU-QLD": "Queensland",
            "AU-SA": "South Australia",
            "AU-TAS": "Tasmania",
            "AU-VIC": "Victoria",
            "AU-WA": "Western Australia",
        }
    ),
    "BR": _by_name(
        {
            "BR-N": "Amazonas|Para|Amapa|Tocantins|Maranhao|Roraima",
            "BR-NE": "Piaui|Ceara|Rio Grande do Norte|Paraiba|Pernambuco|Alagoas|Sergipe|Bahia",
            "BR-S": "Rio Grande do Sul|Santa Catarina|Parana",
            "BR-CS": "Sao Paulo|Rio de Janeiro|Espirito Santo|Minas Gerais|Goias|Mato Grosso|Mato Grosso do Sul|"
            "Federal District|Acre|Rondonia",
        }
    ),
    "CA": _by_name(
        {
            "CA-AB": "Alberta",
            "CA-BC": "British Columbia",
            "CA-MB": "Manitoba",
            "CA-NB": "New Brunswick",
            "CA-NL-NF": "Newfoundland and Labrador",
            "CA-NS": "Nova Scotia",
            "CA-NT": "Northwest Territories",
            "CA-NU": "Nunavut",
            "CA-ON": "Ontario",
            "CA-PE": "Prince Edward Island",
            "CA-QC": "Quebec",
            "CA-SK": "Saskatchewan",
            "CA-YT": "Yukon",
        }
    ),
    "CL": _by_name({"CL-SEA": "Aisen", "CL-SEM": "Magallanes"}),
    "DK": _by_name({"DK-DK1": "North Denmark|Central Jutland|South Denmark", "DK-DK2": "Zealand|Capital Region"}),
    "ES": _by_name({"ES-CE": "Ceuta", "ES-ML": "Melilla"}),
    "FO": _by_name({"FO-SI": "Suduroy", "FO-MI": "Streymoy|Vagar|Sandoy|Nordoyar|Eysturoy"}),
    "FR": _by_name({"FR-COR": "Corsica"}),
    "GB": _by_name({"GB-NIR": "Northern Ireland"}),
    "IN": _by_name(
        {
            "IN-NO": "NCT|Haryana|Himachal Pradesh|Kashmir|Punjab|Rajasthan|Uttar Pradesh|Uttarakhand|Chandigarh",
            "IN-WE": "Chhattisgarh|Gujarat|Madhya Pradesh|Maharashtra|Goa|Daman and Diu|Dadra and Nagar Haveli",
            "IN-SO": "Andhra Pradesh|Telangana|Karnataka|Kerala|Tamil Nadu|Pondicherry|Laccadives",
            "IN-EA": "Bihar|Jharkhand|Odisha|West Bengal|Sikkim|Andaman and Nicobar Islands",
            "IN-NE": "Arunachal Pradesh|Assam|Manipur|Meghalaya|Mizoram|Nagaland|Tripura",
        }
    ),
    "IT": _by_name(
        {
            "IT-NO": "Aosta Valley|Piedmont|Liguria|Lombardy|Trentino-Alto Adige|Veneto|"
            "Friuli Venezia Giulia|Emilia-Romagna",
            "IT-CNO": "Tuscany|The Marches",
            "IT-CSO": "Latium|Abruzzo|Campania|Umbria",
            "IT-SO": "Molise|Apulia|Basilicate|Calabria",
            "IT-SIC": "Sicily",
            "IT-SAR": "Sardinia",
        }
    ),
    "JP": _by_name(
        {
            "JP-HKD": "Hokkaido",
            "JP-TH": "Aomori|Iwate|Miyagi|Akita|Yamagata|Fukushima|Niigata",
            "JP-TK": "Ibaraki|Tochigi|Gunma|Saitama|Chiba|Tokyo|Kanagawa|Yamanashi",
            "JP-CB": "Nagano|Gifu|Shizuoka|Aichi|Mie",
            "JP-HR": "Toyama|Ishikawa|Fukui",
            "JP-KN": "Shiga Prefecture|Kyoto|Osaka|Hyogo|Nara|Wakayama",
            "JP-CG": "Tottori|Shimane|Okayama|Hiroshima|Yamaguchi",
            "JP-SK": "Tokushima|Kagawa|Ehime|Kochi",
            "JP-KY": "Fukuoka|Saga Prefecture|Nagasaki|Kumamoto|Oita|Miyazaki|Kagoshima",
            "JP-ON": "Okinawa",
        }
    ),
    "MY": _by_name({"MY-EM": "Sabah|Sarawak|Labuan"}),
    "NO": _by_name(
        {
            "NO-NO1": "Oslo|Akershus|Ostfold|Hedmark|Oppland|Buskerud",
            "NO-NO2": "Vestfold|Telemark|Aust-Agder|Vest-Agder|Rogaland",
            "NO-NO3": "More og Romsdal|Sor-Trondelag|Nord-Trondelag",
            "NO-NO4": "Nordland|Troms|Finnmark Fylke",
            "NO-NO5": "Hordaland|Sogn og Fjordane",
        }
    ),
    "NZ": _by_name({"NZ-NZC": "Chatham Islands"}),
    "PH": _by_name(
        {
            "PH-VI": "Eastern Visayas|Western Visayas|Central Visayas",
            "PH-MI": "Zamboanga Peninsula|Northern Mindanao|Soccsksargen|Davao|Caraga|"
            "Autonomous Region in Muslim Mindanao",
            "PH-LU": "Ilocos|Cagayan Valley|Calabarzon|Central Luzon|Bicol|Cordillera|Metro Manila|Mimaropa",
        }
    ),
    "PT": _by_name({"PT-AC": "Azores", "PT-MA": "Madeira"}),
    "RU": _by_name(
        {
            "RU-KGD": "Kaliningrad",
            "RU-2": "Kemerovo|Tomsk|Krasnoyarskiy|Altai Krai|Omsk|Novosibirsk|Irkutsk|Khakasiya|Altay|Tyva|"
            "Respublika Buryatiya|Transbaikal Territory",
            "RU-AS": "Khabarovsk Krai|Sakha|Primorskiy|Amur|Jewish Autonomous Oblast|Kamtsjatka|Sakhalin|Magadan|"
            "Chukotskiy Avtonomnyy Okrug",
        }
    ),
    "SE": _by_name(
        {
            "SE-SE1": "Norrbotten",
            "SE-SE2": "Vaesterbotten|Vaesternorrland|Jaemtland|Gaevleborg",
            "SE-SE4": "Skane|Blekinge|Kronoberg",
        }
    ),
    "VN": _by_name(
        {
            "VN-C": "Quang Binh|Quang Tri|Thua Thien-Hue|Da Nang|Quang Nam|Quang Ngai|Binh Dinh|Phu Yen|Khanh Hoa|"
            "Kon Tum|Gia Lai|Dac Lak|Dak Nong",
            "VN-S": "Ninh Thuan|Binh Thuan|Lam Dong|Binh Phuoc|Tay Ninh|Binh Duong|Dong Nai|Ba Ria-Vung Tau|"
            "Ho Chi Minh City|Long An|Tien Giang|Ben Tre|Tra Vinh|Vinh Long|Dong Thap|An Giang|Kien Giang|Can Tho|"
            "Hau Giang|Soc Trang|Bac Lieu|Ca Mau",
        }
    ),
    "US": _by_name(
        {
            "US-AK": "Alaska",
            "US-SE-SOCO": "Alabama|Georgia",
            "US-SW-AZPS": "Arizona",
            "US-MIDW-MISO": "Arkansas|Iowa|Illinois|Indiana|Louisiana|Michigan|Minnesota|Missouri|Mississippi|"
            "North Dakota|Wisconsin",
            "US-CAL-CISO": "California",
            "US-NW-PSCO": "Colorado",
            "US-NE-ISNE": "Connecticut|Maine|Massachusetts|New Hampshire|Rhode Island|Vermont",
            "US-MIDA-PJM": "Delaware|Washington, D.C.|Maryland|New Jersey|Ohio|Pennsylvania|Virginia|West Virginia",
            "US-FLA-FPL": "Florida",
            "US-HI-OA": "Hawaii",
            "US-NW-IPCO": "Idaho",
            "US-CENT-SWPP": "Kansas|Nebraska|Oklahoma|South Dakota",
            "US-MIDW-LGEE": "Kentucky",
            "US-NW-NWMT": "Montana",
            "US-CAR-DUK": "North Carolina|South Carolina",
            "US-SW-PNM": "New Mexico",
            "US-NW-NEVP": "Nevada",
            "US-NY-NYIS": "New York",
            "US-NW-PACW": "Oregon",
            "US-TEN-TVA": "Tennessee",
            "US-TEX-ERCO": "Texas",
            "US-NW-PACE": "Utah|Wyoming",
            "US-NW-BPAT": "Washington",
        }
    ),
}

# Where a country's province is in none of the lists above.
_REST = {
    "CL": "CL-SEN",
    "MY": "MY-WM",
    "RU": "RU-1",
    "SE": "SE-SE3",
    "VN": "VN-N",
}

_US_COUNTIES = _by_name(
    {
        "US-AK-SEAPA": "Alaska/Ketchikan Gateway|Alaska/Wrangell|Alaska/Petersburg",
        "US-TEN-TVA": "Alabama/Madison|Alabama/Limestone|Alabama/Lauderdale|Alabama/Colbert|Alabama/Morgan|"
        "Alabama/Marshall|Alabama/Jackson|Alabama/DeKalb|Alabama/Cullman|Alabama/Lawrence|Alabama/Franklin|"
        "Kentucky/McCracken|Kentucky/Warren|Kentucky/Calloway|Kentucky/Graves|Kentucky/Simpson|Kentucky/Logan|"
        "Kentucky/Christian|Kentucky/Todd|Kentucky/Marshall|Mississippi/Lee|Mississippi/Lowndes|Mississippi/Oktibbeha|"
        "Mississippi/Alcorn|Mississippi/Tishomingo|Mississippi/Pontotoc|Mississippi/Union|Mississippi/Marshall|"
        "Mississippi/Monroe|Mississippi/Prentiss|Mississippi/Itawamba|Georgia/Catoosa|Georgia/Walker|Georgia/Dade",
        "US-SW-TEPC": "Arizona/Pima|Arizona/Santa Cruz",
        "US-SW-WALC": "Arizona/Mohave|Arizona/La Paz",
        "US-CENT-SWPP": "Arkansas/Benton|Arkansas/Washington|Arkansas/Sebastian|Arkansas/Crawford|Arkansas/Miller|"
        "Louisiana/Caddo|Louisiana/Bossier|Louisiana/De Soto|Missouri/Jackson|Missouri/Clay|Missouri/Platte|"
        "Missouri/Cass|Missouri/Greene|Missouri/Jasper|Missouri/Newton|Missouri/Buchanan|Missouri/Johnson|"
        "Missouri/Christian|New Mexico/Curry|New Mexico/Lea|New Mexico/Roosevelt|New Mexico/Eddy|New Mexico/Chaves|"
        "Texas/Potter|Texas/Randall|Texas/Gray|Texas/Hutchinson|Texas/Moore|Texas/Deaf Smith|Texas/Hale|Texas/Bowie|"
        "Texas/Gregg|Texas/Harrison|Texas/Cass|Texas/Upshur|Texas/Panola",
        "US-CAL-BANC": "California/Sacramento",
        "US-CAL-IID": "California/Imperial",
        "US-NW-WACM": "Colorado/El Paso|Colorado/Teller|Colorado/Montrose|Colorado/Delta|Colorado/La Plata|"
        "Colorado/Montezuma|Colorado/Moffat|Colorado/Logan|Colorado/Morgan|Wyoming/Laramie|Wyoming/Campbell|"
        "Wyoming/Goshen|Wyoming/Crook|South Dakota/Pennington|South Dakota/Lawrence|South Dakota/Meade|"
        "South Dakota/Custer|South Dakota/Butte",
        "US-FLA-FPC": "Florida/Pinellas|Florida/Pasco|Florida/Seminole|Florida/Citrus|Florida/Hernando|Florida/Marion|"
        "Florida/Lake|Florida/Sumter|Florida/Highlands|Florida/Polk|Florida/Orange",
        "US-FLA-FMPP": "Florida/Osceola",
        "US-FLA-TEC": "Florida/Hillsborough",
        "US-FLA-JEA": "Florida/Duval",
        "US-FLA-TAL": "Florida/Leon",
        "US-HI-HA": "Hawaii/Hawaii",
        "US-HI-MA": "Hawaii/Maui",
        "US-HI-KA": "Hawaii/Kauai",
        "US-NW-PACE": "Idaho/Bonneville|Idaho/Madison|Idaho/Jefferson|Idaho/Fremont|Idaho/Franklin|Idaho/Bear Lake",
        "US-NW-AVA": "Idaho/Kootenai|Idaho/Bonner|Idaho/Latah|Idaho/Nez Perce|Idaho/Shoshone|Washington/Spokane|"
        "Washington/Whitman|Washington/Stevens|Washington/Asotin",
        "US-MIDA-PJM": "Illinois/Cook|Illinois/DuPage|Illinois/Lake|Illinois/Will|Illinois/Kane|Illinois/McHenry|"
        "Illinois/Kankakee|Illinois/DeKalb|Illinois/Kendall|Illinois/Grundy|Illinois/Winnebago|Illinois/Boone|"
        "Illinois/Ogle|Illinois/LaSalle|Illinois/La Salle|Illinois/Lee|Illinois/Whiteside|Illinois/Stephenson|"
        "Illinois/Livingston|Indiana/Allen|Indiana/St. Joseph|Indiana/Saint Joseph|Indiana/Elkhart|Indiana/Delaware|"
        "Indiana/Grant|Michigan/Berrien|Michigan/Cass|Kentucky/Boyd|Kentucky/Pike|Kentucky/Floyd|Kentucky/Kenton|"
        "Kentucky/Boone|Kentucky/Campbell|Kentucky/Perry|Kentucky/Pulaski|Kentucky/Clark|North Carolina/Pasquotank|"
        "North Carolina/Dare|North Carolina/Halifax|North Carolina/Currituck|"
        "North Carolina/Hertford|Tennessee/Sullivan",
        "US-MIDW-MISO": "Kentucky/Daviess|Kentucky/Henderson|South Dakota/Minnehaha|South Dakota/Lincoln|"
        "Texas/Jefferson|Texas/Orange|Texas/Hardin|Texas/Montgomery|Texas/Liberty|Texas/Walker|Texas/Newton|"
        "Texas/Jasper|Texas/Polk|Montana/Richland|Montana/Dawson",
        "US-SE-SOCO": "Mississippi/Harrison|Mississippi/Hancock|Mississippi/Jackson|Mississippi/Forrest|"
        "Mississippi/Lamar|Mississippi/Jones|Mississippi/Lauderdale|Mississippi/Pearl River",
        "US-NW-BPAT": "Montana/Flathead|Montana/Lincoln|Montana/Lake|Oregon/Lane|Oregon/Wasco|Oregon/Tillamook|"
        "Oregon/Lincoln|Oregon/Morrow|Oregon/Umatilla|Oregon/Columbia|Wyoming/Teton",
        "US-CAR-CPLE": "North Carolina/Wake|North Carolina/New Hanover|North Carolina/Cumberland|North Carolina/Wayne|"
        "North Carolina/Johnston|North Carolina/Nash|North Carolina/Onslow|North Carolina/Robeson|"
        "North Carolina/Harnett|North Carolina/Lee|North Carolina/Moore|North Carolina/Brunswick|North Carolina/Craven|"
        "North Carolina/Carteret|North Carolina/Pitt|North Carolina/Wilson|North Carolina/Lenoir|"
        "North Carolina/Sampson|North Carolina/Columbus|North Carolina/Pender|North Carolina/Vance|"
        "North Carolina/Franklin|North Carolina/Chatham|North Carolina/Person|South Carolina/Florence|"
        "South Carolina/Sumter|South Carolina/Darlington|South Carolina/Marion",
        "US-CAR-CPLW": "North Carolina/Buncombe|North Carolina/Haywood",
        "US-SW-EPE": "New Mexico/Dona Ana|New Mexico/Doña Ana|Texas/El Paso|Texas/Hudspeth",
        "US-NW-PGE": "Oregon/Multnomah|Oregon/Washington|Oregon/Clackamas|Oregon/Marion|Oregon/Yamhill",
        "US-NW-IPCO": "Oregon/Malheur",
        "US-CAR-SCEG": "South Carolina/Richland|South Carolina/Lexington|South Carolina/Charleston|"
        "South Carolina/Aiken|"
        "South Carolina/Dorchester|South Carolina/Beaufort|South Carolina/Orangeburg|South Carolina/Jasper",
        "US-CAR-SC": "South Carolina/Berkeley|South Carolina/Horry|South Carolina/Georgetown|South Carolina/Clarendon",
        "US-NW-PSEI": "Washington/King|Washington/Thurston|Washington/Whatcom|Washington/Skagit|Washington/Kitsap|"
        "Washington/Island|Washington/Pierce|Washington/Kittitas",
        "US-NW-PACW": "Washington/Yakima|Washington/Walla Walla",
        "US-NW-GCPD": "Washington/Grant",
        "US-NW-CHPD": "Washington/Chelan",
        "US-NW-DOPD": "Washington/Douglas",
    }
)

_US_TOWNS = _by_name(
    {
        "US-CAL-LDWP": "California/Los Angeles|California/Burbank|California/Glendale|California/Hollywood|"
        "California/Van Nuys|California/North Hollywood|California/Sherman Oaks|"
        "California/Encino|California/Northridge|"
        "California/Reseda|California/Chatsworth|California/San Pedro|California/Venice|California/Canoga Park|"
        "California/Woodland Hills|California/Boyle Heights|California/Echo Park|California/Silver Lake|"
        "California/Koreatown|California/Hollywood Hills|California/Westwood",
        "US-CAL-BANC": "California/Roseville|California/Redding|California/Modesto",
        "US-CAL-TIDC": "California/Turlock|California/Ceres",
        "US-CAL-IID": "California/Indio|California/Coachella|California/La Quinta|California/Thermal|California/Mecca",
        "US-SW-SRP": "Arizona/Mesa|Arizona/Tempe|Arizona/Gilbert|Arizona/Chandler|Arizona/Tempe Junction|"
        "Arizona/Queen Creek|Arizona/Apache Junction|Arizona/Guadalupe",
        "US-FLA-FMPP": "Florida/Orlando|Florida/Lakeland",
        "US-FLA-GVL": "Florida/Gainesville",
        "US-FLA-HST": "Florida/Homestead",
        "US-NW-SCL": "Washington/Seattle|Washington/Shoreline",
        "US-NW-TPWR": "Washington/Tacoma|Washington/University Place|Washington/Fircrest",
    }
)


def zone_of(country: str, province: str, county: str, town: str, latitude: float, longitude: float) -> str:
    """The zone of a town as GeoNames names it, in degrees; the country where it has one grid."""
    for zone in _by_position(country, province, latitude, longitude):
        return zone
    if country == "US":
        plain = county.removesuffix(" County").removesuffix(" Parish").removesuffix(" Borough")
        found = _US_TOWNS.get(f"{province}/{town}") or _US_COUNTIES.get(f"{province}/{plain}")
        if found:
            return found
    return _PROVINCES.get(country, {}).get(province) or _REST.get(country, country)


def _by_position(country: str, province: str, latitude: float, longitude: float) -> Iterable[str]:
    """Islands and provinces that a line divides."""
    place = (country, province)
    if place == ("CA", "Newfoundland and Labrador") and (longitude < -59.5 or latitude > 51.75):
        yield "CA-NL-LB"
    elif place == ("JP", "Shizuoka") and longitude > 138.63:  # the river Fuji divides 50 from 60 Hz
        yield "JP-TK"
    elif country == "DK" and longitude > 14:
        yield "DK-BHM"
    elif country == "CL" and longitude < -100:
        yield "CL-CHP"
    elif country == "GB" and latitude > 59.7:
        yield "GB-ZET"
    elif country == "GB" and latitude > 58.7 and longitude > -3.5 and province == "Scotland":
        yield "GB-ORK"
    elif place == ("SE", "Gaevleborg") and latitude < 61:
        yield "SE-SE3"
    elif country == "SE" and (
        (province == "Kalmar" and latitude < 57.0) or (province == "Halland" and latitude < 57.0)
    ):
        yield "SE-SE4"
    elif place == ("ES", "Canary Islands"):
        yield _canary_island(latitude, longitude)
    elif place == ("ES", "Balearic Islands"):
        yield _balearic_island(latitude, longitude)
    elif country == "AU" and -40.3 < latitude < -39.4 and 143.5 < longitude < 144.3:
        yield "AU-TAS-KI"


def _canary_island(latitude: float, longitude: float) -> str:
    if longitude > -14.7:
        return "ES-CN-FVLZ"
    if longitude > -16:
        return "ES-CN-GC"
    if longitude > -17:
        return "ES-CN-TE"
    if longitude > -17.5:
        return "ES-CN-IG"
    return "ES-CN-LP" if latitude > 28.2 else "ES-CN-HI"


def _balearic_island(latitude: float, longitude: float) -> str:
    if longitude > 3.7:
        return "ES-IB-ME"
    if longitude > 2:
        return "ES-IB-MA"
    return "ES-IB-FO" if latitude < 38.8 and longitude > 1.365 else "ES-IB-IZ"
