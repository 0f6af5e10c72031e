"""The quality a policy serves by the direct method: from verdicts alone, whoever was served what."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

from directives.evidence import Evidence, Quality
from directives.off_policy import Chances, Context
from directives.plan import kin
from directives.workload import Bin

__all__ = ["Served", "direct_quality", "traffic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Quality over some traffic.

    Attributes:
        quality: as a share of `full`'s.
        margin: how far, in scores, all traffic lies above the floor, at the lower end of its bound; < 0 is below.
        unjudged: share of the requests that are served what was never judged, which is counted as worth nothing.
    """

    quality: float
    margin: float
    unjudged: float


def direct_quality(
    requests: Mapping[Context, float], policy: Chances, evidence: Evidence, *, floor: float, confidence: float
) -> Served | None:
    """Of a policy on these requests; None where nothing it serves needs judging.

    A bin without verdicts takes those of its parents. The bound is that of docs/decisions/0019: errors of different
    cells are independent, those of one bin add up, and as many prompts again are to be served as were judged.

    Args:
        requests: how many there are by context.
        policy: what they are served.
        evidence: with the verdicts.
        floor: as a share of `full`'s quality.
        confidence: of the bound, one-sided.
    """
    cells = {(cell.bin, cell.directive): cell for cell in evidence.cells}
    lossless = {cell.directive for cell in evidence.cells if cell.lossless} | {"full"}
    judged = {key: cell.quality for key, cell in cells.items() if cell.quality is not None}
    pooled = _pooled(judged)
    total = math.fsum(requests.values())
    worth = score = full_score = unjudged = 0.0
    weights: defaultdict[tuple[Bin, str], float] = defaultdict(float)
    lossy = False
    for context, count in requests.items():
        full = _full_score(context.bin, pooled)
        for name, chance in policy(context).items():
            share = chance * count / total
            full_score += share * full
            if name in lossless:
                score += share * full
                worth += share * full * (1 - floor)
                continue
            lossy = lossy or chance > 0
            source = next(((node, name) for node in kin(context.bin) if (node, name) in pooled), None)
            if source is None:
                unjudged += share
                worth -= share * floor * full
                continue
            weights[source] += share
            score += share * full * pooled[source].mean / (pooled[source].full_mean or 1.0)
            worth += share * pooled[source].worth(floor).mean
    if not lossy:
        return None
    z = math.sqrt(2) * NormalDist().inv_cdf(confidence)
    return Served(quality=score / full_score, margin=worth - z * _error(weights, pooled, floor), unjudged=unjudged)


def _pooled(judged: Mapping[tuple[Bin, str], Quality]) -> dict[tuple[Bin, str], Quality]:
    """What was judged, and for parents without a cell of their own what their bins hold together."""
    found = dict(judged)
    for (home, name), quality in judged.items():
        for node in kin(home)[1:]:
            if (node, name) not in judged:
                found[node, name] = quality if (node, name) not in found else found[node, name].merged(quality)
    return found


def _full_score(home: Bin, pooled: Mapping[tuple[Bin, str], Quality]) -> float:
    """`full`'s mean score in the bin, else in its parents; 1 where none is known, as the unit then does not matter."""
    for node in kin(home):
        known = [quality for (where, _), quality in pooled.items() if where == node]
        if known:
            return sum(quality.n * quality.full_mean for quality in known) / sum(quality.n for quality in known)
    return 1.0


def _error(weights: Mapping[tuple[Bin, str], float], pooled: Mapping[tuple[Bin, str], Quality], floor: float) -> float:
    by_bin: defaultdict[Bin, list[float]] = defaultdict(list)
    for (home, name), weight in weights.items():
        worth = pooled[home, name].worth(floor)
        by_bin[home].append(weight * (1.0 if worth.sd is None else worth.sd / math.sqrt(worth.n)))
    return math.hypot(*(math.fsum(errors) for errors in by_bin.values()))


def traffic(contexts: Iterable[tuple[Context, float]]) -> dict[Context, float]:
    """Requests by context, summed."""
    requests: defaultdict[Context, float] = defaultdict(float)
    for context, count in contexts:
        requests[context] += count
    return dict(requests)
