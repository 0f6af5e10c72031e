"""An evaluation on a terminal and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from directives.evaluation import Sampling, first_share
from directives.evidence import Quality
from sprout_like.evaluating.evaluation import Ended, Evaluation
from sprout_like.printable import label, printable
from sprout_like.reports.figures import grams, joules_scale, number

__all__ = ["as_data", "report"]

Scores = Mapping[tuple[str, str], Sequence[tuple[float, float]]]

_ENDED: Final[Mapping[Ended, str]] = {
    "settled": "every directive is known well enough",
    "prompts": "the prompts were used up",
    "limit": "as many prompts as allowed were asked",
    "interrupted": "interrupted",
    "failed": "the judge failed",
}


def report(evaluation: Evaluation, scores: Scores, sampling: Sampling) -> RenderableType:
    """Fits 80 columns."""
    return Group(
        Text(f"{evaluation.model}, judged by {evaluation.judge}", style="bold"),
        Text(
            f"{evaluation.prompts_n} prompts, {evaluation.verdicts_n} verdicts, {evaluation.ties_n} ties; "
            f"{_ENDED[evaluation.ended]}."
        ),
        *([_table(scores, sampling)] if scores else []),
        *(Text(line, style="dim") for line in _notes(evaluation, sampling)),
    )


def as_data(evaluation: Evaluation, scores: Scores, sampling: Sampling) -> dict[str, Any]:
    """The evaluation in JSON's own types, with the quality by directive and task."""
    data = asdict(evaluation)
    data["quality"] = [
        {
            "directive": directive,
            "task": task,
            **asdict(quality),
            "share_of_full": _share(quality),
            "half_width": _half_width(quality),
            "enough": sampling.enough(pairs),
        }
        for directive, task, quality, pairs in _by_directive(scores)
    ]
    return data


def _by_directive(scores: Scores) -> Iterator[tuple[str, str, Quality, Sequence[tuple[float, float]]]]:
    for (directive, task), pairs in sorted(scores.items()):
        quality = Quality.of(pairs)
        if quality is not None:
            yield directive, task, quality, pairs


def _table(scores: Scores, sampling: Sampling) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("directive", "task"):
        table.add_column(heading, overflow="fold")
    for heading in ("n", "score", "full's", "% of full", "±", "floor"):
        table.add_column(heading, justify="right", no_wrap=True)
    for directive, task, quality, pairs in _by_directive(scores):
        share, half = _share(quality), _half_width(quality)
        table.add_row(
            directive,
            Text(label(task) or "–"),
            str(quality.n),
            number(quality.mean, 3),
            number(quality.full_mean, 3),
            number(None if share is None else 100 * share, 1),
            number(None if half is None else 100 * half, 1),
            sampling.enough(pairs) or "open",
        )
    return table


def _notes(evaluation: Evaluation, sampling: Sampling) -> Iterator[str]:
    if evaluation.verdicts_n:
        yield _legend(sampling)
    for reason, n in sorted(evaluation.dropped.items()):
        yield f"Dropped: {n} x {printable(reason)}"
    first = first_share(evaluation.first_n, evaluation.second_n)
    if first is not None:
        yield (
            f"Shown first, an answer was preferred {100 * first.mean:.0f} % of the time "
            f"({100 * first.low:.0f}–{100 * first.high:.0f} %); each pair was shown both ways."
        )
    yield f"Generations: {_cost(evaluation.energy_j, evaluation.operational_g)}, in the ledger as evaluation."
    tokens = "" if evaluation.judge_tokens is None else f", {number(evaluation.judge_tokens, 0)} tokens"
    judge = _cost(evaluation.judge_energy_j, evaluation.judge_operational_g)
    yield f"Judge: {judge}, {number(evaluation.judge_s, 0)} s{tokens}."


def _legend(sampling: Sampling) -> str:
    return (
        "% of full: score over full's to the same prompts; ± is half its 95 % interval in points. Beside the floor of "
        f"{100 * sampling.floor:g} %, with {100 * sampling.confidence:g} % confidence however often one looks: above "
        "or below it; tight, where the interval holds it and is narrow enough; open, where more prompts would tell."
    )


def _cost(energy_j: float | None, operational_g: float | None) -> str:
    if energy_j is None:
        return "energy unknown"
    scale = joules_scale([energy_j])
    carbon = "carbon unknown" if operational_g is None else f"{grams(operational_g)} CO2e"
    return f"{scale(energy_j)} {scale.unit}, {carbon}"


def _share(quality: Quality) -> float | None:
    """Mean score over `full`'s; None where `full` scored nothing."""
    return quality.mean / quality.full_mean if quality.full_mean > 0 else None


def _half_width(quality: Quality) -> float | None:
    """Of that ratio, by the delta method (Cochran, Sampling Techniques, 1977, eq. 6.13); None where unknown."""
    share = _share(quality)
    half = None if share is None else quality.worth(share).half_width
    return None if half is None else half / quality.full_mean
