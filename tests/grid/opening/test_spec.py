from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grid import FallbackSource, Keys, SourceSpecError, StaticSource, TraceSource, UKSource, ZoneError, open_source
from grid.testing import NOON, LoopbackUK, ManualClock, ScriptedSource


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "day.csv"
    path.write_text(
        "time_utc,direct_g_per_kwh,lifecycle_g_per_kwh\n2026-03-02T12:00Z,70,100\n2026-03-02T13:00Z,80,110\n"
    )
    return path


@pytest.mark.parametrize(
    "spec", [250, 250.0, "250", " 250.0 ", "static:250", "STATIC:250", "static:250?factors=lifecycle"]
)
def test_a_figure_is_a_static_source(spec: str | float) -> None:
    source = open_source(spec)
    assert isinstance(source, StaticSource)
    latest = source.latest("GB", NOON)
    assert (latest.g_per_kwh, latest.factors) == (250, "lifecycle")


def test_factors_may_be_said() -> None:
    assert open_source("static:250?factors=direct").latest("GB", NOON).factors == "direct"


def test_uk_is_the_national_source() -> None:
    assert isinstance(open_source("uk"), UKSource)
    assert isinstance(open_source(" UK "), UKSource)


def test_uk_with_a_url_asks_there() -> None:
    clock = ManualClock()
    with LoopbackUK(now_utc=clock) as server:
        source = open_source(f"uk+{server.url}", now_utc=clock, timeout_s=2)
        assert source.latest("GB", NOON).g_per_kwh == 210
        source.close()
    assert server.paths == ["/intensity"]


@pytest.mark.parametrize("form", ["trace:{}?factors=direct", "{}?factors=direct", "Trace:{}?factors=direct"])
def test_a_file_is_a_trace(trace: Path, form: str) -> None:
    source = open_source(form.format(trace), zone="GB", now_utc=ManualClock())
    assert isinstance(source, TraceSource)
    latest = source.latest("GB", NOON)
    assert (latest.g_per_kwh, latest.factors, latest.fetched_at_utc) == (70, "direct", NOON)


def test_a_path_object_is_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "figures"
    path.write_text("time_utc,g_per_kwh,zone\n2026-03-02T12:00Z,70,GB\n2026-03-02T13:00Z,80,GB\n")
    assert isinstance(open_source(path), TraceSource)
    with pytest.raises(ZoneError, match="FR"):
        open_source(path, zone="FR")


def test_a_trace_with_two_columns_needs_a_choice(trace: Path) -> None:
    with pytest.raises(SourceSpecError, match="direct_g_per_kwh and lifecycle_g_per_kwh"):
        open_source(trace, zone="GB")


def test_a_source_is_returned_as_it_is() -> None:
    source = ScriptedSource(1.0)
    assert open_source(source) is source


@pytest.mark.parametrize(
    ("spec", "meant"),
    [
        ("statc:250", "static"),
        ("ukk", "uk"),
        ("trase:day.txt", "trace"),
        ("electricitymaps", "electricity-maps"),
        ("static:250?factors", "static"),
    ],
)
def test_what_is_not_understood_is_told_with_the_nearest_name_and_the_forms(spec: str, meant: str) -> None:
    with pytest.raises(SourceSpecError, match=rf"Did you mean '{meant}'\? A source is one of: uk, energy-charts,"):
        open_source(spec)


@pytest.mark.parametrize(
    "spec",
    ["", "two words", "http://127.0.0.1:8123", True, None, [True], [], "uk,,yearly", object()],
)
def test_what_is_like_no_source_is_told_with_the_forms(spec: Any) -> None:
    with pytest.raises(SourceSpecError, match=r"is not a source\. A source is one of: uk,"):
        open_source(spec)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("uk:", "uk: nothing may follow its name"),
        ("uk?factors=direct", "uk: there is no option 'factors'; it knows none"),
        ("static:much", "static: 'much' is not a figure"),
        ("static:1_000", "static: '1_000' is not a figure"),
        ("static:٣", "static: '٣' is not a figure"),
        ("1_000", "'1_000' is not a source"),
        ("٣", "'٣' is not a source"),
        (b"uk", "is not a source"),
        (bytearray(b"uk"), "is not a source"),
        (memoryview(b"uk"), "is not a source"),
        ("static:", "static: '' is not a figure"),
        ("static:250?factor=direct", "static: there is no option 'factor'; it knows factors"),
        ("static:250?factors=both", "static: factors is 'both'; it must be one of direct, lifecycle"),
        ("static+http://host", "static: it has no base URL"),
        ("trace:", "trace: it needs a file"),
        (
            "electricity-maps",
            "electricity-maps: it needs a key: set electricity_maps_key, or SPROUT_ELECTRICITY_MAPS_KEY",
        ),
        ("watttime", "watttime: it needs a key: set watttime_user"),
        ("entsoe", "entsoe: it needs a key: set entsoe_token"),
        ("eia", "eia: it needs a key: set eia_key"),
    ],
)
def test_what_does_not_fit_a_source_is_told_by_its_name(spec: str, problem: str) -> None:
    with pytest.raises(SourceSpecError, match=problem):
        open_source(spec, keys=Keys())


@pytest.mark.parametrize("name", ["electricity-maps", "entsoe", "eia", "watttime"])
def test_a_key_opens_a_source_that_wants_one_and_is_not_shown(name: str) -> None:
    keys = Keys(
        electricity_maps_key="SECRET",
        watttime_user="SECRET",
        watttime_password="SECRET",
        entsoe_token="SECRET",
        eia_key="SECRET",
    )
    source = open_source(name, keys=keys)
    assert source.name == name
    assert "SECRET" not in f"{source!r} {keys!r} {vars(source)!r}"
    source.close()


def test_factors_reach_sources_that_derive_their_figures() -> None:
    source = open_source("entsoe?factors=direct", keys=Keys(entsoe_token="t"))
    assert source.factors == "direct"
    source.close()


@pytest.mark.parametrize("spec", ["static:250, static:100", ["static:250", 100.0], (StaticSource(250), "100")])
def test_several_are_a_chain_and_the_first_answers(spec: Any) -> None:
    chain = open_source(spec)
    assert isinstance(chain, FallbackSource)
    assert chain.latest("GB", NOON).g_per_kwh == 250


def test_a_chain_that_differs_in_factors_must_be_wanted() -> None:
    with pytest.raises(SourceSpecError, match="direct"):
        open_source("uk, yearly")
    assert open_source("uk, yearly", mix=True).check_zone("GB") is None


def test_what_was_opened_is_closed_where_a_later_one_fails() -> None:
    given = ScriptedSource(1.0)
    with pytest.raises(SourceSpecError):
        open_source([given, "nothing of the kind"])
    assert not given.closed


@pytest.mark.parametrize("spec", ["static:-1", "nan", "inf", 6_000, float("nan")])
def test_a_figure_that_is_none_is_told(spec: Any) -> None:
    with pytest.raises(SourceSpecError, match="kWh"):
        open_source(spec)


@pytest.mark.parametrize("spec", ["http://me:SECRET@host", "https://host/?token=SECRET", "uk+http://me:SECRET@host"])
def test_no_error_repeats_a_secret(spec: str) -> None:
    with pytest.raises(SourceSpecError) as caught:
        open_source(spec)
    assert "SECRET" not in str(caught.value)
