"""`sprout-like grid …`: what it prints, and its exit code, against trace files and the UK's API on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from grid import read_trace
from grid.testing import Answer, LoopbackUK

Command = Callable[..., Any]


@pytest.fixture
def trace(place: Path) -> Path:
    """A day of Germany from midnight on: 100 to 330 g/kWh, the last quarter estimated, 12:00 to 14:00 missing."""
    rows = [
        f"2023-03-02T{hour:02d}:00Z,{100 + 10 * hour},{'estimated' if hour >= 18 else 'actual'},DE"
        for hour in range(24)
        if hour not in (12, 13)
    ]
    file = place / "day.csv"
    file.write_text("\n".join(["time_utc,direct_g_per_kwh,status,zone", *rows]))
    return file


@pytest.fixture
def uk() -> Iterator[LoopbackUK]:
    """100 g/kWh in the half hour that holds now, and ever more before and after it."""

    def truth(start_utc: datetime) -> int:
        away = abs((start_utc - datetime.now(UTC) + timedelta(minutes=15)) / timedelta(minutes=30))
        return 100 if away <= 0.5 else int(100 + 5 * away)

    with LoopbackUK(g_per_kwh=truth) as server:
        yield server


@pytest.fixture
def no_answer(uk: LoopbackUK) -> str:
    """The UK's API, which refuses every question."""
    uk.answer = Answer("{}", status=400)
    return f"uk+{uk.url}"


DAY = ("--from", "2023-03-02", "--to", "2023-03-03")


def test_history_of_a_trace(sprout_like: Command, trace: Path) -> None:
    outcome = sprout_like("grid", "history", *DAY, "--grid", trace.name, "--zone", "DE", "--utc")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "DE: 2023-03-02 00:00 to 2023-03-03 00:00 UTC",
        " g/kWh",
        "   350 │                                                                  ▂▂▂▄▄▄",
        "       │                                                         ▃▃▃▅▅▅▇▇▇██████",
        "       │                                             ▂▂▂▄▄▄▆▆▆██████████████████",
        "       │                                          ▇▇▇███████████████████████████",
        "       │                        ▂▂▂▄▄▄▆▆▆███      ██████████████████████████████",
        "   175 │               ▃▃▃▅▅▅▇▇▇████████████      ██████████████████████████████",
        "       │   ▂▂▂▄▄▄▆▆▆████████████████████████      ██████████████████████████████",
        "       │▇▇▇█████████████████████████████████      ██████████████████████████████",
        "       │████████████████████████████████████      ██████████████████████████████",
        "       │████████████████████████████████████      ██████████████████████████████",
        "     0 └┴────────┴────────┴────────┴────────┴     ───┴────────┴────────┴────────",
        "        00:00  03:00    06:00    09:00    12:00    15:00    18:00    21:00",
        "mean      214 g/kWh",
        "lowest    100 g/kWh at 2023-03-02 00:00 UTC",
        "highest   330 g/kWh at 2023-03-02 23:00 UTC",
        "unknown   2 h of 24 h, not counted above",
        "of these  73 % actual, 27 % estimated",
        "counts    average, direct",
        "source    trace:day.csv",
    ]


def test_history_for_machines_holds_every_reading_with_its_provenance(sprout_like: Command, trace: Path) -> None:
    data = json.loads(sprout_like("grid", "history", *DAY, "--grid", trace.name, "--zone", "DE", "--json").out)

    assert len(data["readings"]) == 22
    assert data["readings"][0] | {"fetched_at_utc": None} == {
        "zone": "DE",
        "start_utc": "2023-03-02T00:00:00+00:00",
        "end_utc": "2023-03-02T01:00:00+00:00",
        "g_per_kwh": 100.0,
        "kind": "average",
        "factors": "direct",
        "status": "actual",
        "source": "trace:day.csv",
        "fetched_at_utc": None,
        "low_g_per_kwh": None,
        "high_g_per_kwh": None,
        "passed_over": [],
    }
    assert data["summary"]["known_s"] == 22 * 3600


