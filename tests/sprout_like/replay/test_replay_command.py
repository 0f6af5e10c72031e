"""`sprout-like replay`, from files to figures, and every refusal in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from directives.replay import Experiment
from sprout_like.cli.main import run
from sprout_like.replay.run import EMBODIED_G_PER_S
from tests.sprout_like.cli.terminal import needs_terminals, told
from tests.sprout_like.replay.recorded import Given, requests_columns, trace_rows

Replay = Callable[..., tuple[int, str, str]]

FIGURES = {
    "saving_pct", "preference_pct", "hours_below_floor_pct", "evaluations", "evaluation_share_pct", "wall_s",
}  # fmt: skip
HOURLY = {
    "start_utc", "intensity_g_per_kwh", "carbon_g", "full_carbon_g", "evaluation_carbon_g", "preference_pct", "shares",
    "evaluated",
}  # fmt: skip


@pytest.fixture
def replay(given: Given, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Replay:
    """Runs the command in this process on the files that are given; later arguments count."""
    monkeypatch.chdir(given.folder)

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            run([str(argument) for argument in (*given.arguments, *arguments)])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def written(replay: Replay, *arguments: object) -> dict[str, Any]:
    code, _, err = replay("--json", "out.json", *arguments)
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(Path("out.json").read_text("utf-8"))
    return found


def test_the_json_holds_every_figure_and_every_hour(replay: Replay) -> None:
    data = written(replay, "--seed", 4)
    assert data.keys() > FIGURES
    assert data["hourly"].keys() == HOURLY
    assert {len(data["hourly"][name]) for name in HOURLY - {"start_utc", "shares", "evaluated"}} == {48}
    assert {name: len(shares) for name, shares in data["hourly"]["shares"].items()} == {
        "full": 48, "brief": 48, "very_brief": 48,
    }  # fmt: skip
    assert data["hourly"]["start_utc"] == "2023-01-03T00:00:00Z"
    assert (data["policy"], data["arguments"]["seed"], data["arguments"]["hours"]) == ("contextual", 4, 48)
    assert "numpy" in data["versions"]
    assert data["evaluations"] == len(data["hourly"]["evaluated"]) > 0
    assert data["evaluation_share_pct"] > 0
    assert data["wall_s"] > 0


def test_the_figures_follow_from_the_hours(replay: Replay) -> None:
    data = written(replay, "--policy", "sprout", "--floor-slack", "0.15")
    hourly = data["hourly"]
    emitted_g = sum(hourly["carbon_g"]) + sum(hourly["evaluation_carbon_g"])
    assert data["saving_pct"] == pytest.approx(100 * (1 - emitted_g / sum(hourly["full_carbon_g"])))
    assert data["preference_pct"] == pytest.approx(sum(hourly["preference_pct"]) / 48)
    assert data["hours_below_floor_pct"] == pytest.approx(100 * sum(x < 85 for x in hourly["preference_pct"]) / 48)
    assert (data["carbon_g"], data["evaluation_carbon_g"], data["full_carbon_g"]) == pytest.approx(
        [sum(hourly[name]) for name in ("carbon_g", "evaluation_carbon_g", "full_carbon_g")]
    )


def test_full_emits_what_the_files_say(replay: Replay) -> None:
    """Every prompt of a constant 1,000 J and 4 s, 300 an hour."""
    data = written(replay, "--policy", "full")
    hourly = data["hourly"]
    energy_j = 1000 + 29.5  # on average over the prompts' numbers
    for intensity, carbon_g in zip(hourly["intensity_g_per_kwh"], hourly["carbon_g"], strict=True):
        assert carbon_g == pytest.approx(300 * (energy_j / 3.6e6 * intensity + 4 * EMBODIED_G_PER_S), rel=0.01)
    assert hourly["intensity_g_per_kwh"] == [float(str(g)) for _, g in trace_rows()[48:96]]
    assert hourly["carbon_g"] == hourly["full_carbon_g"]
    assert (data["saving_pct"], data["evaluations"]) == (0, 0)
    assert hourly["shares"]["full"] == [1] * 48


def test_a_seed_makes_a_replay_repeatable(replay: Replay) -> None:
    one, two, other = (written(replay, "--seed", seed) for seed in (1, 1, 2))
    assert one["hourly"] == two["hourly"]
    assert one["hourly"] != other["hourly"]


def test_what_is_not_asked_for_is_as_in_the_simulation(replay: Replay) -> None:
    arguments = written(replay)["arguments"]
    for field in fields(Experiment):
        if field.default is not MISSING:
            assert arguments[field.name] == field.default


@pytest.mark.parametrize("policy", ["full", "brief", "co2opt", "static", "sprout", "oracle", "threshold", "contextual"])
def test_every_policy_is_told_in_a_few_lines(replay: Replay, policy: str) -> None:
    code, out, err = replay("--policy", policy)
    assert (code, err) == (0, "")
    first, *rest = out.splitlines()
    assert first.startswith(policy)
    assert first.endswith("48 hours from 2023-01-03T00:00:00Z, floor 90 % of full's quality")
    assert [line.split()[0] for line in rest[:6]] == ["carbon", "quality", "hours", "evaluations", "served", "took"]
    told = "is told the year's lowest and highest intensity in advance, from the trace itself" in out
    assert told == (policy in ("static", "sprout", "oracle"))


@pytest.mark.parametrize("context", ["task", "text", "none"])
def test_every_context_is_replayed(replay: Replay, given: Given, context: str) -> None:
    given.write_requests(requests_columns(140))
    code, out, _ = replay("--context", context)
    assert code == 0
    assert f"contextual ({context})" in out


def test_what_is_left_out_is_said(replay: Replay, given: Given) -> None:
    columns = requests_columns() | {"energy_j_small": [1.0] * 120}
    given.write_requests(columns)
    given.write_mix([(hour, 1) for hour in range(48)], header=("hour", "sums"))
    notes = written(replay)["notes"]
    assert "small was measured but not judged, and is left out" in notes
    assert "task songs is not in the mix, and is left out" in notes


def test_a_past_that_is_not_whole_is_said(replay: Replay, given: Given) -> None:
    rows = trace_rows()
    given.write_trace([rows[0], *rows[2:]])
    notes = written(replay, "--start-hour", 4, "--hours", 6)["notes"]
    assert "only the 2 h before the window are known as its past; there is a gap in the trace before" in notes


def test_the_years_extremes_can_be_given(replay: Replay) -> None:
    told = written(replay, "--policy", "sprout", "--year-min", 20, "--year-max", 1000)
    assert any(note.endswith("in advance, from the command line") for note in told["notes"])
    assert told["saving_pct"] != written(replay, "--policy", "sprout")["saving_pct"]


@pytest.mark.parametrize("arguments", [("--hours", 1), ("--requests-per-hour", 1), ("--floor-slack", 0)])
def test_little_is_enough(replay: Replay, arguments: tuple[object, ...]) -> None:
    for policy in ("contextual", "sprout", "oracle"):
        code, _, err = replay("--policy", policy, *arguments)
        assert (code, err) == (0, "")


def test_a_grid_without_carbon_is_no_obstacle(replay: Replay, given: Given) -> None:
    given.write_trace([(stamp, 0) for stamp, _ in trace_rows()])
    assert replay()[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--policy", "nope"), "policy 'nope' is none of"),
        (("--context", "nope"), "'nope' is not one of 'task', 'text', 'none'"),
        (("--column", "nope"), "there is no column nope; it has time_utc, direct_g_per_kwh"),
        (("--hours", 0), "--hours: it is 0. Give at least 1"),
        (("--hours", 100), "it has 120 hours, and the window ends at hour 148"),
        (("--start-hour", -1), "--start-hour: it is -1. Give at least 0"),
        (("--seed", -1), "--seed: it is -1"),
        (("--requests-per-hour", 0), "--requests-per-hour: it is 0. Give at least 1"),
        (("--requests-per-hour", 10**9), "--requests-per-hour: it is 1000000000. Give at most 1000000"),
        (("--floor-slack", 1), "--floor-slack: it is 1.0. Give a share from 0 to below 1"),
        (("--floor-slack", "nan"), "--floor-slack: it is nan"),
        (("--floor-slack", "much"), "Invalid value for '--floor-slack'"),
        (("--control-share", 0.95), "--control-share: it is 0.95. Give a share from 0 to 0.9"),
        (("--confidence", 1), "--confidence: it is 1.0. Give a probability from 0.5 to below 1"),
        (("--year-min", 1), "--year-min: it goes with --year-max. Give both or neither"),
        (("--year-min", 300, "--year-max", 20), "the year's intensities would be from 300 to 20 g/kWh"),
        (("--requests", "none.parquet"), "none.parquet: cannot be read as a Parquet file: No such file"),
        (("--trace", "none.csv"), "cannot read trace none.csv: No such file or directory; check the path"),
        (("--mix", "none.csv"), "none.csv: cannot be read: No such file or directory; check the path"),
        (("--requests", "."), "Is a directory; check the path"),
        (("--json", "no/out.json"), "--json: cannot write no/out.json: No such file or directory"),
        (("--json", "."), "--json: cannot write .: Is a directory"),
        (("--plot", "plot.jpg"), "--plot: plot.jpg ends in none of .png, .svg, .pdf"),
        (("--plot", "no/plot.png"), "--plot: cannot write no/plot.png"),
        (("--plot-schemes", "plot.txt"), "--plot-schemes: plot.txt ends in none of"),
        (("--plot-schemes", "no/plot.png"), "--plot-schemes: cannot write no/plot.png"),
    ],
)
def test_what_cannot_be_is_one_line(replay: Replay, arguments: tuple[object, ...], message: str) -> None:
    if "--plot" in str(arguments):
        pytest.importorskip("matplotlib", reason="no matplotlib: pip install 'sprout-like[plot]'")
    code, out, err = replay(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err


@pytest.mark.parametrize("policy", ["sprout", "oracle", "static"])
def test_a_year_without_extremes_is_no_year_for_sprout(replay: Replay, given: Given, policy: str) -> None:
    given.write_trace([(stamp, 100) for stamp, _ in trace_rows()])
    code, _, err = replay("--policy", policy)
    assert code == 2
    assert "always 100 g/kWh in the trace itself" in err
    assert "Give them by --year-min and --year-max" in err
    assert replay("--policy", policy, "--year-min", 50, "--year-max", 300)[0] == 0
    assert replay("--policy", "contextual")[0] == 0


def test_nothing_can_be_a_share_of_nothing(replay: Replay, given: Given) -> None:
    given.write_requests(requests_columns() | {"quality_full": [0.0] * 120})
    code, _, err = replay()
    assert code == 2
    assert "`full` scores 0 on every prompt of the tasks that come in hour 0" in err


def test_too_few_prompts_are_refused(replay: Replay, given: Given) -> None:
    given.write_requests(requests_columns(1))
    assert "has too few prompts to be served and judged" in replay()[2]
    given.write_requests(requests_columns(10))
    assert "too few different texts to learn from" in replay("--context", "text")[2]


@needs_terminals
def test_a_terminal_is_told_what_is_replayed(given: Given) -> None:
    done, said = told(*(str(argument) for argument in (*given.arguments, "--hours", 1)))
    assert done.returncode == 0
    assert "replaying contextual" in said
    assert "replaying" not in done.stdout
