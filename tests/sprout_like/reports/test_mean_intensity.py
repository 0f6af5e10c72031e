"""A round intensity is in one class, whatever its requests' energies and the order they are added up in."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from sprout_like.carbon import operational_g
from sprout_like.ledger.rollups.facts import facts
from sprout_like.ledger.testing import sample_request
from sprout_like.record import RequestRecord
from sprout_like.reports.build import Asked, build
from sprout_like.reports.saving import moments
from sprout_like.settings import Settings

Fill = Callable[[Iterable[object]], Engine]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def served(number: int, energy_j: float, g_per_kwh: float) -> RequestRecord:
    """Three an hour."""
    return sample_request(
        number,
        started_utc=NOON + timedelta(minutes=20 * number),
        energy_j=energy_j,
        intensity_g_per_kwh=g_per_kwh,
        operational_g=operational_g(energy_j, g_per_kwh, 1.2),
    )


def test_requests_at_a_round_intensity_are_in_the_class_that_begins_there(filled: Fill) -> None:
    rng = random.Random(3)
    engine = filled(served(number, rng.lognormvariate(1, 1), 180.0) for number in range(90))

    found = build(engine, Settings.load(policy="full"), Asked()).classes

    assert [(of.low_g_per_kwh, of.high_g_per_kwh, of.requests) for of in found] == [(180.0, 190.0, 90)]


def test_requests_at_the_edge_of_a_level_are_compared_with_each_other(filled: Fill) -> None:
    rng = random.Random(3)
    engine = filled(served(number, rng.lognormvariate(1, 1), 12.5) for number in range(90))

    with engine.connect() as connection:
        levels = {line.level for line in connection.execute(moments(facts(engine)))}

    assert levels == {2}


def test_a_control_group_is_in_the_classes_of_the_requests_beside_it(filled: Fill) -> None:
    """Drawn at random within an hour whose two halves lie on either side of an edge."""
    rng = random.Random(5)
    rows = [
        replace(
            served(number, 2.0, 130.0 if number % 3 else 110.0),  # 116.4 is an edge
            decision_group="control" if rng.random() < 0.3 else "policy",
            propensity=0.3,
        )
        for number in range(240)
    ]
    with filled(rows).connect() as connection:
        lines = connection.execute(moments(facts(connection.engine))).all()

    assert {line.level for line in lines if line.decision_group == "control"} == {line.level for line in lines}
    assert len({line.level for line in lines}) == 1
