"""What 1,000 requests and one token took, and the Software Carbon Intensity of either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sprout_like.carbon import JOULES_PER_KWH
from sprout_like.reports.interval import UNKNOWN, Figure
from sprout_like.reports.report import Cost, Sci
from sprout_like.reports.sections.overview import SERVED, by_key
from sprout_like.reports.sections.reading import Cell
from sprout_like.reports.sections.sums import Sums, energy, grams, ratio
from sprout_like.settings import Settings

__all__ = ["PER_REQUESTS", "PER_TOKEN", "costs", "sci"]

PER_REQUESTS: Final = "1,000 requests"
PER_TOKEN: Final = "new token"  # noqa: S105 - a unit

_REQUEST: Final = "request"
_TOKENS: Final = "1,000 new tokens"


@dataclass(frozen=True, slots=True)
class _Each:
    """Per request, or per new token: J, facility J, g and embodied g.

    Attributes:
        n: requests or tokens of the requests of known energy; None where unknown.
    """

    n: float | None
    energy_j: Figure
    facility_j: Figure
    operational_g: Figure
    embodied_g: Figure


def costs(cells: Sequence[Cell], settings: Settings) -> tuple[Cost, ...]:
    """Of requests and of items of jobs, apart for each kind and factors.

    A sum is divided by the requests behind it: what is unknown costs neither nothing nor as much as the rest. Tokens
    are those of groups in which each request knows its energy.
    """
    found = []
    for purpose, kind, factors, sums in _served(cells):
        for per, size, each in ((PER_REQUESTS, 1000.0, _per_request(sums)), (PER_TOKEN, 1.0, _per_token(sums))):
            if each.n:
                kwh, facility_kwh = (
                    each.energy_j.times(size / JOULES_PER_KWH),
                    each.facility_j.times(size / JOULES_PER_KWH),
                )
                found.append(
                    Cost(
                        purpose=purpose,
                        intensity_kind=kind,
                        intensity_factors=factors,
                        per=per,
                        units=each.n / size,
                        energy_j=each.energy_j.times(size),
                        operational_g=each.operational_g.times(size),
                        embodied_g=each.embodied_g.times(size),
                        water_l=kwh.times(settings.wue_l_per_kwh),
                        price=facility_kwh.times(settings.price_per_kwh),
                        currency=settings.currency,
                    )
                )
    return tuple(found)


def sci(cells: Sequence[Cell]) -> tuple[Sci, ...]:
    """(E × I + M) per request and per 1,000 new tokens, for each kind and factors; none without an intensity."""
    found = []
    for purpose, kind, factors, sums in _served(cells):
        if kind is None or factors is None:
            continue
        mean = ratio(sums.priced_g, sums.priced_j)
        for unit, size, each in ((_REQUEST, 1.0, _per_request(sums)), (_TOKENS, 1000.0, _per_token(sums))):
            if not each.n:
                continue
            operational, embodied = each.operational_g.times(size), each.embodied_g.times(size)
            found.append(
                Sci(
                    purpose=purpose,
                    intensity_kind=kind,
                    intensity_factors=factors,
                    functional_unit=unit,
                    units=each.n / size,
                    energy_kwh=each.facility_j.times(size / JOULES_PER_KWH),
                    intensity_g_per_kwh=None if mean is None else mean * JOULES_PER_KWH,
                    operational_g=operational,
                    embodied_g=embodied,
                    score_g=_sum(operational, embodied),
                )
            )
    return tuple(found)


def _served(cells: Iterable[Cell]) -> Iterator[tuple[str, str | None, str | None, Sums]]:
    served = (cell for cell in cells if cell.purpose in SERVED)
    found = by_key(served, lambda cell: (SERVED.index(cell.purpose), cell.kind, cell.factors))
    for (place, kind, factors), sums in sorted(
        found.items(), key=lambda item: (item[0][0], item[0][1] is None, item[0][1] or "", item[0][2] or "")
    ):
        yield SERVED[place], kind, factors, sums


def _per_request(sums: Sums) -> _Each:
    known = sums.energy_known_n or None
    each = None if known is None else 1 / known
    facility = ratio(sums.facility_j, sums.energy_j)
    return _Each(
        n=known,
        energy_j=energy(sums).times(each),
        facility_j=energy(sums).times(facility).times(each),
        operational_g=grams(sums).times(ratio(1.0, sums.carbon_known_n)),
        embodied_g=_embodied(sums, ratio(1.0, sums.embodied_known_n)),
    )


def _per_token(sums: Sums) -> _Each:
    """Energy from the groups that know it all; the rest in the ratio that it has to the energy of all requests."""
    tokens = sums.paired_tokens or None
    all_j = energy(sums)
    # The same J per token on the sum, whose interval is thus kept as a share.
    each = ratio(ratio(sums.paired_j, tokens), sums.energy_j)
    whole = tokens is not None and sums.new_tokens == tokens
    return _Each(
        n=tokens,
        energy_j=all_j.times(each),
        facility_j=all_j.times(each).times(ratio(sums.facility_j, sums.energy_j)),
        operational_g=grams(sums).times(each),
        embodied_g=_embodied(sums, ratio(1.0, tokens) if whole and sums.embodied_known_n == sums.requests_n else None),
    )


def _embodied(sums: Sums, each: float | None) -> Figure:
    return UNKNOWN if sums.embodied_g is None else Figure(sums.embodied_g).times(each)


def _sum(one: Figure, exact: Figure) -> Figure:
    """The interval is that of the one; the other has none."""
    if one.value is None or exact.value is None:
        return UNKNOWN
    low = None if one.low is None else one.low + exact.value
    high = None if one.high is None else one.high + exact.value
    return Figure(one.value + exact.value, low, high)
