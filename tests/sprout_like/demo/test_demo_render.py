"""The demonstration's table and closing words, from made-up pairs."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console, RenderableType

from sprout_like.demo.prompts import Prompt
from sprout_like.demo.render import progress_line, result
from sprout_like.demo.run import Pair
from sprout_like.demo.summary import as_data, totals
from sprout_like.ledger.testing import sample_request
from sprout_like.reports.machine import to_json


def _pair(number: int = 0, *, text: str = "An answer.", full: dict[str, Any] | None = None, **served: Any) -> Pair:
    row = sample_request(number, energy_j=10.0, operational_g=0.5e-3, engine_s=2.0, new_tokens=100)
    return Pair(
        prompt=Prompt("question", "Why?"),
        when_utc=datetime(2026, 3, 1, 18, tzinfo=UTC),
        served=replace(row, **served),
        full=replace(
            row, directive="full", purpose="baseline", **{"energy_j": 40.0, "operational_g": 2e-3, **(full or {})}
        ),
        text=text,
    )


def _printed(rendered: RenderableType, **options: Any) -> str:
    stream = io.StringIO()
    Console(file=stream, width=80, emoji=False).print(rendered, highlight=False, **options)
    return stream.getvalue()


def _shown(*pairs: Pair) -> str:
    return _printed(result(pairs, "MODELLED: x", "some-model"))


def _words(text: str) -> str:
    return " ".join(text.split())


def test_a_row_and_the_totals() -> None:
    text = _words(_shown(_pair(1), _pair(2)))

    assert "18:00 180 brief 100 2.0 10.0 0.50 40.0 2.00 measured" in text
    assert "total 200 4.0 20.0 1.00 80.0 4.00" in text
    assert "mg CO2e" in text


def test_savings_are_made_of_sums_and_not_of_the_rows_own_savings() -> None:
    """The mean of 75 % and 0 % would be 37.5 %."""
    alike = {"energy_j": 960.0, "operational_g": 48e-3}

    summed = totals([_pair(1), _pair(2, full=alike, **alike)])

    assert summed.energy_saving == pytest.approx(1 - 970 / 1000)
    assert summed.carbon_saving == pytest.approx(1 - 48.5 / 50)


def test_a_total_of_which_a_part_is_unknown_is_unknown() -> None:
    pairs = [_pair(1), _pair(2, energy_j=None, operational_g=None, energy_method="none")]

    summed = totals(pairs)
    text = _words(_shown(*pairs))

    assert (summed.energy_j, summed.operational_g, summed.energy_saving, summed.carbon_saving) == (None,) * 4
    assert (summed.full_energy_j, summed.tokens) == (80.0, 200)
    assert "18:00 180 brief 100 2.0 – – 40.0 2.00 none" in text
    assert "total 200 4.0 – – 80.0 4.00" in text
    assert "energy –, carbon – (2 prompts" in text


def test_nothing_is_cut_off_at_80_columns() -> None:
    long = _pair(
        energy_method="apportioned",
        directive="very_brief_and_to_the_point",
        energy_j=123_456.7,
        operational_g=999.9,
        engine_s=1234.5,
        new_tokens=123_456,
        meter="nvml+rapl+" + "x" * 90,
    )
    text = _shown(long)

    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for figure in ("123,456", "1,234.5", "123,456.7", "999.90"):
        assert figure in text


@pytest.mark.parametrize("directive", ["[/red]", "[b]x[/b]"])
def test_a_directives_name_is_shown_as_it_is(directive: str) -> None:
    assert directive in _shown(_pair(directive=directive))
    assert directive in _printed(progress_line(_pair(directive=directive)))


def test_an_estimate_is_explained_and_a_measurement_is_not() -> None:
    assert "Estimated means a power model" in _shown(_pair(energy_method="estimated"))
    assert "Estimated means" not in _shown(_pair())


def test_a_busy_machine_is_pointed_out() -> None:
    """100 tokens in 2 s beside 100 tokens in 5 s."""
    assert "Seconds per token differed 2.5-fold" in _words(_shown(_pair(1), _pair(2, engine_s=5.0)))
    assert "Seconds per token differed 2.5-fold" in _words(_shown(_pair(1, full={"engine_s": 0.8})))


def test_a_quiet_machine_is_not() -> None:
    assert "Seconds per token" not in _shown(_pair(1), _pair(2, engine_s=3.9), _pair(3, engine_s=4.0, new_tokens=200))


def test_requests_without_tokens_have_no_pace() -> None:
    assert "Seconds per token" not in _shown(_pair(1), _pair(2, new_tokens=0), _pair(3, engine_s=None, new_tokens=None))


def test_a_line_of_progress_is_cut_to_the_terminal() -> None:
    line = _printed(progress_line(_pair(text="One\ntwo\n\nthree " * 30)), no_wrap=True, overflow="ellipsis")

    assert line.startswith("18:00   180 g/kWh  brief      question   One two three One")
    assert (len(line.rstrip("\n")), line.count("\n")) == (80, 1)


def test_data_hold_every_column_in_iso_and_null() -> None:
    pair = _pair(operational_g=None, energy_j=float("nan"))

    data = json.loads(to_json(as_data([pair], "MODELLED: x", "some-model")))

    (request,) = data["requests"]
    assert set(request["served"]) == set(pair.served.as_dict())
    assert (request["served"]["operational_g"], request["served"]["energy_j"]) == (None, None)
    assert datetime.fromisoformat(request["when_utc"]) == pair.when_utc
    assert (data["model"], data["intensity"], data["totals"]["requests"]) == ("some-model", "MODELLED: x", 1)
    assert "An answer." not in json.dumps(data)
