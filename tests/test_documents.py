"""The README's code and the examples run, and print what they say they print."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)


def run(code: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def shape(text: str) -> str:
    """The text with every figure blotted out: joules differ between machines."""
    return re.sub(r"\d+(\.\d+)?", "#", text)


@pytest.mark.model
def test_the_readmes_example_prints_what_is_printed_under_it(tmp_path: Path) -> None:
    code, printed = BLOCKS[1][1], BLOCKS[2][1]
    assert len(code.splitlines()) <= 12
    said, *figures = run(code, tmp_path).splitlines()
    wanted, *wanted_figures = printed.splitlines()
    assert "tides are caused" in said  # the words after that may differ with a machine's rounding of bf16
    assert "tides are caused" in wanted
    assert [shape(line) for line in figures] == [shape(line) for line in wanted_figures]


@pytest.mark.model
def test_what_the_first_pages_show_runs(tmp_path: Path) -> None:
    pages = [ROOT / "docs" / "index.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
    shown = [
        (page.name, code)
        for page in pages
        for code in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)
    ]
    # In one process, for each would load torch and the model anew.
    said = run(f"for page, code in {shown!r}:\n    print(page)\n    exec(compile(code, page, 'exec'), {{}})", tmp_path)
    for page, following in pairwise([*dict(shown), None]):
        printed = said.partition(f"{page}\n")[2]
        assert printed.strip() != "" if following is None else not printed.startswith(following)


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    # Links, anchors, the names of the reference and the pages of the navigation: all are checked by it.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    written = " ".join(path.read_text("utf-8") for path in tmp_path.rglob("*.html"))
    assert "Wraps a model so that every generation is carbon-aware" in written
    assert "sprout-like jobs submit" in written
    assert "carbon_budget_g_per_day" in written
    assert not re.search(r"<(script|link|img)[^>]*https?://", written)  # nothing is fetched from elsewhere


@pytest.mark.model
def test_the_readmes_drop_in_lines_run(tmp_path: Path) -> None:
    setup = """
from transformers import pipeline
from sprout_like import CarbonAware
from sprout_like.demo.model import load_demo_model
model, tokenizer = load_demo_model()
messages = [{"role": "user", "content": "Name a colour."}]
pipe = pipeline("text-generation", model=model, tokenizer=tokenizer, max_new_tokens=8)
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
aware = CarbonAware(model, tokenizer, grid="static:180", policy="very_brief", ledger="drop_in.sqlite")
"""
    check = """