def test_a_written_trace_can_be_played_back(sprout_like: Command, trace: Path, place: Path) -> None:
    options = (*DAY, "--zone", "DE", "--json")
    first = sprout_like("grid", "history", *options, "--grid", trace.name, "--csv", "copy.csv")
    second = sprout_like("grid", "history", *options, "--grid", "copy.csv")

    assert (first.code, second.code) == (0, 0)
    assert json.loads(second.out)["summary"]["mean_g_per_kwh"] == json.loads(first.out)["summary"]["mean_g_per_kwh"]
    copied, original = read_trace(place / "copy.csv"), read_trace(trace)
    assert [(r.start_utc, r.end_utc, r.g_per_kwh, r.status, r.factors, r.zone) for r in copied] == [
        (r.start_utc, r.end_utc, r.g_per_kwh, r.status, r.factors, r.zone) for r in original
    ]


def test_history_of_an_api(sprout_like: Command, uk: LoopbackUK) -> None:
    data = json.loads(sprout_like("grid", "history", "--hours", "6", "--grid", f"uk+{uk.url}", "--json").out)

    assert data["summary"]["known_s"] == pytest.approx(6 * 3600)
    assert data["readings"][0]["source"] == "uk"


def test_now_and_how_it_compares(sprout_like: Command, uk: LoopbackUK) -> None:
    outcome = sprout_like("grid", "now", "--grid", f"uk+{uk.url}", "--utc")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("GB: 110 g/kWh (average, direct, forecast)\nspan       ")
    assert "\nsource     uk, fetched 0 s ago\n" in outcome.out
    assert "\nlast 24 h  now is lower than " in outcome.out
    assert "\nnext 24 h  now is lower than " in outcome.out


def test_now_for_machines(sprout_like: Command, uk: LoopbackUK) -> None:
    data = json.loads(sprout_like("grid", "now", "--grid", f"uk+{uk.url}", "--json").out)

    assert data["reading"]["g_per_kwh"] == 110.0
    assert data["last_24_h"]["standing"]["above"] > 0.9
    assert data["next_24_h"]["standing"]["above"] > 0.9
    assert data["stale"] is False


def test_another_source_than_the_first_is_told_with_the_reason(sprout_like: Command, no_answer: str) -> None:
    outcome = sprout_like("grid", "now", "--grid", f"{no_answer}, static:250?factors=direct")

    assert outcome.code == 0
    assert outcome.out.startswith("GB: 250 g/kWh (average, direct, static)\n")
    assert "\npassed over  uk: " in outcome.out


def test_without_a_reading_the_reason_is_one_line_and_the_code_1(sprout_like: Command, no_answer: str) -> None:
    outcome = sprout_like("grid", "now", "--grid", no_answer)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert outcome.err.startswith("no reading for GB: no reading yet: uk: ")


def test_without_a_reading_machines_get_null_and_the_reason(sprout_like: Command, no_answer: str) -> None:
    outcome = sprout_like("grid", "now", "--grid", no_answer, "--json")

    data = json.loads(outcome.out)
    assert (outcome.code, data["reading"], data["last_24_h"], data["next_24_h"]) == (1, None, None, None)
    assert data["reason"] in outcome.err


@pytest.mark.parametrize("command", ["forecast", "history"])
def test_without_an_answer_the_code_is_1(sprout_like: Command, no_answer: str, command: str) -> None:
    outcome = sprout_like("grid", command, "--grid", no_answer)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert "uk: " in outcome.err


def test_the_forecast_of_an_api_and_the_best_time(sprout_like: Command, uk: LoopbackUK) -> None:
    outcome = sprout_like("grid", "forecast", "--hours", "12", "--window", "2", "--grid", f"uk+{uk.url}", "--utc")

    lines = outcome.out.splitlines()
    assert (outcome.code, outcome.err) == (0, "")
    assert lines[0] == "GB: the next 12 h (average, direct, times UTC)"
    assert lines[1] == " g/kWh"
    assert {line[7] for line in lines[2:13]} <= {"│", "└"}
    assert lines[14].strip("▲ ") == ""
    assert any(line.startswith("best 2 h     20") for line in lines)
    assert "forecast by  uk, 0 s ago" in lines
    assert max(map(len, lines)) <= 80


