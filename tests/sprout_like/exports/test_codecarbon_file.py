"""The file is CodeCarbon's to its readers: its columns and units, nothing unknown as 0, nothing run as a formula."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sprout_like.cli.commands import app
from sprout_like.exports.codecarbon import COLUMNS, write_codecarbon
from sprout_like.exports.codecarbon.countries import three_letters
from sprout_like.ledger import open_engine
from sprout_like.ledger.testing import sample_request

Fill = Callable[[Iterable[Any]], str]


def written(spec: str, **options: Any) -> list[dict[str, str]]:
    engine, out = open_engine(spec), io.StringIO(newline="")
    lines_n = write_codecarbon(engine, out, **options)
    engine.dispose()
    lines = list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    assert len(lines) == lines_n
    return lines


def test_the_columns_are_codecarbons_in_its_order() -> None:
    data = pytest.importorskip("codecarbon.output_methods.emissions_data", reason="no codecarbon to compare with")
    assert [field.name for field in fields(data.EmissionsData)] == list(COLUMNS)


def test_a_request_is_a_line_in_codecarbons_units(fill_either: Fill) -> None:
    row = sample_request()
    (line,) = written(fill_either([row]))
    assert line["timestamp"] == "2026-03-01T12:00:01"
    assert line["run_id"] == row.request_id
    assert line["project_name"] == "sprout-like"
    assert line["on_cloud"] == "N"
    assert line["experiment_id"] == "average direct"
    assert line["country_iso_code"] == "GBR"
    assert line["region"] == "GB"
    kwh, kg = 20.0 * 1.2 / 3.6e6, (row.operational_g or 0) / 1000
    expected = {
        "duration": 1.5,
        "emissions": kg,
        "emissions_rate": kg / 1.5,
        "gpu_power": 15 * 1.2 / 1.5,
        "cpu_power": 4 * 1.2 / 1.5,
        "ram_power": 1 * 1.2 / 1.5,
        "gpu_energy": 15 * 1.2 / 3.6e6,
        "energy_consumed": kwh,
        "pue": 1.2,
    }
    assert {name: float(line[name]) for name in expected} == pytest.approx(expected)
    assert float(line["energy_consumed"]) == pytest.approx(
        sum(float(line[f"{part}_energy"]) for part in ("cpu", "gpu", "ram"))
    )
    for unknown in (
        "water_consumed",
        "wue",
        "os",
        "python_version",
        "longitude",
        "cpu_utilization_percent",
    ):
        assert line[unknown] == ""


def test_what_is_unknown_is_an_empty_cell_and_never_zero(fill: Fill) -> None:
    nothing = dict.fromkeys(("energy_j", "gpu_j", "cpu_j", "dram_j", "operational_g"))
    (line,) = written(fill([sample_request(**nothing)]))
    for name in ("emissions", "emissions_rate", "energy_consumed", "gpu_energy", "gpu_power", "cpu_power"):
        assert line[name] == ""


def test_a_settled_figure_takes_the_place_of_the_logged_one(fill: Fill) -> None:
    settled = {"settled_g_per_kwh": 90.0, "settled_kind": "average", "settled_factors": "lifecycle"}
    row = sample_request(**settled, settled_status="actual", settled_operational_g=0.5)
    (line,) = written(fill([row]))
    assert float(line["emissions"]) == 0.0005
    assert line["experiment_id"] == "average lifecycle"


@pytest.mark.parametrize("per", ["session", "day"])
def test_lines_of_several_requests_add_up_to_those_of_each(fill_either: Fill, per: str) -> None:
    rows = [
        sample_request(0),
        sample_request(1),
        sample_request(2, intensity_kind="marginal"),
        sample_request(3, operational_g=None),
        sample_request(4, energy_j=None, gpu_j=None, cpu_j=None, dram_j=None, operational_g=None),
        sample_request(5, pue=1.5),
        sample_request(86_400),
        sample_request(86_401, session_id="6" * 32),
    ]
    spec = fill_either(rows)
    each, together = written(spec), written(spec, per=per)
    assert len({line["run_id"] for line in together}) == len(together)
    for name in ("duration", "emissions", "energy_consumed", "gpu_energy"):
        one, other = (math.fsum(float(line[name] or 0) for line in lines) for lines in (each, together))
        assert one == pytest.approx(other)
    incomplete = [line for line in together if "emissions unknown" in line["run_id"]]
    assert len(incomplete) == 2
    assert {line["emissions"] for line in incomplete} == {""}
    assert {line["experiment_id"] for line in together if line["emissions"]} == {"average direct", "marginal direct"}
    mixed = next(line for line in together if line["pue"] == "")
    assert "average" in mixed["run_id"]


def test_a_span_begins_with_its_first_moment_and_ends_before_its_last(fill: Fill) -> None:
    spec = fill([sample_request(number) for number in range(4)])
    span = {
        "since_utc": datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC),
        "until_utc": datetime(2026, 3, 1, 12, 0, 3, tzinfo=UTC),
    }
    assert [int(line["run_id"], 16) for line in written(spec, **span)] == [1, 2]


@pytest.mark.parametrize("per", ["session", "day"])
def test_lines_of_a_span_add_up_to_its_requests(fill_either: Fill, per: str) -> None:
    spec = fill_either([sample_request(number) for number in range(4)])
    span = {
        "since_utc": datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC),
        "until_utc": datetime(2026, 3, 1, 12, 0, 3, tzinfo=UTC),
    }
    each, together = written(spec, **span), written(spec, per=per, **span)
    for name in ("duration", "emissions", "energy_consumed"):
        one, other = (math.fsum(float(line[name]) for line in lines) for lines in (each, together))
        assert one == pytest.approx(other)


@pytest.mark.parametrize("per", ["request", "session", "day"])
def test_known_only_leaves_no_cell_empty_that_a_reader_adds_up(fill_either: Fill, per: str) -> None:
    nothing = {"gpu_j": None, "cpu_j": None, "dram_j": None, "energy_by_device_j": {}, "energy_method": "none"}
    spec = fill_either(
        [
            sample_request(0),
            sample_request(1, operational_g=None, intensity_g_per_kwh=None),
            sample_request(2, energy_j=None, operational_g=None, energy_uncertainty_j=None, **nothing),
        ]
    )
    (line,) = written(spec, per=per, known_only=True)
    assert float(line["duration"]) == 1.5
    assert all(float(line[name]) > 0 for name in ("emissions", "energy_consumed"))
    assert len(written(spec, per="request")) == 3


def test_no_text_becomes_a_formula(fill: Fill) -> None:
    spec = fill([sample_request(zone="=HYPERLINK(1)")])
    (line,) = written(spec, project="@SUM(A1)")
    assert line["project_name"] == "'@SUM(A1)"
    assert line["region"] == "'=HYPERLINK(1)"


def test_an_empty_ledger_is_a_file_with_a_head(fill: Fill) -> None:
    assert written(fill([])) == []


def test_pandas_and_codecarbons_own_appending_take_the_file(tmp_path: Path) -> None:
    pytest.importorskip("codecarbon", reason="no codecarbon to compare with")
    pandas = pytest.importorskip("pandas", reason="needs the extra pandas")
    from codecarbon.output_methods.emissions_data import EmissionsData
    from codecarbon.output_methods.file import FileOutput

    from sprout_like.ledger import open_ledger

    ledger = open_ledger(tmp_path / "ledger.sqlite", spool_path=tmp_path / "spool.sqlite")
    ledger.append(sample_request())
    ledger.close()
    path = tmp_path / "emissions.csv"
    done = CliRunner().invoke(
        app, ["export", "codecarbon", "--ledger", str(tmp_path / "ledger.sqlite"), "--out", str(path)]
    )
    assert done.stdout == f"{path}: 1 line\n"
    frame = pandas.read_csv(path)
    assert frame["emissions"].dtype == frame["energy_consumed"].dtype == float
    own = {field.name: 1.0 if field.type is float else "x" for field in fields(EmissionsData)}
    FileOutput(path.name, str(tmp_path)).out(EmissionsData(**own), None)
    assert len(pandas.read_csv(path)) == 2


def test_the_span_of_the_command_is_checked(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["export", "codecarbon", "--since", "2026-03-02", "--until", "2026-03-01"], standalone_mode=False
    )
    assert "ends before it begins" in str(done.exception)


@pytest.mark.parametrize(("zone", "code"), [("GB", "GBR"), ("US-CAL-CISO", "USA"), ("DK-DK1", "DNK"), ("??", None)])
def test_countries_have_three_letters(zone: str, code: str | None) -> None:
    assert three_letters(zone) == code


def test_every_zone_has_a_country() -> None:
    from grid.zones import ZONES

    assert not [zone for zone in ZONES if three_letters(zone) is None]