aware.close()
import sqlite3
print(sqlite3.connect("drop_in.sqlite").execute("SELECT COUNT(*), MIN(directive) FROM requests").fetchone())
"""
    assert run(setup + BLOCKS[3][1] + check, tmp_path) == "(2, 'very_brief')\n"


def test_the_readme_names_commands_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert all(f"\n{target}:" in makefile for target in re.findall(r"`?make (\w+)", README))
    for command in ("report", "doctor", "ledger check", "calibrate"):
        subprocess.run(
            [sys.executable, "-m", "sprout_like", *command.split(), "--help"], check=True, capture_output=True
        )


def test_the_readmes_tree_is_the_tree() -> None:
    tree = next(text for _, text in BLOCKS if text.startswith("grid/"))
    parent = ROOT
    for line in tree.splitlines():
        for entry in re.findall(r"[\w.]+/?", line[:22]):
            path = (ROOT if not line.startswith(" ") else parent) / entry
            assert path.exists(), path
            if not line.startswith(" "):
                parent = ROOT / entry


SPANS = ("hour", "day", "week", "month")


def _both(figures: Sequence[str]) -> str:
    return " and ".join(figures)


def _range(values: Iterable[float], digits: int = 0) -> str:
    known = sorted(values)
    return f"{known[0]:.{digits}f} to {known[-1]:.{digits}f}"


def test_the_readmes_figures_are_those_of_the_committed_results() -> None:
    results = {p.stem: json.loads(p.read_text("utf-8")) for p in (ROOT / "benchmarks" / "results").glob("*.json")}
    ours_all = results["middleware_time"]["per_request"]
    ours = ours_all["sprout_like"]
    solve, tune = results["policy_time"]["solve"], results["tune_time"]
    batch, online = results["batch"], results["online_batching"]
    queue, windows = results["job_queue"], results["job_windows"]
    large = [results["report_time"][database] for database in ("sqlite", "postgresql")]
    pages = [results[f"dashboard_time_{database}"] for database in ("sqlite", "postgresql")]
    batch_j = {name: way["j_per_token"] for name, way in batch["ways"].items()}
    (year,) = windows["a_year_of_1000_jobs"].values()
    processes = results["import_time"]["processes"]
    prefix = results["prefix_cache"]
    forecast = results["forecast"]["mape_over_best_naive"]
    exits = results["confidence_exit"]["best_at_95%_identical"]
    replays = {name: zones["mean"] for name, zones in results["replay"]["policies"].items()}
    knobs = {name: each["over_full"]["j_per_token"]["median"] for name, each in results["knobs"]["knobs"].items()}
    assert exits["time_saved"]["time_saved"] <= 0  # "and no time"
    for figure in (
        f"{ours['p50_us']:.0f} µs",
        f"{ours['p99_us']:.0f} µs",
        f"{results['generate_overhead']['wrapped_over_bare']['median']:.3f}",
        f"{results['middleware_time']['sprout_like_over_codecarbon_p50']:.2f} of what",
        f"`import sprout_like`: {processes['import_sprout_like']['p50_us'] / 1e3:.0f} ms",
        f"look-up {knobs['draft_lookup']:.2f}",
        f"static cache {knobs['cache_static']:.2f}",
        f"80 % of the layers {knobs['depth']:.2f}",
        f"fp8 cache {knobs['cache_quantized']:.2f}",
        f"int8 weights {knobs['variant_int8']:.2f}",
        f"int4 weights {knobs['variant_int4']:.2f}",
        f"int8 assistant {knobs['draft_assistant']:.2f}",
        f"self-speculation {knobs['draft_depth']:.2f}",
        f"{100 * exits['layer_passes_saved']['layer_passes_saved']:.1f} % of the layer passes",
        f"{prefix['reused_tokens']:,} tokens: first token {prefix['without_over_with']['median']:.1f} times",
        f"{forecast['1h']['mean']:.2f} of it at 1 h, {forecast['6h']['mean']:.2f} at 6 h",
        f"{forecast['24h']['mean']:.2f} at 24 h, {forecast['48h']['mean']:.2f} at 48 h",
        f"{max(lead['worst'] for lead in forecast.values()):.2f} on the worst of twelve series",
        *(
            f"| {name} | {m['saving_pct']:.1f} % | {m['preference_pct']:.1f} % | {m['hours_below_floor_pct']:.1f} % |"
            for name, m in (
                ("`sprout`, its floor falling to 90 %", replays["sprout slack 0.1"]),
                ("`contextual`, told the task, floor 90 %", replays["contextual task slack 0.1"]),
                ("the same, floor 85 %", replays["contextual task slack 0.15"]),
                ("`contextual`, the task inferred from the text, floor 90 %", replays["contextual text slack 0.1"]),
                ("`contextual`, told nothing, floor 70 %, mean 85 %", replays["contextual none slack 0.3"]),
            )
        ),
        f"50 bins × 12 directives: {solve['one_level']['median_ms']:.0f} ms at one level of intensity",
        f"{solve['four_levels']['median_ms']:.0f} ms at four, in the background",
        f"Choosing from it: {results['policy_time']['choose']['p50_us']:.0f} µs",
        f"in {tune['sqlite']['least_s']:.1f} s on SQLite, {tune['postgresql']['least_s']:.1f} s on PostgreSQL",
        f"{batch['padded_times_loop']:.1f} times the tokens/s of a plain loop",
        f"{batch_j['padded'] / batch_j['loop']:.2f} of its",
        f"by hand is {batch['best_by_hand_times_padded']:.2f} times as fast",
        f"{online['times_the_requests_per_s']['median']:.1f} times the requests/s",
        f"{online['times_the_j_per_request']['median']:.2f} of the J",
        f"{100 * online['same_answers_share']:.0f} % of the bf16 answers",
        f"{queue['sqlite']['total_s']:.0f} s on SQLite, {queue['postgresql']['total_s']:.0f} s on PostgreSQL",
        f"{windows['of_optimum_pct']['mean']:.0f} % of the saving",
        f"({windows['of_optimum_pct']['least']:.0f} % in the worst zone), {windows['missed']} deadlines missed",
        f"a year of 1,000 jobs in {year['wall_s']:.0f} s",
        _both([_range(by["ours"] for by in found["report_ms"].values()) + " ms" for found in large]),
        _both([_range((by["over_duckdb"] for by in found["report_ms"].values()), 2) for found in large]) + " of",
        _both([f"{found['html_s']['p50']:.1f} s" for found in large]),
        _both([f"{found['bytes_per_row']:.0f}" for found in large]) + " bytes a request",
        _both([_range(answer["p50"] for answer in page["answers_ms"].values()) + " ms" for page in pages]),
        _both([_range(page["browser_ms"][f"drawn, {span}"]["p50"] for span in SPANS) + " ms" for page in pages]),
        _both([f"{page['browser_ms']['drawn, never here']['p50']:.0f} ms" for page in pages]),
        f"takes {ours_all['candidates_and_choice']['p50_us']:.0f} µs of a request",
        f"A kept answer: {results['answer_cache']['per_hit']['memory']['p50_us']:.0f} µs",
    ):
        assert figure in README, figure


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.stem)
@pytest.mark.model
def test_examples_run(example: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(example)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_nothing_written_speaks_of_one_machine() -> None:
    suspicious = re.compile(r"/(?:work|tmp|root|home)/")
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks" / "results").glob("*.json")]
    assert not [p.name for p in texts if suspicious.search(p.read_text("utf-8"))]