def test_the_best_time_is_that_of_the_lowest_mean(sprout_like: Command, uk: LoopbackUK) -> None:
    """It gets worse by the half hour, so nothing is better than now."""
    at = f"uk+{uk.url}"
    data = json.loads(sprout_like("grid", "forecast", "--window", "1", "--grid", at, "--json").out)

    assert data["window"]["start_utc"] == data["start_utc"]
    assert data["window"]["mean_g_per_kwh"] == pytest.approx(data["window"]["at_once_g_per_kwh"])
    assert "as good as beginning now" in sprout_like("grid", "forecast", "--window", "1", "--grid", at).out


def test_a_window_longer_than_what_is_known_is_unknown(sprout_like: Command, place: Path) -> None:
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    rows = [f"{first + timedelta(hours=n):%Y-%m-%dT%H:%MZ},{100 + n},GB" for n in range(3)]
    (place / "soon.csv").write_text("\n".join(["time_utc,direct_g_per_kwh,zone", *rows]))

    outcome = sprout_like("grid", "forecast", "--hours", "24", "--window", "4", "--grid", "soon.csv")

    assert (outcome.code, outcome.err) == (0, "")
    assert "best 4 h     unknown: no stretch of that length is wholly known" in outcome.out


def test_the_window_is_no_longer_than_what_is_looked_at(sprout_like: Command, uk: LoopbackUK) -> None:
    data = json.loads(sprout_like("grid", "forecast", "--hours", "2", "--grid", f"uk+{uk.url}", "--json").out)

    assert data["window_s"] == 2 * 3600


def test_zones_of_a_source(sprout_like: Command) -> None:
    outcome = sprout_like("grid", "zones", "--grid", "uk")

    assert outcome.code == 0
    assert outcome.out.startswith("uk covers 18 zones\nGB ")
    assert "GB-LONDON" in outcome.out
    assert outcome.out.endswith("and postcode districts such as GB-SW1A\n")


def test_zones_of_a_source_are_told_without_its_key(sprout_like: Command) -> None:
    data = json.loads(sprout_like("grid", "zones", "--grid", "eia", "--json").out)

    assert data["source"] == "eia"
    assert "US-CAL-CISO" in data["zones"]
    assert not any(zone.startswith("DE") for zone in data["zones"])


@pytest.mark.parametrize(
    ("asked", "zone"),
    [("GB", "GB"), ("de", "DE"), ("aws:eu-west-1", "IE"), ("48.85,2.35", "FR"), ("-33.87,151.21", "AU-NSW")],
)
def test_a_place_and_the_sources_that_cover_it(sprout_like: Command, asked: str, zone: str) -> None:
    data = json.loads(sprout_like("grid", "zones", asked, "--json").out)

    assert (data["place"], data["zone"]) == (asked, zone)
    keyless = [source["keyless"] for source in data["sources"]]
    assert keyless == sorted(keyless, reverse=True)
    names = {source["name"] for source in data["sources"]}
    assert "electricity-maps" in names
    assert ("uk" in names, "yearly" in names) == (zone == "GB", len(zone) == 2)


def test_a_place_is_shown_with_its_zone(sprout_like: Command) -> None:
    outcome = sprout_like("grid", "zones", "aws:eu-west-1")

    assert outcome.out.startswith("aws:eu-west-1 is in IE\n")
    assert "no key" in outcome.out
    assert "needs one" in outcome.out


def test_zones_are_compared_cleanest_first_and_one_that_fails_is_told(sprout_like: Command) -> None:
    outcome = sprout_like("grid", "compare", "pl", "48.85,2.35", "US-NW-WWA", "--grid", "yearly", "--utc")

    lines = outcome.out.splitlines()
    assert (outcome.code, outcome.err) == (0, "")
    assert lines[0] == "g/kWh, average, lifecycle; cleanest first"
    assert [line.split()[0] for line in lines[1:4]] == ["zone", "FR", "PL"]
    assert "█" in lines[3]
    assert lines[4].startswith("mean, lowest and highest: the next 24 h, 20")
    assert any(line.startswith("US-NW-WWA: ") for line in lines)


