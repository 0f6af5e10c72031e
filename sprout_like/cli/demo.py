"""`sprout-like demo`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from sprout_like.demo.run import Pair

__all__ = ["demo"]


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the ledger and the report.")] = Path("demo-output"),
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the same data to this file.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use the bundled modelled day at once.")] = False,
) -> None:
    """A real model answers twelve prompts over one day of grid intensity, each also under `full` to compare with."""
    from rich.console import Console

    from sprout_like.clock import SystemClock
    from sprout_like.demo.day import load_day
    from sprout_like.settings import Settings

    settings = Settings.load()
    _check_writable(out, json_file)
    console = Console(emoji=False)
    day = load_day(SystemClock().now_utc, offline=offline)
    console.print(f"Grid intensity: {day.label}", highlight=False)
    with console.status("Loading the model (the first time it is unpacked, about 15 s) …"):
        from sprout_like.demo.model import MODEL_NAME, load_demo_model

        model, tokenizer = load_demo_model()

    from rich.progress import Progress

    from sprout_like.demo.prompts import PROMPTS
    from sprout_like.demo.render import progress_line
    from sprout_like.demo.run import replay_day

    ledger = out / "ledger.sqlite"
    pairs: list[Pair] = []
    interrupted = False
    logging.getLogger("sprout_like").setLevel(logging.WARNING)
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(f"{MODEL_NAME}, {len(PROMPTS)} prompts", total=len(PROMPTS))

        def show(pair: Pair) -> None:
            pairs.append(pair)
            progress.console.print(progress_line(pair), highlight=False, no_wrap=True, overflow="ellipsis")
            progress.advance(bar)

        try:
            replay_day(model, tokenizer, day, ledger=ledger, settings=settings, on_pair=show)
        except KeyboardInterrupt:
            interrupted = True
    _finish(console, pairs, day.label, out, json_file)
    if interrupted:
        console.print(f"Interrupted after {len(pairs)} of {len(PROMPTS)} prompts; the ledger holds what was run.")
        raise typer.Exit(130)


def _check_writable(out: Path, json_file: Path | None) -> None:
    from sprout_like.errors import SettingError

    for option, folder in (("--out", out), ("--json", json_file.parent if json_file else out)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".sprout-like-probe"
            probe.touch()
            probe.unlink()
        except OSError as exc:
            raise SettingError(option, f"cannot write to {folder}: {exc.strerror}", "Name a folder you own") from exc


def _finish(console: Console, pairs: list[Pair], label: str, out: Path, json_file: Path | None) -> None:
    from rich.console import Console as FileConsole

    from sprout_like.demo.model import MODEL_NAME
    from sprout_like.demo.render import result
    from sprout_like.demo.summary import as_data
    from sprout_like.reports.machine import to_json

    table = result(pairs, label, MODEL_NAME)
    console.print(table, highlight=False)
    report = out / "report.txt"
    with report.open("w", encoding="utf-8") as stream:
        FileConsole(file=stream, width=100, emoji=False).print(table)
    if json_file is not None:
        json_file.write_text(to_json(as_data(pairs, label, MODEL_NAME)) + "\n", encoding="utf-8")
        console.print(f"Data:   {json_file}", highlight=False, soft_wrap=True)
    console.print(f"Ledger: {out / 'ledger.sqlite'}", highlight=False, soft_wrap=True)
    console.print(f"Report: {report}", highlight=False, soft_wrap=True)
