"""The demonstration's table and closing words, for a terminal and for the report file."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sprout_like.demo.run import Pair
from sprout_like.demo.summary import Totals, totals
from sprout_like.reports.figures import grams, number, percent

__all__ = ["progress_line", "result"]


def progress_line(pair: Pair) -> Text:
    """One finished prompt: when, under what, and how its answer begins."""
    record = pair.served
    opening = " ".join(pair.text.split())
    line = Text(f"{pair.when_utc:%H:%M}  {number(record.intensity_g_per_kwh, 0):>4} g/kWh  ")
    line.append(f"{record.directive:<11}", style="green" if record.directive != "full" else "")
    return line.append(f"{pair.prompt.task:<10} {opening[:64]}…", style="dim")


def result(pairs: Sequence[Pair], label: str, model: str) -> RenderableType:
    """The table per request, the totals and what they mean."""
    summed = totals(pairs)
    table = Table(title=f"{model} over one day of grid intensity\n{label}", title_justify="left", title_style="bold")
    table.add_column("hour")
    for heading in ("g/kWh", "directive", "tokens", "s", "J", "g CO2e", "full: tokens", "J", "g CO2e", "method"):
        table.add_column(heading, justify="left" if heading in ("directive", "method") else "right")
    for pair in pairs:
        table.add_row(f"{pair.when_utc:%H:%M}", *_cells(pair))
    table.add_section()
    table.add_row("total", "", "", *_sums(summed), style="bold")
    return Group(table, *_closing(pairs, summed))


def _cells(pair: Pair) -> tuple[str, ...]:
    served, full = pair.served, pair.full
    return (
        number(served.intensity_g_per_kwh, 0),
        served.directive,
        number(served.new_tokens, 0),
        number(served.engine_s, 1),
        number(served.energy_j, 1),
        grams(served.operational_g),
        number(full.new_tokens, 0),
        number(full.energy_j, 1),
        grams(full.operational_g),
        served.energy_method,
    )


def _sums(summed: Totals) -> tuple[str, ...]:
    return (
        number(summed.tokens, 0),
        number(summed.seconds, 1),
        number(summed.energy_j, 1),
        grams(summed.operational_g),
        number(summed.full_tokens, 0),
        number(summed.full_energy_j, 1),
        grams(summed.full_operational_g),
        "",
    )


def _closing(pairs: Sequence[Pair], summed: Totals) -> list[Text]:
    lines = [
        Text(
            f"Saving against full, measured in this run: energy {percent(summed.energy_saving)}, "
            f"carbon {percent(summed.carbon_saving)} ({summed.requests} prompts, each also run under full)."
        )
    ]
    methods = sorted({p.served.energy_method for p in pairs})
    meters = sorted({p.served.meter for p in pairs})
    notes = [
        f"Energy: {', '.join(methods)} by meter {', '.join(meters)}, total ± {number(summed.uncertainty_j, 1)} J.",
        "Emissions are operational (energy × intensity); making the hardware is not included.",
        "The quality of the shorter answers is not judged here: a saving alone is no gain.",
    ]
    if "estimated" in methods:
        notes.insert(
            1,
            "Estimated means a power model (CPU time × W per core), not a sensor: its error moves J and g up or down "
            "together, so the saving hardly depends on it. `sprout-like doctor` says what a meter needs.",
        )
    return [*lines, *(Text(note, style="dim") for note in notes)]