def test_coordinates_in_the_south_and_the_west_are_compared(sprout_like: Command) -> None:
    places = ("-34.60,-58.38", "51.5,-0.12", "-33.45,-70.67")
    outcome = sprout_like("grid", "compare", *places, "--grid", "static:250", "--json")

    assert (outcome.code, outcome.err) == (0, "")
    assert {row["zone"] for row in json.loads(outcome.out)["zones"]} == {"AR-BAS", "GB", "CL-SEN"}


def test_where_no_zone_answers_the_code_is_1(sprout_like: Command, no_answer: str) -> None:
    outcome = sprout_like("grid", "compare", "GB", "FR", "--grid", no_answer)

    assert outcome.code == 1
    assert {line.split(":")[0] for line in outcome.out.splitlines() if line[2:3] == ":"} == {"GB", "FR"}


WRONG = {
    "zone": (["now", "--zone", "Germani"], "Germani", "DE"),
    "place": (["zones", "Germany"], "Germany", "Did you mean 'DE'"),
    "source": (["now", "--grid", "ukk"], "'ukk' is not a source", "Did you mean 'uk'"),
    "zone of another source": (["forecast", "--grid", "uk+http://127.0.0.1:1", "--zone", "DE"], "uk covers", "GB"),
    "key": (["now", "--grid", "electricity-maps"], "it needs a key", "electricity_maps_key"),
    "hours": (["forecast", "--hours", "0"], "--hours", "--help"),
    "a window longer than the hours": (
        ["forecast", "--hours", "24", "--window", "48"],
        "--window: 48 h do not fit into the 24 h of --hours",
        "Give a longer --hours",
    ),
    "a misspelt option beside a place": (["zones", "-33.87,151.21", "--jsn"], "No such option", "--json"),
    "span": (["history", "--from", "2023-03-03", "--to", "2023-03-02"], "--to: the span ends", "after --from"),
    "two spans": (["history", "--from", "2023-03-03", "--hours", "3"], "--hours: --from says", "one of the two"),
    "a long span": (["history", "--from", "2001-01-01"], "--from: the span is longer", "in parts"),
    "moment": (["history", "--from", "yesterday"], "'yesterday' is not a moment", "2026-03-01"),
    "csv": (["history", "--csv", "no/where.csv", "--grid", "static:1"], "--csv: cannot write", "a folder of yours"),
    "nothing to compare": (["compare"], "Missing argument", "sprout-like grid compare --help"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_the_code_2(sprout_like: Command, case: str) -> None:
    arguments, problem, fix = WRONG[case]

    outcome = sprout_like("grid", *arguments)

    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert problem in outcome.err
    assert fix in outcome.err


def test_slots_of_several_lengths_are_not_written_as_a_trace(sprout_like: Command, place: Path) -> None:
    (place / "one.csv").write_text("time_utc,g_per_kwh,zone\n2023-03-02T00:00Z,1,DE\n2023-03-02T01:00Z,2,DE\n")
    options = ("--from", "2023-03-02T00:00", "--to", "2023-03-02T00:30", "--grid", "one.csv", "--zone", "DE")

    outcome = sprout_like("grid", "history", *options, "--csv", "two.csv")

    assert outcome.code == 2
    assert "--csv: a trace needs two slots or more" in outcome.err
    assert not (place / "two.csv").exists()


@pytest.mark.parametrize(
    ("environment", "bar", "most"),
    [
        ({"COLUMNS": "40"}, "│█", 40),
        ({"COLUMNS": "80", "NO_COLOR": "1", "FORCE_COLOR": ""}, "│█", 80),
        ({"COLUMNS": "40", "LANG": "C", "PYTHONIOENCODING": "ascii"}, "|#", 40),
    ],
    ids=["narrow", "no colour", "ascii"],
)
def test_in_a_pipe_of_any_kind(
    installed_command: Command, trace: Path, environment: dict[str, str], bar: str, most: int
) -> None:
    outcome = installed_command(
        "grid", "history", *DAY, "--grid", trace.name, "--zone", "DE", TZ="Asia/Kolkata", **environment
    )

    assert (outcome.code, outcome.err) == (0, "")
    assert bar in outcome.out
    assert "\x1b" not in outcome.out
    assert "\\" not in outcome.out
    assert "UTC+05:30" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= most
