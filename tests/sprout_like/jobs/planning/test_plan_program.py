"""What the search for stretches promises, whatever the slots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprout_like.jobs.planning import Station
from sprout_like.jobs.planning.outlook import Outlook
from sprout_like.jobs.planning.program import always_on, cheapest_stretches
from sprout_like.jobs.planning.slots import Grain, Slots

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SLOT_S, COUNT = 300.0, 12


@pytest.mark.parametrize("parts", [0, 15])
@settings(max_examples=60, deadline=None)
@given(
    figures=st.lists(st.floats(1, 900), min_size=COUNT, max_size=COUNT),
    due=st.lists(st.tuples(st.integers(1, COUNT), st.integers(0, 60)), min_size=1, max_size=4),
    load_s=st.sampled_from([0.0, 2.0, 400.0, 700.0]),
    loaded=st.booleans(),
)
def test_what_must_be_done_by_an_edge_is_done_even_where_a_model_loads_across_it(
    parts: int, figures: list[float], due: list[tuple[int, int]], load_s: float, loaded: bool
) -> None:
    slot = timedelta(seconds=SLOT_S)
    outlook = tuple((NOW + n * slot, NOW + (n + 1) * slot, g) for n, g in enumerate(figures))
    worker = Station(
        worker_id="w", zone="GB", model="m", engine="e", pace_tokens_per_s=1, power_w=300, load_s=load_s, load_j=10
    )
    grain = Grain(slot_s=SLOT_S, fine_s=1e6, unit_s=SLOT_S / 15, parts=parts)
    slots = Slots.of(worker, Outlook.of(outlook, NOW), grain, clock_s=0.0, end_s=SLOT_S * COUNT)
    most = np.full(len(slots.edge_s), max(units for _, units in due))
    most[0] = 0
    soonest = always_on(slots, most, loaded=loaded)
    most = np.minimum(most, soonest[-1])
    least = np.zeros_like(most)
    for edge, units in due:
        least[edge] = max(least[edge], units)
    least = np.minimum(np.maximum.accumulate(least), soonest)
    least[-1] = most[-1]
    stretches = cheapest_stretches(slots, least, most, loaded=loaded, parts=parts)
    for edge_s, units in zip(slots.edge_s, least, strict=True):
        on_s = sum(max(0.0, min(each.end_s, edge_s) - each.ready_s) for each in stretches)
        assert on_s >= units * grain.unit_s - 1e-6
    for before, after in pairwise(stretches):
        assert after.start_s >= before.end_s - 1e-9
        assert after.ready_s == pytest.approx(after.start_s + (load_s if after.loads else 0.0))
