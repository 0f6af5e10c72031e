"""Makes `places.csv`: `python -m grid.data.make_places RG_CITIES1000_CSV CITIES15000_JSON`. See `README.md`.

A nearest neighbour needs many examples along borders and few elsewhere: condensed nearest neighbours (Hart 1968, The
condensed nearest neighbor rule) starts from a sparse net of towns, and adds those whose nearest neighbour in the table
has another zone. A tenth of the towns is never shown to it, to tell how well towns are placed that are not in the
table. Large cities are in it in any case.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from grid.data.zone_rules import zone_of
from grid.zones import ZONES

_ROWS = 10_300
_LARGE = 250_000
_NET_KM = 150.0
_EARTH_KM = 6_371.0

# Centres that lie nearer to a neighbour across a border than to the point GeoNames has for their own town.
_CENTRES = (
    (42.31, -83.04, "CA-ON", "Windsor"),
    (40.72, -74.04, "US-MIDA-PJM", "Jersey City"),
    (40.74, -74.03, "US-MIDA-PJM", "Hoboken"),
    (40.75, -74.00, "US-NY-NYIS", "Chelsea"),
    (43.74, 7.42, "MC", "Monaco"),
    (43.77, 7.50, "FR", "Menton"),
    (-25.52, -54.58, "BR-S", "Foz do Iguacu"),
    (-25.60, -54.57, "AR-NEA", "Puerto Iguazu"),
)


def main() -> None:
    """Read, thin out, write, and print how well the table does."""
    with Path(sys.argv[1]).open(encoding="utf-8", newline="") as file:
        towns = [row for row in csv.DictReader(file) if row["cc"] in ZONES]
    degrees = np.array([(float(t["lat"]), float(t["lon"])) for t in towns])
    labels = [zone_of(t["cc"], t["admin1"], t["admin2"], t["name"], *d) for t, d in zip(towns, degrees, strict=True)]
    unknown = set(labels) - ZONES
    if unknown:
        raise SystemExit(f"not zones: {sorted(unknown)}")
    zones = np.array(labels)
    spots = _on_sphere(degrees.round(2))
    rng = np.random.default_rng(0)
    shown = rng.random(len(towns)) >= 0.1
    countries = np.array([town["cc"] for town in towns])
    shown[large := _large_cities(Path(sys.argv[2]), spots, countries)] = True
    chosen = _condense(spots, zones, np.flatnonzero(shown), large, rng)
    nearest = KDTree(spots[chosen]).query(spots)[1]
    right = zones[chosen][nearest] == zones
    american = np.char.startswith(zones, "US-")
    report = [f"{len(towns)} towns, {len(chosen)} rows, {len(set(labels))} zones"]
    for name, part in (("shown", shown), ("held back", ~shown), ("held back, US", ~shown & american)):
        report.append(f"{name}: {right[part].mean():.4%} of {part.sum()}")
    sys.stdout.write("\n".join(report) + "\n")
    with Path(__file__).with_name("places.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("latitude", "longitude", "zone", "name"))
        rows = [*_CENTRES, *((*degrees[i], zones[i], towns[i]["name"]) for i in chosen.tolist())]
        for latitude, longitude, zone, name in sorted(rows, key=lambda row: (row[2], row[3])):
            writer.writerow((f"{latitude:.2f}", f"{longitude:.2f}", zone, name))


def _large_cities(path: Path, spots: NDArray[np.float64], countries: NDArray[np.str_]) -> NDArray[np.intp]:
    """The towns that are the cities of `_LARGE` people and more: nearest of the same country, within 15 km."""
    cities = [city for city in json.loads(path.read_text("utf-8")).values() if city["population"] >= _LARGE]
    degrees = np.array([(city["latitude"], city["longitude"]) for city in cities])
    distances, nearest = KDTree(spots).query(_on_sphere(degrees), k=5)
    same = countries[nearest] == np.array([city["countrycode"] for city in cities])[:, None]
    close = np.where(same, distances * _EARTH_KM, np.inf)
    best = close.argmin(axis=1)
    rows = np.arange(len(cities))
    return np.unique(nearest[rows, best][close[rows, best] < 15])


def _condense(
    spots: NDArray[np.float64],
    zones: NDArray[np.str_],
    pool: NDArray[np.intp],
    kept: NDArray[np.intp],
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    net = 2 * np.sin(_NET_KM / _EARTH_KM / 2)
    chosen: list[int] = kept.tolist()
    for zone in np.unique(zones):
        members = rng.permutation(pool[zones[pool] == zone])
        tree, left = KDTree(spots[members]), np.ones(len(members), dtype=bool)
        for index, member in enumerate(members):
            if left[index]:
                chosen.append(int(member))
                left[tree.query_ball_point(spots[member], net)] = False
    while len(chosen) < _ROWS:
        rows = np.array(chosen)
        wrong = pool[zones[rows][KDTree(spots[rows]).query(spots[pool])[1]] != zones[pool]]
        if not len(wrong):
            break
        chosen.extend(rng.permutation(wrong)[: min(_ROWS - len(chosen), max(1, len(wrong) // 4))].tolist())
    return np.array(sorted(set(chosen)))


def _on_sphere(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    latitude, longitude = np.radians(degrees).T
    flat = np.cos(latitude)
    return np.column_stack((flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)))


if __name__ == "__main__":
    main()
