"""The calibration on a terminal: progress, the tables, and where the profile is kept."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from directives import FULL, Catalogue, Directive
from directives.profile import Profile
from sprout_like.calibrate.data import as_data
from sprout_like.calibrate.grid import Workload
from sprout_like.calibrate.machine import OtherWork, hardware, versions
from sprout_like.calibrate.plot import plot
from sprout_like.calibrate.render import report
from sprout_like.calibrate.run import Measurements, Step, calibrate
from sprout_like.calibrate.runner import AwareRunner, LastRow
from sprout_like.calibrate.sample import Sample, cells
from sprout_like.calibrate.store import keep_profile
from sprout_like.clock import Clock
from sprout_like.errors import SettingError
from sprout_like.ledger import open_ledger
from sprout_like.meters.meter import METHODS, EnergyMethod
from sprout_like.middleware import CarbonAware
from sprout_like.policies import open_catalogue
from sprout_like.reports.machine import to_json
from sprout_like.settings import Settings

__all__ = ["Order", "chosen_directives", "show"]

_RESERVE_S: Final = 5.0
"""Kept back from the budget for writing down what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be measured.

    Attributes:
        directives: names; empty for all of the catalogue.
        workloads: on what.
        budget_s: time for all of it, loading the model included, in s.
        least_rounds: rounds wanted at least, for which workloads are left out.
        seed: of the order of the calls.
    """

    directives: tuple[str, ...] = ()
    workloads: tuple[Workload, ...]
    budget_s: float
    least_rounds: int = 3
    seed: int = 1


def chosen_directives(catalogue: Catalogue, names: Sequence[str]) -> dict[str, Directive]:
    """The directives of these names, or all, and always `full`.

    Raises:
        directives.CatalogueError: there is none of a name.
    """
    chosen = [catalogue[name] for name in names] if names else list(catalogue)
    return {FULL.name: FULL, **{directive.name: directive for directive in chosen}}


def show(
    console: Console,
    settings: Settings,
    order: Order,
    *,
    load_model: Callable[[], tuple[Any, Any]],
    gpu_names: Callable[[Any], Sequence[str]],
    clock: Clock,
    meter: Any = None,
    json_file: Path | None = None,
    plot_file: Path | None = None,
) -> bool:
    """Measure, show, keep; False where it was interrupted.

    What was measured before an interruption is shown and kept all the same.

    Args:
        console: where progress and the outcome are printed.
        settings: catalogue, meter, ledger and the rest.
        order: what is to be measured.
        load_model: gives a model and its tokenizer.
        gpu_names: names of the GPUs that hold a model.
        clock: for the budget.
        meter: as in `CarbonAware`; None for the settings'.
        json_file: where the same data goes; None for nowhere.
        plot_file: where the plot goes; None for nowhere.

    Raises:
        SettingError: a directive is unknown, or nothing could be measured in the time.
        LedgerError: the profile could not be kept; it was shown and written to the files before.
    """
    created_utc, start_s = clock.now_utc(), clock.monotonic_s()
    settings = settings.replaced(sample_share=0.0)  # nobody's traffic
    catalogue = open_catalogue(settings)
    directives = chosen_directives(catalogue, order.directives)
    found = Measurements()
    rows = LastRow(open_ledger(settings.ledger_spec, spool_path=settings.spool))
    with console.status("Loading the model …"):
        model, tokenizer = load_model()
    others = OtherWork()
    with (
        closing(rows),
        # Each view pins its directive; the settings' own policy need not suit this catalogue and serves nothing here.
        CarbonAware(
            model, tokenizer, policy=FULL.name, ledger=rows, settings=settings, meter=meter, clock=clock
        ) as aware,
        _progress(console, order.budget_s) as on_step,
        suppress(KeyboardInterrupt),
    ):
        calibrate(
            found,
            AwareRunner(aware, rows, tokenizer, device=model.device),
            directives,
            order.workloads,
            rng=Random(order.seed),
            now_s=clock.monotonic_s,
            deadline_s=start_s + order.budget_s - _RESERVE_S,
            least_rounds=order.least_rounds,
            on_step=on_step,
        )
    interrupted = found.ended == "interrupted"
    if not found.samples and not interrupted:
        raise SettingError("--budget", f"{order.budget_s:.0f} s were not enough for one measurement", "Give it more")
    if found.samples:
        record = found.samples[0].record
        share = others.share()
        disturbed = {} if share is None else {"other_cpu_share": round(share, 3)}
        profile = Profile(
            profile_id=uuid.uuid4().hex,
            created_utc=created_utc.isoformat(),
            model=record.model,
            family=record.family,
            hardware=hardware(gpu_names(model)),
            versions=versions(),
            meter=record.meter,
            energy_method=_weakest(found.samples),
            catalogue_version=catalogue.version,
            settings={"budget_s": order.budget_s, "least_rounds": order.least_rounds, "seed": order.seed, **disturbed},
            rounds=found.rounds,
            duration_s=clock.monotonic_s() - start_s,
            ended=found.ended,
            cells=cells(found.samples, directives),
            left_out=tuple(found.left_out),
        )
        _write(console, profile, json_file, plot_file)
        keep_profile(settings.ledger_spec, profile)
        console.print(f"Profile: {profile.profile_id}, in the ledger", highlight=False)
    if interrupted:
        console.print(f"Interrupted after {len(found.samples)} measured calls.", highlight=False)
    return not interrupted


def _write(console: Console, profile: Profile, json_file: Path | None, plot_file: Path | None) -> None:
    console.print(report(profile), highlight=False)
    if json_file is not None:
        json_file.write_text(to_json(as_data(profile)) + "\n", encoding="utf-8")
        console.print(f"Data:    {json_file}", highlight=False, soft_wrap=True)
    if plot_file is not None:
        plot(profile, plot_file)
        console.print(f"Plot:    {plot_file}", highlight=False, soft_wrap=True)


def _weakest(samples: Sequence[Sample]) -> EnergyMethod:
    """The weakest method among the calls, as a sum is worth its weakest part."""
    used = {sample.record.energy_method for sample in samples}
    return next(method for method in reversed(METHODS) if method in used)


@contextmanager
def _progress(console: Console, budget_s: float) -> Iterator[Callable[[Step], None]]:
    """A bar over the budget, which ends before its end where everything is known well enough."""
    columns = (BarColumn(), TextColumn("{task.fields[left]} left at most  {task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=budget_s, left="")

        def on_step(step: Step) -> None:
            left_s = max(0, round(step.left_s))
            stage = f"round {step.round_number}" if step.round_number else "warm-up"
            bar.update(
                task,
                completed=budget_s - left_s,
                left=f"{left_s // 60}:{left_s % 60:02d}",
                description=f"{stage}: {step.directive} on {step.workload}",
            )

        yield on_step
