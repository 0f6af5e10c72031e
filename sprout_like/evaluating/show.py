"""The evaluation on a terminal: progress, the table, and where the verdicts are kept."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from directives import FULL, Catalogue
from directives.evaluation import Sampling
from grid import Grid
from sprout_like.clock import Clock
from sprout_like.errors import NothingToLearn, SettingError
from sprout_like.evaluating.evaluation import Sheet
from sprout_like.evaluating.kept import forget, kept_prompts
from sprout_like.evaluating.prompt import Prompt
from sprout_like.evaluating.render import as_data, report
from sprout_like.evaluating.run import Step, evaluate
from sprout_like.evaluating.store import save_evaluation
from sprout_like.judges.judge import Judge
from sprout_like.ledger import open_engine
from sprout_like.ledger.faults import as_startup_error
from sprout_like.middleware import CarbonAware
from sprout_like.reports.machine import to_json
from sprout_like.settings import Settings

__all__ = ["Order", "judged_directives", "show"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be judged.

    Attributes:
        prompts: what is asked; None for the sample of the traffic.
        directives: names; empty for all of the catalogue that need judging.
        sampling: when a directive is known well enough.
        most_prompts: prompts asked at most; None for all.
        seed: of their order; None for another each time.
        reason: why now.
    """

    prompts: Sequence[Prompt] | None
    directives: tuple[str, ...] = ()
    sampling: Sampling
    most_prompts: int | None = None
    seed: int | None = None
    reason: str = "asked for"


def judged_directives(catalogue: Catalogue, names: Sequence[str]) -> list[str]:
    """The directives of these names, or all whose answers may be worse.

    Raises:
        directives.CatalogueError: there is none of a name.
        SettingError: nothing is left to judge.
    """
    chosen = [catalogue[name] for name in names] if names else [d for d in catalogue if d.needs_judging]
    judged = [directive.name for directive in chosen if directive.name != FULL.name]
    if not judged:
        raise SettingError("--directives", "nothing is left to judge", "Name a directive other than full")
    return judged


def show(
    console: Console,
    settings: Settings,
    order: Order,
    *,
    catalogue: Catalogue,
    judge: Judge,
    grid: Grid,
    load_model: Callable[[], tuple[Any, Any]],
    clock: Clock,
    meter: Any = None,
    json_file: Path | None = None,
) -> bool:
    """Judge, show, keep; False where it was interrupted.

    What was judged before an interruption or a failure of the judge is shown and kept all the same.

    Args:
        console: where progress and the outcome are printed.
        settings: floor, meter, ledger and the rest.
        order: what is to be judged.
        catalogue: the directives on offer.
        judge: scores the pairs.
        grid: for the intensity of the rows; the caller's own.
        load_model: gives a model and its tokenizer.
        clock: for stamps.
        meter: as in `CarbonAware`; None for the settings'.
        json_file: where the same data goes; None for nowhere.

    Raises:
        JudgeError: the judge cannot judge at all.
        NothingToLearn: there are no prompts, or none could be judged.
        SettingError: a directive is unknown, or the prompts cannot be asked.
        LedgerError: the verdicts could not be kept; they were shown and written to the file before.
    """
    directives = judged_directives(catalogue, order.directives)
    with console.status("Loading the model …"):
        model, tokenizer = load_model()
    started_utc, sheet = clock.now_utc(), Sheet()
    # Each view pins its directive, and nothing here is traffic to be sampled.
    parts = {"policy": FULL.name, "grid": grid, "settings": settings.replaced(sample_share=0.0), "meter": meter}
    with CarbonAware(model, tokenizer, clock=clock, **parts) as aware, _database(settings) as engine:
        prompts = order.prompts
        if prompts is None:
            prompts = _sampled(engine, started_utc, aware.model_name, catalogue)
        try:
            with _progress(console) as on_step, suppress(KeyboardInterrupt):
                evaluate(
                    sheet,
                    aware,
                    prompts,
                    judge,
                    directives,
                    sampling=order.sampling,
                    clock=clock,
                    rng=Random(order.seed),
                    most_prompts=order.most_prompts,
                    on_step=on_step,
                )
        finally:
            _keep(console, engine, sheet, settings, order, judge, started_utc, clock.now_utc(), json_file)
    interrupted = sheet.ended == "interrupted"
    if not sheet.verdicts and not interrupted:
        why = "; ".join(f"{n} x {reason}" for reason, n in sorted(sheet.dropped.items()))
        raise NothingToLearn(f"the prompts: not one pair could be judged ({why}). Correct that, or give other prompts")
    return not interrupted


def _sampled(engine: Engine, now_utc: datetime, model: str, catalogue: Catalogue) -> list[Prompt]:
    forget(engine, expired_utc=now_utc)
    prompts = kept_prompts(engine, now_utc, model=model, catalogue_version=catalogue.version)
    if not prompts:
        raise NothingToLearn(
            f"the ledger's sample of the traffic: it holds no prompt of {model} that waits to be judged. Name a file "
            "of prompts, or let some be kept with the setting sample_share"
        )
    return prompts


def _keep(
    console: Console,
    engine: Engine,
    sheet: Sheet,
    settings: Settings,
    order: Order,
    judge: Judge,
    started_utc: datetime,
    ended_utc: datetime,
    json_file: Path | None,
) -> None:
    evaluation = sheet.evaluation(
        evaluation_id=uuid.uuid4().hex,
        started_utc=started_utc,
        ended_utc=ended_utc,
        reason=order.reason,
        judge=judge.name,
        pue=settings.pue,
    )
    if evaluation is None:
        return
    console.print(report(evaluation, sheet.scores, order.sampling), highlight=False)
    if json_file is not None:
        json_file.write_text(to_json(as_data(evaluation, sheet.scores, order.sampling)) + "\n", encoding="utf-8")
        console.print(f"Data:  {json_file}", highlight=False, soft_wrap=True)
    save_evaluation(engine, evaluation)
    console.print(f"Kept:  evaluation {evaluation.evaluation_id}, in the ledger", highlight=False)


@contextmanager
def _database(settings: Settings) -> Iterator[Engine]:
    engine = open_engine(settings.ledger_spec)
    try:
        yield engine
    except SQLAlchemyError as exc:
        raise as_startup_error(exc, engine.url) from exc
    finally:
        engine.dispose()


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[Step], None]]:
    """A bar over the prompts, which ends before its end where everything is known well enough."""
    columns = (BarColumn(), TextColumn("prompt {task.completed} of at most {task.total}  {task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def on_step(step: Step) -> None:
            said = f"{step.directive}; {step.verdicts_n} verdicts"
            bar.update(task, completed=step.number, total=step.most, description=said)

        yield on_step
