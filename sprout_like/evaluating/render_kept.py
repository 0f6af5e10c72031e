"""The sample of the traffic on a terminal: counts, and the texts where somebody asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sprout_like.evaluating.kept import KeptCount
from sprout_like.ledger.schema import PromptRow
from sprout_like.printable import label, printable

__all__ = ["counts", "texts"]


def counts(kept: Sequence[KeptCount]) -> RenderableType:
    """A line per task and directive; no text."""
    if not kept:
        return Text("No prompt is kept. The setting sample_share keeps a share of them for judging.")
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("task", "directive"):
        table.add_column(heading, overflow="fold")
    for heading in ("kept", "judged", "oldest, UTC", "first expires, UTC"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in kept:
        table.add_row(
            Text(label(each.task or "–")),
            each.directive,
            str(each.prompts_n),
            str(each.judged_n),
            f"{each.first_taken_utc:%Y-%m-%d %H:%M}",
            f"{each.next_expiry_utc:%Y-%m-%d %H:%M}",
        )
    return table


def texts(rows: Iterable[PromptRow]) -> Iterator[Text]:
    """Each prompt and its answer in full."""
    for row in rows:
        taken = f"{row.taken_utc:%Y-%m-%d %H:%M}"
        yield Text(f"\n{taken} {label(row.task or '–')} {row.directive} {row.request_id}", style="bold")
        for message in row.messages:
            yield Text(printable(f"{message.get('role', '?')}: {message.get('content', '')}"))
        yield Text(printable(f"answer: {row.answer}"))
