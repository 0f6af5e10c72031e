"""Sums made by the database against the same sums made here, row by row."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from directives import Observation
from directives.workload import BATCH_EDGES, LIMIT_EDGES, PROMPT_EDGES, bin_of
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.migrate import ensure_schema
from sprout_like.ledger.request_rows import insert_requests
from sprout_like.ledger.schema import StoredRequestRow
from sprout_like.ledger.testing import sample_request
from sprout_like.record import RequestRecord
from sprout_like.tuning.aggregate import Group, groups
from sprout_like.tuning.overview import Scope, overview

EDGES = (100.0, 200.0)
START = sample_request().started_utc
SCOPE = Scope(
    model=sample_request().model,
    catalogue_version="builtin:1",
    since_utc=None,
    recent_utc=START + timedelta(seconds=5),
    kind="average",
    factors="direct",
)


def near(edges: tuple[int, ...]) -> st.SearchStrategy[int | None]:
    return st.none() | st.sampled_from([1, *edges, *(edge + 1 for edge in edges)])


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    size = draw(near(BATCH_EDGES))
    prompt = draw(near(PROMPT_EDGES))
    shift = draw(st.integers(-1, 1))
    return {
        "task": draw(st.sampled_from([None, "question"])),
        "inferred_task": draw(st.sampled_from([None, "summary"])),
        "batch_size": size,
        "prompt_tokens": None if prompt is None else max(1, prompt * (size or 1) + shift),
        "caller_limit_tokens": draw(near(LIMIT_EDGES)),
        "limit_tokens": 7,
        "intensity_g_per_kwh": draw(st.sampled_from([None, 0.0, 99.9, 100.0, 150.0, 200.0, 900.0])),
        "intensity_kind": draw(st.sampled_from(["average", "marginal"])),
        "directive": draw(st.sampled_from(["full", "brief"])),
        "purpose": draw(st.sampled_from(["request", "evaluation", "calibration"])),
        "status": draw(st.sampled_from(["ok", "ok", "error"])),
        "propensity": draw(st.sampled_from([None, 0.25, 1.0])),
        "energy_j": draw(st.sampled_from([None, 0.0, 3.5, 1e3])),
        "operational_g": draw(st.sampled_from([None, 0.25])),
        "engine_s": draw(st.sampled_from([None, 2.0])),
        "compile_s": draw(st.sampled_from([None, 0.5])),
    }


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = build_engine(parse_address(tmp_path_factory.mktemp("ledger") / "ledger.sqlite"))
    ensure_schema(engine)
    yield engine
    engine.dispose()


def stored(engine: Engine, records: list[RequestRecord]) -> None:
    with engine.begin() as connection:
        connection.execute(delete(StoredRequestRow))
        insert_requests(connection, records)


def by_hand(records: list[RequestRecord]) -> dict[tuple[Any, ...], dict[str, float]]:
    found: defaultdict[tuple[Any, ...], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for r in records:
        if r.status != "ok" or r.purpose == "calibration":
            continue
        observed = Observation(
            task=r.task or r.inferred_task,
            prompt_tokens=r.prompt_tokens,
            limit_tokens=r.caller_limit_tokens,
            batch_size=r.batch_size,
        )
        intensity = r.intensity_g_per_kwh
        level = None if intensity is None else sum(intensity >= edge for edge in EDGES)
        grams = r.energy_j is not None and r.operational_g is not None and r.intensity_kind == "average"
        drawn = r.purpose == "request" and r.propensity is not None
        key = (bin_of(observed), level, r.directive, r.batch_size or 1, drawn, r.purpose == "request")
        sums = found[key]
        sums["n"] += 1
        sums["recent_n"] += r.purpose == "request" and r.started_utc >= SCOPE.recent_utc
        if r.engine_s is not None:
            sums["time_s"] += r.engine_s - (r.compile_s or 0)
        if r.energy_j is None:
            continue
        sums["energy_n"] += 1
        sums["energy_squares"] += r.energy_j**2
        if drawn and r.propensity is not None:
            sums["energy_weighted"] += r.energy_j / r.propensity
            sums["energy_twice"] += r.energy_j / r.propensity**2
            if grams and r.operational_g is not None:
                sums["carbon_weighted"] += r.operational_g / r.propensity
                sums["carbon_squares"] += (r.operational_g / r.propensity) ** 2
    return found


def summed(found: list[Group]) -> dict[tuple[Any, ...], dict[str, float]]:
    sums: defaultdict[tuple[Any, ...], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for g in found:
        of = sums[g.bin, g.level, g.directive, g.size, g.drawn, g.request]
        for name in ("n", "recent_n", "time_s", "energy_n", "energy_squares"):
            of[name] += getattr(g, name)
        if g.drawn:
            of["energy_weighted"] += g.energy[0]
            of["energy_twice"] += g.energy[1]
            if g.carbon_g is not None:
                of["carbon_weighted"] += g.carbon[0]
                of["carbon_squares"] += g.carbon[2]
    return sums


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(rows(), min_size=1, max_size=12))
def test_the_database_bins_and_sums_as_python_does(ledger: Engine, changes: list[dict[str, Any]]) -> None:
    records = [sample_request(number, **each) for number, each in enumerate(changes)]
    stored(ledger, records)
    with ledger.connect() as connection:
        found = summed(groups(connection, SCOPE, EDGES))
    expected = by_hand(records)
    assert found.keys() == expected.keys()
    for key, sums in expected.items():
        assert {k: v for k, v in found[key].items() if v} == pytest.approx({k: v for k, v in sums.items() if v}), key


def test_past_intensities_stand_for_as_many_requests_each(ledger: Engine) -> None:
    """Three rows of the traffic at 100 g/kWh for each at 300, of which half come in one batch."""
    at = [100.0] * 30 + [300.0] * 5
    records = [sample_request(n, intensity_g_per_kwh=g, batch_size=1) for n, g in enumerate(at)]
    stored(ledger, [*records, sample_request(99, intensity_g_per_kwh=300.0, batch_size=5)])
    with ledger.connect() as connection:
        seen = overview(connection, catalogue_version="builtin:1", model=None, since_utc=None, recent=timedelta(days=7))
    assert seen.intensities_g_per_kwh == (100.0,) * 30 + (300.0,) * 10
    assert seen.days() is None, "of less than a day, nobody knows how many requests a day has"


def test_of_many_requests_a_sample_tells_the_intensities_and_a_rare_model_is_found_all_the_same(ledger: Engine) -> None:
    at = [100.0, 300.0]
    records = [sample_request(n, intensity_g_per_kwh=at[n // 480]) for n in range(960)]
    stored(ledger, [*records, sample_request(1001, model="rare", intensity_g_per_kwh=200.0)])

    def look(model: str | None) -> tuple[str, set[float], int]:
        with ledger.connect() as connection:
            seen = overview(
                connection,
                catalogue_version="builtin:1",
                model=model,
                since_utc=None,
                recent=timedelta(days=7),
                many=500,
            )
        return seen.scope.model, set(seen.intensities_g_per_kwh), seen.other

    assert look(None) == (sample_request().model, {100.0, 300.0}, 0)
    assert look("rare") == ("rare", {200.0}, 960)


def test_the_most_common_kind_of_intensity_is_compared_and_the_others_counted(ledger: Engine) -> None:
    kinds = ["average"] * 6 + ["marginal"] * 4
    stored(ledger, [sample_request(n, intensity_kind=kind) for n, kind in enumerate(kinds)])
    with ledger.connect() as connection:
        seen = overview(
            connection,
            catalogue_version="builtin:1",
            model=None,
            since_utc=datetime(2026, 1, 1, tzinfo=UTC),
            recent=timedelta(days=7),
        )
        found = groups(connection, seen.scope, EDGES)
    assert (seen.scope.kind, len(seen.intensities_g_per_kwh)) == ("average", 6)
    assert math.fsum(group.n for group in found if group.carbon_g is not None) == 6


def test_every_field_of_a_group_is_a_figure(ledger: Engine) -> None:
    stored(ledger, [sample_request()])
    with ledger.connect() as connection:
        (group,) = groups(connection, SCOPE, EDGES)
    assert all(getattr(group, field.name) is not None for field in fields(group))


def test_more_texts_than_fit_a_number_are_told_apart_too(ledger: Engine) -> None:
    stored(ledger, [sample_request(n, task=f"task {n % 70}", directive=("full", "brief")[n % 2]) for n in range(140)])
    with ledger.connect() as connection:
        found = groups(connection, SCOPE, EDGES)
    assert {(g.bin.task, g.directive, g.n) for g in found} == {
        (f"task {n}", ("full", "brief")[n % 2], 2) for n in range(70)
    }
