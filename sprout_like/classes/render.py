"""A classifier for people: how it was judged, and which class is taken for which."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from directives.classes import OTHER, Classes
from sprout_like.printable import label

__all__ = ["as_data", "as_table"]


def as_data(classes: Classes) -> dict[str, Any]:
    """What is known of it, in JSON's own types; docs/classes.md describes the keys."""
    held_out = classes.held_out
    return {
        "labels": list(classes.labels),
        "threshold": classes.threshold,
        "columns": classes.columns,
        "held_out": {
            "n": held_out.n,
            "accuracy": held_out.accuracy,
            "coverage": held_out.coverage,
            "sure_accuracy": held_out.sure_accuracy,
            **asdict(held_out),
        },
    }


def as_table(classes: Classes) -> Group:
    """Which class is taken for which, and the figures in words."""
    table = Table()
    table.add_column("class")
    table.add_column("held out", justify="right")
    table.add_column("right", justify="right")
    table.add_column("else taken for")
    for place, (name, row) in enumerate(zip(classes.labels, classes.held_out.confusion, strict=True)):
        wrong = sorted((-n, other) for n, other in zip(row, classes.labels, strict=True) if n and other != name)
        table.add_row(
            Text(label(name)),
            str(sum(row)),
            f"{row[place] / sum(row):.1%}" if any(row) else "–",
            Text(", ".join(f"{label(other)} {-n}" for n, other in wrong)),
        )
    return Group(table, Text(_in_words(classes)))


def _in_words(classes: Classes) -> str:
    held_out = classes.held_out
    said = f"{held_out.accuracy:.1%} of {held_out.n} held-out texts are taken for what they are."
    if held_out.sure_accuracy is not None:
        said += (
            f" A class is inferred for {held_out.coverage:.1%}, those with a probability of {classes.threshold:g} or "
            f"more, and {held_out.sure_accuracy:.1%} of these are right."
        )
    if OTHER in classes.labels:
        said += f" For what is taken for {OTHER!r} no task is inferred."
    return said
