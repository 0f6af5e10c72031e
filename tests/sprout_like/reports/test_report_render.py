"""A summary on a terminal of 80 columns, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console, RenderableType

from sprout_like.choosing.missing import Missing, Unlock
from sprout_like.reports.judging import Judging, Kind
from sprout_like.reports.policies import PolicyLine
from sprout_like.reports.render import as_csv, as_json, as_table
from sprout_like.reports.saving import MeasuredSaving
from sprout_like.reports.summary import Line, Overheads, Summary

_LINE = Line(
    group="brief",
    purpose="request",
    intensity_kind="average",
    intensity_factors="direct",
    requests=4,
    errors=0,
    new_tokens=128,
    energy_j=80.0,
    energy_unknown=0,
    uncertainty_j=2.0,
    operational_g=0.004,
    embodied_g=None,
    carbon_unknown=0,
    stale=0,
    settled=0,
    provisional=0,
)
_UNKNOWN = replace(
    _LINE,
    new_tokens=None,
    energy_j=None,
    energy_unknown=4,
    uncertainty_j=None,
    operational_g=None,
    carbon_unknown=4,
)
_SAVING = MeasuredSaving("threshold:1", "energy", None, None, 400, 31, 0.31, 0.215, 0.404)
_SUMMARY = Summary(
    by="directive",
    since_utc=None,
    until_utc=None,
    first_utc=datetime(2026, 3, 1, 9, 5, tzinfo=UTC),
    last_utc=datetime(2026, 3, 2, 17, 45, tzinfo=UTC),
    lines=[_LINE],
    overheads=Overheads(None, None),
    savings=[],
    judging=[],
)


def _printed(rendered: RenderableType, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, emoji=False).print(rendered, highlight=False)
    return stream.getvalue()


def _table(*lines: Line, **changes: Any) -> str:
    return _printed(as_table(replace(_SUMMARY, lines=lines, **changes)))


def _words(text: str) -> str:
    return " ".join(text.split())


_HUGE = replace(
    _LINE,
    group="HuggingFaceTB/SmolLM2-135M-Instruct-with-a-name-that-goes-on-and-on-" + "x" * 80,
    intensity_kind="marginal",
    intensity_factors="lifecycle",
    requests=12_345_678,
    errors=1_234_567,
    new_tokens=9_876_543_210,
    energy_j=8.64e12,
    uncertainty_j=4.32e12,
    operational_g=9.87e8,
    embodied_g=1e7,
    stale=1_234_567,
)


@pytest.mark.parametrize("line", [_LINE, _UNKNOWN, _HUGE], ids=["usual", "unknown", "huge"])
def test_no_line_is_longer_than_80_columns(line: Line) -> None:
    saving = replace(_SAVING, policy_version="threshold:" + "100:brief," * 20, policy_n=12_345_678)
    text = _table(line, overheads=Overheads(1e12, 1e12), savings=[saving])

    assert max(map(len, text.splitlines())) <= 80


def test_a_long_name_is_folded_and_every_figure_stays_whole() -> None:
    text = _table(_HUGE)

    assert "…" not in text
    assert _HUGE.group is not None
    assert _HUGE.group in "".join(line[1:].split(" ")[0] for line in text.splitlines() if line.startswith(" "))
    for figure in ("12,345,678", "9,876,543,210", "8,640.00", "987.00"):
        assert figure in text


def test_the_usual_table_reads_as_it_should() -> None:
    text = _table(_LINE, replace(_UNKNOWN, group=None))

    assert "2026-03-01 09:05 to 2026-03-02 17:45 UTC" in text
    assert "requests, average intensity, direct factors" in text
    assert "directive n tokens J ± J mg CO2e J each mg each" in _words(text)
    assert "brief 4 128 80.00 2.00 4.00 20.00 1.00" in _words(text)
    assert "– 4 – – – – – –" in _words(text)
    assert "total 8 128 80.00 2.00 4.00" in _words(text)
    assert "4 of 8 requests have unknown energy and are in no sum of J or g." in _words(text)


def test_what_a_request_takes_is_the_mean_of_those_that_are_known() -> None:
    half_known = replace(_LINE, requests=8, energy_unknown=4, carbon_unknown=6)

    assert "brief 8 128 80.00 2.00 4.00 20.00 2.00" in _words(_table(half_known))


def test_purposes_kinds_and_factors_have_tables_and_totals_of_their_own() -> None:
    apart = [
        _LINE,
        replace(_LINE, intensity_kind="marginal"),
        replace(_LINE, intensity_factors="lifecycle"),
        replace(_UNKNOWN, intensity_kind=None, intensity_factors=None),
        replace(_LINE, purpose="baseline"),
        replace(_LINE, purpose="evaluation"),
    ]

    text = _words(_table(*apart))

    assert text.count("total 4 ") == len(apart)
    for title in (
        "requests, marginal intensity, direct factors",
        "requests, average intensity, lifecycle factors",
        "requests, intensity unknown",
        "baselines (run to compare with), average intensity, direct factors",
        "evaluations (run to judge), average intensity, direct factors",
    ):
        assert title in text


@pytest.mark.parametrize("group", ["[/red]", "[bold]x[/bold]", ":leaf:", "a\nb"])
def test_a_users_text_is_shown_as_it_is(group: str) -> None:
    assert group.split("\n")[0] in _table(replace(_LINE, group=group))


def test_what_needs_saying_is_said() -> None:
    noted = replace(_LINE, errors=1, stale=2, embodied_g=0.0005)
    text = _words(_table(noted, overheads=Overheads(12.0, 345.67), savings=[_SAVING]))

    assert "Making the hardware adds 500 µg" in text
    assert "1 of 4 requests ended in an error; their energy is counted." in text
    assert "2 of 4 requests used an intensity held beyond its span." in text
    assert "12.00 J loading, warming up, compiling; 345.67 J idle" in text
    assert (
        "Measured saving of energy against the control group: 31.0 % (95 % interval 21.5 % to 40.4 %; "
        "400 requests under threshold:1, 31 control)."
    ) in text


_JUDGING = Judging(
    model="m",
    catalogue_version="c",
    evaluations=2,
    energy_j=1500.0,
    kinds=(Kind("average", "direct", 1000.0, 0.25),),
    judges_g=0.5,
    calls=1200,
    rows=1200,
)


def test_what_judging_took_is_said_and_written() -> None:
    text = _words(_table(_LINE, judging=[_JUDGING]))
    data = json.loads(as_json(replace(_SUMMARY, judging=[_JUDGING])))

    assert (
        "Judging m (evaluations: 2) took 1.50 kJ: 250 mg CO2e (average, direct), 500 mg CO2e of judges. "
        "Savings of its requests bear it, spread evenly over all 1,200 answered."
    ) in text
    assert "Judging" not in _words(_table(_LINE))
    (written,) = data["judging"]
    assert (written["energy_j"], written["judges_g"], written["calls"]) == (1500.0, 0.5, 1200)


def test_judging_of_unknown_carbon_is_not_said_to_be_clean() -> None:
    text = _words(_table(_LINE, judging=[replace(_JUDGING, kinds=(), judges_g=0.0, unpriced_j=1500.0)]))

    assert "took 1.50 kJ: unknown CO2e of 1.50 kJ." in text
    assert "J without g of a saving's own kind count at the g per J of the requests compared" in text


def test_judging_of_another_kind_than_a_savings_is_said_to_count_by_its_energy() -> None:
    of_carbon = {"quantity": "carbon", "intensity_kind": "average"}
    like = replace(_SAVING, intensity_factors="direct", **of_carbon)
    unlike = replace(_SAVING, intensity_factors="lifecycle", **of_carbon)

    assert "at the g per J" not in _words(_table(_LINE, judging=[_JUDGING], savings=[like]))
    assert "at the g per J" in _words(_table(_LINE, judging=[_JUDGING], savings=[unlike]))


def test_judging_that_no_request_bears_is_said() -> None:
    text = _words(_table(_LINE, judging=[replace(_JUDGING, calls=0)]))

    assert "None of its requests was answered in this span to bear it." in text


def test_what_judging_took_of_a_modelled_saving_is_said() -> None:
    policy = PolicyLine("m", 3, 0.95, 0.4, 0.38, None, Missing((), ()), judging_energy=0.086, judging_carbon=None)

    text = _words(_table(_LINE, policies=[policy]))
    free = _words(_table(_LINE, policies=[replace(policy, judging_energy=0.0, judging_carbon=0.0)]))

    assert "40.0 % of energy, 38.0 % of carbon, lowered by judging by 8.6 and – points." in text
    assert "38.0 % of carbon." in free


def test_policies_are_written_with_what_they_lack() -> None:
    lacking = Missing(("lookup",), (Unlock("very_brief", 0.31),))
    policy = PolicyLine("m", 3, 0.95, 0.4, None, "breaker: why", lacking)

    data = json.loads(as_json(replace(_SUMMARY, policies=[policy])))

    (written,) = data["policies"]
    assert (written["number"], written["breaker"], written["modelled_carbon"]) == (3, "breaker: why", None)
    assert written["missing"] == {
        "unmeasured": ["lookup"],
        "unjudged": [{"directive": "very_brief", "saving": 0.31}],
    }


def test_what_judging_took_of_a_saving_is_said() -> None:
    text = _words(_table(_LINE, savings=[replace(_SAVING, judging=0.024)], judging=[replace(_JUDGING, unknown=2)]))

    assert "31 control). Judging lowered it by 2.4 points." in text
    assert "m: of evaluations and the generations for them, 2 used unknown energy, which no saving bears." in text
    assert "Judging" not in _table(_LINE, savings=[_SAVING])


def test_what_is_settled_and_what_is_provisional_is_said() -> None:
    text = _words(_table(replace(_LINE, settled=3, provisional=1)))

    assert "3 of 4 requests are settled: their CO2e follows what was published afterwards." in text
    assert "1 of 4 requests have CO2e that rests on no published actual yet; `sprout-like ledger settle`" in text
    assert "settle" not in _table(_LINE)


def test_savings_of_carbon_name_the_kind_and_a_small_control_group_is_pointed_out() -> None:
    carbon = replace(_SAVING, quantity="carbon", intensity_kind="average", intensity_factors="direct", control_n=29)
    text = _words(_table(_LINE, savings=[carbon]))

    assert "saving of carbon (average, direct)" in text
    assert "29 control, too few to lean on: 30 wanted" in text


def test_no_control_group_and_no_request_are_said_too() -> None:
    assert "No saving measured: there is no control group" in _table(_LINE)
    assert _table(first_utc=None, last_utc=None) == "The ledger holds no request in this span.\n"


def test_json_reads_back_with_iso_stamps_and_null_for_unknown() -> None:
    broken = replace(_UNKNOWN, energy_j=math.nan, uncertainty_j=math.inf)
    data = json.loads(as_json(replace(_SUMMARY, lines=[_LINE, broken], savings=[_SAVING])), parse_constant=_refuse)

    assert datetime.fromisoformat(data["first_utc"]) == _SUMMARY.first_utc
    assert data["since_utc"] is None
    assert set(data["lines"][0]) == {field.name for field in fields(Line)}
    assert (data["lines"][0]["energy_j"], data["lines"][1]["energy_j"]) == (80.0, None)
    assert (data["lines"][1]["uncertainty_j"], data["lines"][1]["operational_g"]) == (None, None)
    assert data["savings"][0]["low"] == 0.215


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def test_csv_reads_back_with_empty_cells_for_unknown() -> None:
    awkward = replace(_LINE, group='Say "hello",\nworld; [b]')
    broken = replace(_UNKNOWN, group=None, energy_j=math.nan)

    rows = list(csv.DictReader(io.StringIO(as_csv(replace(_SUMMARY, lines=[awkward, broken])))))

    assert rows[0] == {
        **{field.name: str(getattr(awkward, field.name)) for field in fields(Line)},
        "embodied_g": "",
    }
    assert (rows[1]["group"], rows[1]["energy_j"], rows[1]["energy_unknown"]) == ("", "", "4")


@pytest.mark.parametrize("write", [as_json, as_csv, lambda summary: _printed(as_table(summary))])
def test_the_same_summary_is_written_the_same_every_time(write: Callable[[Summary], str]) -> None:
    assert write(_SUMMARY) == write(replace(_SUMMARY))


def test_a_group_cannot_control_the_terminal() -> None:
    printed = _printed(as_table(replace(_SUMMARY, by="task", lines=[replace(_LINE, group="sums\x1b[2J\x9b31m")])))
    assert "sums" in printed
    assert not {"\x1b", "\x9b"} & set(printed)
