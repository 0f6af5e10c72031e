"""The demonstration's table and closing words, for a terminal and for the report file."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sprout_like.demo.run import Pair
from sprout_like.demo.summary import Totals, totals
from sprout_like.reports.figures import grams_scale, number, percent

__all__ = ["progress_line", "result"]

# On a quiet machine the pace of this model differs by about 1.3 between short and long answers.
_BUSY = 2.0


def progress_line(pair: Pair) -> Text:
    """One finished prompt: when, under what, and how its answer begins."""
    record = pair.served
    opening = " ".join(pair.text.split())
    line = Text(f"{pair.when_utc:%H:%M}  {number(record.intensity_g_per_kwh, 0):>4} g/kWh  ")
    line.append(f"{record.directive:<11}", style="green" if record.directive != "full" else "")
    return line.append(f"{pair.prompt.task:<10} {opening}", style="dim")


def result(pairs: Sequence[Pair], label: str, model: str) -> RenderableType:
    """The table per request, the totals and what they mean; fits 80 columns."""
    summed = totals(pairs)
    each = [g for pair in pairs for g in (pair.served.operational_g, pair.full.operational_g)]
    scale = grams_scale([*each, summed.operational_g, summed.full_operational_g])
    title = Text(f"{model} over one day of grid intensity\n{label}", style="bold")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0)
    table.add_column("hour", no_wrap=True)
    table.add_column("g/kWh", justify="right", no_wrap=True)
    table.add_column("directive", overflow="fold")
    for heading in ("tokens", "s", "J", f"{scale.unit} CO2e", "full J", f"full {scale.unit}"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("method", overflow="fold")
    for pair in pairs:
        served, full = pair.served, pair.full
        table.add_row(
            f"{pair.when_utc:%H:%M}",
            number(served.intensity_g_per_kwh, 0),
            Text(served.directive),
            number(served.new_tokens, 0),
            number(served.engine_s, 1),
            number(served.energy_j, 1),
            scale(served.operational_g),
            number(full.energy_j, 1),
            scale(full.operational_g),
            served.energy_method,
        )
    table.add_section()
    table.add_row(
        "total",
        "",
        "",
        number(summed.tokens, 0),
        number(summed.seconds, 1),
        number(summed.energy_j, 1),
        scale(summed.operational_g),
        number(summed.full_energy_j, 1),
        scale(summed.full_operational_g),
        style="bold",
    )
    return Group(table, *_closing(pairs, summed))


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
    if (pace := _pace_spread(pairs)) > _BUSY:
        notes.append(
            f"Seconds per token differed {pace:.1f}-fold between requests: other work ran on this machine, and single "
            "rows and the saving are disturbed by it. Run it again when the machine is quiet."
        )
    return [*lines, *(Text(note, style="dim") for note in notes)]


def _pace_spread(pairs: Sequence[Pair]) -> float:
    paces = [
        record.engine_s / record.new_tokens
        for pair in pairs
        for record in (pair.served, pair.full)
        if record.engine_s and record.new_tokens
    ]
    return max(paces) / min(paces) if paces else 1.0
