"""A report in words and tables, on a terminal of 80 columns."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from sprout_like.choosing.missing import Missing, Unlock
from sprout_like.reports.document.document import document
from sprout_like.reports.document.phrases import figure
from sprout_like.reports.formats.text import as_renderable, as_text
from sprout_like.reports.interval import UNKNOWN, Figure
from sprout_like.reports.judging import Judging, Kind
from sprout_like.reports.policies import PolicyLine
from sprout_like.reports.report import Cost, Gap, Line, Method, Quality, Savings
from tests.sprout_like.reports.made_report import EMISSION, LINE, SAVING, SITE, UNKNOWN_LINE, line, made


def _printed(width: int = 80, **changes: Any) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, emoji=False).print(as_renderable(document(made(**changes))), highlight=False)
    return stream.getvalue()


def _words(**changes: Any) -> str:
    return " ".join(_printed(**changes).split())


_HUGE = line(
    "HuggingFaceTB/SmolLM2-135M-Instruct-with-a-name-that-goes-on-and-on-" + "x" * 80,
    requests=12_345_678,
    errors=1_234_567,
    new_tokens=9_876_543_210,
    energy_j=Figure(8.64e12, 4.32e12, 12.96e12),
    operational_g=Figure(9.87e8),
)


@pytest.mark.parametrize("one", [LINE, UNKNOWN_LINE, _HUGE], ids=["usual", "unknown", "huge"])
def test_no_line_is_longer_than_80_columns(one: Line) -> None:
    saving = replace(SAVING, policy_version="threshold:" + "100:brief," * 20, policy_n=12_345_678)
    text = _printed(lines=(one,), savings=Savings(measured=(saving,)))

    assert max(map(len, text.splitlines())) <= 80


def test_a_long_name_is_folded_and_every_figure_stays_whole() -> None:
    text = _printed(90, lines=(_HUGE,))

    assert "…" not in text
    assert str(_HUGE.group[0]) in "".join(part[1:].split(" ")[0] for part in text.splitlines() if part.startswith(" "))
    for whole in ("12,345,678", "9,876,543,210", "8,640.00", "987.00"):
        assert whole in text


@pytest.mark.parametrize("width", [36, 40, 52, 60, 68, 80, 100])
def test_no_word_is_broken_but_long_names(width: int) -> None:
    named = replace(LINE, group=("2026-03-01", "HuggingFaceTB/SmolLM2-135M-Instruct", "a tag of several short words"))
    printed = _printed(width, by=("day", "model", "tag:team"), lines=(named,))

    assert max(map(len, printed.splitlines())) <= width
    for text in ("operational", "CO2e", "intensity", "average,", "2026-03-01", "tag:team", "several", "words"):
        assert text in printed.split()


def test_the_usual_table_reads_as_it_should() -> None:
    text = _words(lines=(LINE, replace(UNKNOWN_LINE, group=(None,))))

    assert "2026-03-01 09:05 to 2026-03-02 17:45 UTC" in text
    assert "requests, average intensity, direct factors" in text
    assert "directive n tokens J ± J mg CO2e J each mg each" in text
    assert "brief 4 128 80.00 2.00 4.00 20.00 1.00" in text
    assert "– 4 – – – – – –" in text
    assert "total 8 128 80.00 2.00 4.00" in text
    assert "in all n tokens energy ± embodied CO2e" in text
    assert "requests 4 128 80.00 J 2.5 % –" in text


def test_several_dimensions_have_a_column_each() -> None:
    text = _words(by=("day", "tag:team"), lines=(replace(LINE, group=("2026-03-01", "search")),))

    assert "By day, tag:team" in text
    assert "day tag:team n tokens" in text
    assert "2026-03-01 search 4 128" in text


def test_what_a_request_takes_is_the_mean_of_those_that_are_known() -> None:
    half_known = line("brief", requests=8, energy_unknown=4, carbon_unknown=6)

    assert "brief 8 128 80.00 2.00 4.00 20.00 2.00" in _words(lines=(half_known,))


def test_purposes_kinds_and_factors_have_tables_and_totals_of_their_own() -> None:
    apart = (
        LINE,
        line("brief", intensity_kind="marginal"),
        line("brief", intensity_factors="lifecycle"),
        line("brief", intensity_kind=None, intensity_factors=None, operational_g=UNKNOWN),
        line("brief", purpose="baseline"),
        line("brief", purpose="evaluation"),
    )

    text = _words(lines=apart)

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
    assert group.split("\n")[0] in _printed(lines=(line(group),))


def test_gaps_and_idle_time_are_said() -> None:
    gap = Gap(what="have unknown energy and are in no sum of J or g", requests=3, of=4, why="no meter")

    assert "3 of 4 requests have unknown energy and are in no sum of J or g: no meter." in _words(
        method=Method(gaps=(gap,))
    )
    settled = made().headlines[0]
    settled = replace(settled, emissions=(replace(EMISSION, settled=3),))
    assert "3 of 4 requests are settled: their CO2e follows what was published" in _words(headlines=(settled,))
    assert "settled" not in _words()


def test_savings_are_said_with_their_interval() -> None:
    carbon = replace(SAVING, quantity="carbon", intensity_kind="average", intensity_factors="direct", control_n=29)
    text = _words(savings=Savings(measured=(SAVING, carbon)))

    assert (
        "Measured saving of energy against the control group: 31.0 % (95 % interval 21.5 % to 40.4 %; "
        "400 requests under threshold:1, 31 control)."
    ) in text
    assert "saving of carbon (average, direct)" in text
    assert "29 control, too few to lean on: 30 wanted" in text
    assert "No saving measured: there is no control group" in _words()


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


def test_what_judging_took_is_said() -> None:
    assert (
        "Judging m (evaluations: 2) took 1.50 kJ: 250 mg CO2e (average, direct), 500 mg CO2e of judges. "
        "Savings of its requests bear it, spread evenly over all 1,200 answered."
    ) in _words(savings=Savings(judging=(_JUDGING,)))
    assert "Judging" not in _words()


def test_judging_of_unknown_carbon_is_not_said_to_be_clean() -> None:
    text = _words(savings=Savings(judging=(replace(_JUDGING, kinds=(), judges_g=0.0, unpriced_j=1500.0),)))

    assert "took 1.50 kJ: unknown CO2e of 1.50 kJ." in text
    assert "J without g of a saving's own kind count at the g per J of the requests compared" in text


def test_judging_of_another_kind_than_a_savings_is_said_to_count_by_its_energy() -> None:
    of_carbon = {"quantity": "carbon", "intensity_kind": "average"}
    like = replace(SAVING, intensity_factors="direct", **of_carbon)
    unlike = replace(SAVING, intensity_factors="lifecycle", **of_carbon)

    assert "at the g per J" not in _words(savings=Savings(judging=(_JUDGING,), measured=(like,)))
    assert "at the g per J" in _words(savings=Savings(judging=(_JUDGING,), measured=(unlike,)))


def test_judging_that_no_request_bears_is_said() -> None:
    text = _words(savings=Savings(judging=(replace(_JUDGING, calls=0),)))

    assert "None of its requests was answered in this span to bear it." in text


def test_what_judging_took_of_savings_is_said() -> None:
    policy = PolicyLine("m", 3, 0.95, 0.4, 0.38, None, Missing((), ()), judging_energy=0.086, judging_carbon=None)
    free = replace(policy, judging_energy=0.0, judging_carbon=0.0)
    judged = Savings(measured=(replace(SAVING, judging=0.024),), judging=(replace(_JUDGING, unknown=2),))

    assert "40.0 % of energy, 38.0 % of carbon, lowered by judging by 8.6 and – points." in _words(
        savings=Savings(modelled=(policy,))
    )
    assert "38.0 % of carbon." in _words(savings=Savings(modelled=(free,)))
    assert "31 control). Judging lowered it by 2.4 points." in _words(savings=judged)
    assert "m: of evaluations and the generations for them, 2 used unknown energy" in _words(savings=judged)


def test_a_policy_is_said_with_what_stops_it_and_what_it_lacks() -> None:
    lacking = Missing(("lookup",), (Unlock("very_brief", 0.31),))
    text = _words(savings=Savings(modelled=(PolicyLine("m", 3, 0.95, 0.4, None, "breaker: why", lacking),)))

    assert "m: policy 3, which keeps 95.0 % of full's quality." in text
    assert "m: breaker: why: everything is served full." in text
    assert "m: never measured: lookup (`sprout-like calibrate`)." in text
    assert "very_brief" in text


@pytest.mark.parametrize(("low", "value", "kept"), [(0.96, 0.99, "yes"), (0.90, 0.99, "not shown"), (0.8, 0.9, "no")])
def test_a_floor_is_kept_where_the_lower_bound_says_so(low: float, value: float, kept: str) -> None:
    judged = Quality(
        model="m",
        catalogue_version="c",
        judge="numeric",
        directive="brief",
        verdicts_n=200,
        score=0.8,
        full_score=0.81,
        quality=Figure(value, low),
        floor=0.95,
        confidence=0.99,
        breaker=None,
    )

    assert f"99.0 % 95.0 % {kept} " in _words(quality=(judged,), width=120)


def test_water_and_money_have_columns_only_where_they_are_known() -> None:
    cost = Cost(
        purpose="request",
        intensity_kind="average",
        intensity_factors="direct",
        per="1,000 requests",
        units=0.004,
        energy_j=Figure(20_000.0, 19_500.0, 20_500.0),
        operational_g=Figure(1.0),
        embodied_g=UNKNOWN,
        water_l=UNKNOWN,
        price=UNKNOWN,
        currency=None,
    )

    assert "per energy ± CO2e embodied ─" in _words(costs=(cost,))
    assert "1,000 requests 20.00 kJ 2.5 % 1 g –" in _words(costs=(cost,))
    priced = replace(cost, water_l=Figure(0.01), price=Figure(0.0012), currency="EUR")
    assert "embodied l water EUR" in _words(costs=(priced,))


def test_an_empty_span_says_so_and_nothing_else() -> None:
    assert _printed(headlines=(), lines=()) == "The ledger holds no request in this span.\n"


def test_a_file_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    narrow = as_text(document(made(site=SITE)))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("FORCE_COLOR", "1")

    assert as_text(document(made(site=SITE))) == narrow
    assert "\x1b" not in narrow


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, "–"), (0.0, "0"), (1.0, "1.000"), (123.456, "123.5"), (22598.4, "22,598"), (1.2228e-5, "1.223e-05")],
)
def test_figures_have_four_digits(value: float | None, written: str) -> None:
    assert figure(value) == written
