"""The demonstration on a terminal: progress, the table, and the files it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from sprout_like.demo.day import Day
from sprout_like.demo.prompts import PROMPTS
from sprout_like.demo.render import progress_line, result
from sprout_like.demo.run import Pair, replay_day
from sprout_like.demo.summary import as_data
from sprout_like.errors import SettingError
from sprout_like.reports.machine import to_json
from sprout_like.settings import Settings
from sprout_like.whole_file import check_replaceable

__all__ = ["check_writable", "show"]

_FILE_WIDTH = 100


def show(
    console: Console,
    day: Day,
    settings: Settings,
    *,
    out: Path,
    json_file: Path | None = None,
    load_model: Callable[[], tuple[Any, Any]] | None = None,
) -> bool:
    """Run the demonstration; False where it was interrupted.

    What was run before an interruption is shown, written and in the ledger all the same.

    Args:
        console: where progress and the outcome are printed.
        day: the intensities to go through.
        settings: policy, meter and the rest.
        out: existing folder for the ledger and the report.
        json_file: where the same data goes; None for nowhere.
        load_model: gives a model and its tokenizer; None for SmolLM2.
    """
    console.print(f"Grid intensity: {day.label}", highlight=False)
    with console.status("Loading the model (the first time it is unpacked, about 15 s) …"):
        model, tokenizer = _load_demo_model() if load_model is None else load_model()

    ledger = out / "ledger.sqlite"
    pairs: list[Pair] = []
    finished = False
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(f"{len(PROMPTS)} prompts", total=len(PROMPTS))

        def show_pair(pair: Pair) -> None:
            pairs.append(pair)
            progress.console.print(progress_line(pair), highlight=False, no_wrap=True, overflow="ellipsis")
            progress.advance(bar)

        with suppress(KeyboardInterrupt):
            replay_day(model, tokenizer, day, ledger=ledger, settings=settings, on_pair=show_pair)
            finished = True
    if pairs:
        _write(console, pairs, day.label, out / "report.txt", json_file)
    console.print(f"Ledger: {ledger}", highlight=False, soft_wrap=True)
    if not finished:
        said = f"Interrupted after {len(pairs)} of {len(PROMPTS)} prompts; the ledger holds what was run."
        console.print(said, highlight=False)
    return finished


def check_writable(out: Path, json_file: Path | None) -> None:
    """Make the folder, and find out now rather than after two minutes whether the files can be written.

    Raises:
        SettingError: they cannot.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".sprout-like-probe"
        probe.touch()
        probe.unlink()
    except OSError as exc:
        raise SettingError("--out", f"cannot write to {out}: {exc.strerror}", "Name a folder you own") from exc
    check_replaceable("--json", json_file)


def _load_demo_model() -> tuple[Any, Any]:
    from sprout_like.demo.model import load_demo_model  # torch takes seconds to load: not before the first line

    return load_demo_model()


def _write(console: Console, pairs: Sequence[Pair], label: str, report: Path, json_file: Path | None) -> None:
    model = pairs[0].served.model
    table = result(pairs, label, model)
    console.print(table, highlight=False)
    with report.open("w", encoding="utf-8") as stream:
        Console(file=stream, width=_FILE_WIDTH, emoji=False).print(table, highlight=False)
    if json_file is not None:
        json_file.write_text(to_json(as_data(pairs, label, model)) + "\n", encoding="utf-8")
        console.print(f"Data:   {json_file}", highlight=False, soft_wrap=True)
    console.print(f"Report: {report}", highlight=False, soft_wrap=True)
