"""The demonstration from the first line it prints to the files it leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sprout_like.demo.day import Day
from sprout_like.demo.prompts import PROMPTS, Prompt
from sprout_like.demo.run import Pair, replay_day
from sprout_like.demo.show import show
from sprout_like.ledger import open_engine
from sprout_like.ledger.check import check
from sprout_like.ledger.schema import RequestRow
from sprout_like.settings import Settings

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("one_thread")]

FEW = (Prompt("question", "Why?"), Prompt("code", "Write it."), Prompt("reasoning", "How?"))


def _rows(ledger: Path) -> list[Any]:
    engine = open_engine(ledger)
    try:
        with engine.connect() as connection:
            return list(connection.execute(RequestRow.__table__.select().order_by(RequestRow.request_id)))
    finally:
        engine.dispose()


def _is_valid(ledger: Path) -> bool:
    engine = open_engine(ledger)
    try:
        report = check(engine)
    finally:
        engine.dispose()
    return report.ok and report.open_requests == 0 and report.requests > 0


def test_twelve_prompts_of_four_kinds() -> None:
    assert len(PROMPTS) >= 12
    assert len({prompt.text for prompt in PROMPTS}) == len(PROMPTS)
    assert Counter(prompt.task for prompt in PROMPTS) == dict.fromkeys(("question", "summary", "reasoning", "code"), 3)


def test_every_prompt_is_served_at_its_hour_and_under_full_at_the_same_intensity(shown: Any) -> None:
    requests = shown.data["requests"]
    hours = [datetime.fromisoformat(request["when_utc"]) for request in requests]

    assert shown.finished
    assert len(requests) == len(PROMPTS)
    assert [(hour - hours[0]).total_seconds() / 3600 for hour in hours] == [2 * n for n in range(12)]
    for request, hour in zip(requests, hours, strict=True):
        served, full = request["served"], request["full"]
        assert (served["purpose"], full["purpose"], full["directive"]) == ("request", "baseline", "full")
        assert served["task"] == full["task"] == request["task"]
        reading = shown.day.series.at(hour)
        assert served["intensity_g_per_kwh"] == full["intensity_g_per_kwh"] == reading.g_per_kwh
        assert served["intensity_stale"] is False
        assert served["decision_group"] == "policy"


def test_the_policy_follows_the_day(shown: Any) -> None:
    served = [request["served"] for request in shown.data["requests"]]

    for row in served:
        g_per_kwh = row["intensity_g_per_kwh"]
        assert row["directive"] == ("full" if g_per_kwh < 100 else "brief" if g_per_kwh < 200 else "very_brief")
    assert len({row["directive"] for row in served}) == 3


def test_both_rows_of_a_pair_are_in_the_ledger_and_it_adds_up(shown: Any) -> None:
    ids = {row["request_id"] for request in shown.data["requests"] for row in (request["served"], request["full"])}

    assert {row.request_id for row in _rows(shown.ledger)} == ids
    assert len(ids) == 2 * len(PROMPTS)
    assert _is_valid(shown.ledger)


def test_served_and_full_take_turns_at_going_first(shown: Any) -> None:
    first = [row.purpose for row in _rows(shown.ledger)][::2]

    assert first == ["request", "baseline"] * 6


def test_the_totals_are_sums_and_the_saving_is_made_of_them(shown: Any) -> None:
    totals, requests = shown.data["totals"], shown.data["requests"]
    served_j = sum(request["served"]["energy_j"] for request in requests)
    full_j = sum(request["full"]["energy_j"] for request in requests)
    served_g = sum(request["served"]["operational_g"] for request in requests)
    full_g = sum(request["full"]["operational_g"] for request in requests)

    assert (totals["energy_j"], totals["full_energy_j"]) == (pytest.approx(served_j), pytest.approx(full_j))
    assert totals["energy_saving"] == pytest.approx(1 - served_j / full_j)
    assert totals["carbon_saving"] == pytest.approx(1 - served_g / full_g)


def test_the_table_holds_what_the_json_holds(shown: Any) -> None:
    lines = [line.split() for line in shown.printed.splitlines()]

    for request in shown.data["requests"]:
        served, full = request["served"], request["full"]
        beginning = [
            f"{datetime.fromisoformat(request['when_utc']):%H:%M}",
            f"{served['intensity_g_per_kwh']:.0f}",
            served["directive"],
            str(served["new_tokens"]),
            f"{served['engine_s']:.1f}",
            f"{served['energy_j']:.1f}",
        ]
        (line,) = (line for line in lines if line[: len(beginning)] == beginning and len(line) == 10)
        assert line[7] == f"{full['energy_j']:.1f}"
        assert line[9] == "estimated"
    (total,) = (line for line in lines if line[:1] == ["total"])
    assert total[3] == f"{shown.data['totals']['energy_j']:.1f}"


def test_progress_is_shown_prompt_by_prompt(shown: Any) -> None:
    progress = re.findall(r"^\d\d:00 +\d+ g/kWh  (?:full|brief|very_brief) .*$", shown.printed, re.MULTILINE)

    assert len(progress) == len(PROMPTS)


def test_where_the_figures_come_from_is_said_first_and_above_the_table(shown: Any) -> None:
    assert shown.printed.startswith("Grid intensity: MODELLED: not measured\n")
    assert shown.printed.count("MODELLED: not measured") == 2
    assert "MODELLED: not measured" in shown.report
    assert shown.data["intensity"] == "MODELLED: not measured"


def test_the_files_are_named_and_the_report_is_what_was_printed(shown: Any) -> None:
    for name in (str(shown.ledger), "report.txt", "data.json"):
        assert name in shown.printed
    saving = next(line for line in shown.report.splitlines() if line.startswith("Saving against full"))
    assert saving.split("(")[0].strip() in " ".join(shown.printed.split())


def test_no_line_is_longer_than_80_columns(shown: Any) -> None:
    lines = [line for line in shown.printed.splitlines() if "/" not in line]  # paths are not broken

    assert max(map(len, lines)) <= 80


def test_no_text_of_prompts_or_answers_is_in_the_data(shown: Any) -> None:
    written = json.dumps(shown.data)

    assert not [prompt for prompt in PROMPTS if prompt.text in written]


def test_prompts_are_spread_over_the_day_however_many_there_are(
    demo_model: Callable[[], Any], modelled_day: Day, demo_settings: Settings, tmp_path: Path
) -> None:
    pairs: list[Pair] = []

    replay_day(
        *demo_model(),
        modelled_day,
        ledger=tmp_path / "ledger.sqlite",
        settings=demo_settings,
        prompts=FEW,
        on_pair=pairs.append,
    )

    assert [pair.when_utc.hour for pair in pairs] == [0, 8, 16]
    assert [pair.prompt for pair in pairs] == list(FEW)


@pytest.mark.parametrize("after", [0, 1])
def test_an_interruption_keeps_what_was_run(
    demo_model: Callable[[], Any], modelled_day: Day, demo_settings: Settings, tmp_path: Path, after: int
) -> None:
    """Interrupted while the model generates, in the second request of a pair."""
    model, tokenizer = demo_model()
    left = 2 * after + 1  # requests that are answered; each begins with a forward pass over its whole prompt

    def interrupt(module: Any, args: Any, kwargs: Any) -> None:
        nonlocal left
        ids = kwargs.get("input_ids", args[0] if args else None)
        if ids is not None and ids.shape[1] > 8:  # longer than the warm-up's prompt
            left -= 1
            if left < 0:
                raise KeyboardInterrupt

    model.register_forward_pre_hook(interrupt, with_kwargs=True)
    with (tmp_path / "printed").open("w", encoding="utf-8") as stream:
        console = Console(file=stream, width=80)
        finished = show(
            console,
            modelled_day,
            demo_settings,
            out=tmp_path,
            json_file=tmp_path / "data.json",
            load_model=lambda: (model, tokenizer),
        )

    printed = (tmp_path / "printed").read_text("utf-8")
    assert not finished
    assert f"Interrupted after {after} of 12 prompts; the ledger holds what was run." in printed
    assert [row.status for row in _rows(tmp_path / "ledger.sqlite")] == ["ok"] * (2 * after + 1) + ["error"]
    assert _is_valid(tmp_path / "ledger.sqlite")
    assert (tmp_path / "data.json").exists() == (tmp_path / "report.txt").exists() == (after > 0)


def test_ctrl_c_of_the_real_command(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("SPROUT_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "sprout_like", "demo", "--offline"],
        cwd=tmp_path,
        # On a busy machine, torch's threads wait for each other longer than they compute.
        env={**environment, "XDG_DATA_HOME": str(tmp_path / "data"), "COLUMNS": "80", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the suite runs in a shell's background, SIGINT is ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    try:
        printed = [process.stdout.readline()]
        while printed[-1] and "g/kWh" not in printed[-1]:
            printed.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait()

    assert printed[0].startswith("Grid intensity: MODELLED")
    assert process.returncode == 130, errors
    assert "Traceback" not in rest + errors
    assert "of 12 prompts; the ledger holds what was run." in rest
    assert "Saving against full" in rest
    assert _is_valid(tmp_path / "demo-output" / "ledger.sqlite")
    assert (tmp_path / "demo-output" / "report.txt").exists()
