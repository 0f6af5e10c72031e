"""Quality of a policy by verdicts alone."""

from __future__ import annotations

import pytest

from directives.direct import direct_quality, traffic
from directives.evidence import Evidence, Known, Quality
from directives.off_policy import Chances, Context
from directives.workload import Bin

HERE, THERE = Bin(task="a", batch_size="1"), Bin(task="a", batch_size="2-4")
REQUESTS = traffic(
    (Context(bin=home, intensity_g_per_kwh=None, candidates=("full",)), count)
    for home, count in ((HERE, 3), (THERE, 1))
)


def judged(share: float, n: int) -> Quality | None:
    return Quality.of((float(i < share * n), 1.0) for i in range(n))


def evidence(*cells: Known) -> Evidence:
    return Evidence(cells=(Known(directive="full", bin=Bin(), lossless=True), *cells))


def brief(home: Bin, share: float, n: int) -> Known:
    return Known(directive="brief", bin=home, lossless=False, quality=judged(share, n))


def serving(**shares: float) -> Chances:
    return lambda _context: shares


def test_it_is_the_mean_over_the_traffic_and_what_is_served() -> None:
    known = evidence(brief(HERE, 0.8, 100), brief(THERE, 0.4, 100))
    served = direct_quality(REQUESTS, serving(full=0.5, brief=0.5), known, floor=0.7, confidence=0.99)
    assert served is not None
    assert served.quality == pytest.approx(0.5 + 0.5 * (0.75 * 0.8 + 0.25 * 0.4))
    assert served.margin < served.quality - 0.7


def test_a_bin_without_verdicts_takes_its_parents_and_more_verdicts_narrow_the_bound() -> None:
    few, many = (
        direct_quality(REQUESTS, serving(brief=1.0), evidence(brief(HERE, 0.8, n)), floor=0.7, confidence=0.99)
        for n in (20, 2000)
    )
    assert few is not None
    assert many is not None
    assert few.quality == pytest.approx(many.quality) == pytest.approx(0.8)
    assert few.margin < 0 < many.margin < 0.1
    assert many.unjudged == 0


def test_what_was_never_judged_is_worth_nothing() -> None:
    known = evidence(Known(directive="brief", bin=HERE, lossless=False))
    served = direct_quality(REQUESTS, serving(full=0.98, brief=0.02), known, floor=0.9, confidence=0.99)
    assert served is not None
    assert (served.quality, served.unjudged) == (pytest.approx(0.98), pytest.approx(0.02))
    assert served.margin == pytest.approx(0.98 * 0.1 - 0.02 * 0.9)


def test_where_nothing_needs_judging_there_is_nothing_to_say() -> None:
    assert direct_quality(REQUESTS, serving(full=1.0), evidence(), floor=0.9, confidence=0.99) is None
