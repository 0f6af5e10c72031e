"""The whole calibration through the real middleware: the null engine, a tiny model, and the real one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import text

from directives import CatalogueError
from directives.profile import Profile
from sprout_like.calibrate.grid import DEFAULT, QUICK, Workload
from sprout_like.calibrate.runner import AwareRunner, LastRow, NotServed
from sprout_like.calibrate.schedule import Slot, Turn
from sprout_like.calibrate.show import Order, show
from sprout_like.calibrate.store import latest_profile
from sprout_like.clock import SystemClock
from sprout_like.errors import SettingError
from sprout_like.ledger import open_engine
from sprout_like.middleware import CarbonAware
from sprout_like.settings import Settings
from sprout_like.testing import FakeMeter, ManualClock, MemoryLedger, NullEngine

WORKLOADS = (
    Workload(task="question", prompts=("Why is the sky blue?", "What is a tide?"), limit_tokens=12),
    Workload(task="question", prompts=("Why is the sky blue?", "What is a tide?"), limit_tokens=12, batch_size=2),
)

LONGER = replace(WORKLOADS[0], limit_tokens=24)

CATALOGUE = """
[directive.capped]
budget = { max_new_tokens = 4 }
[directive.brief]
instruction = "Be brief."
"""


class Outcome:
    """What a run printed and left behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = folder / "ledger.sqlite"
        self.stream = io.StringIO()
        self.finished: bool | None = None

    @property
    def printed(self) -> str:
        return " ".join(self.stream.getvalue().split())

    @property
    def profile(self) -> Profile | None:
        engine = open_engine(str(self.ledger))
        try:
            return latest_profile(engine, interrupted=True)
        finally:
            engine.dispose()


Run = Callable[..., Outcome]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """On a busy machine, torch's threads wait for each other far longer than a tiny model computes."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(CATALOGUE)
    return Settings.load(
        grid="static:200",
        meter="cpu",
        catalogue=catalogue,
        ledger=str(tmp_path / "ledger.sqlite"),
        spool=tmp_path / "spool.sqlite",
    )


@pytest.fixture
def run_show(tmp_path: Path, settings: Settings, tiny_model: Any, tokenizer: Any, one_thread: None) -> Run:
    def run(model: Any = tiny_model, *, order: Order | None = None, meter: Any = None, **more: Any) -> Outcome:
        outcome, clock = Outcome(tmp_path), Ticking()
        outcome.finished = show(
            Console(file=outcome.stream, width=80, emoji=False),
            settings,
            order or Order(workloads=WORKLOADS, budget_s=1000.0, least_rounds=2),
            load_model=lambda: (model, tokenizer),
            gpu_names=lambda _: [],
            clock=clock,
            meter=meter or FakeMeter(clock=clock, watts=5.0),
            **more,
        )
        return outcome

    return run


class Interrupting:
    """A tiny model whose `generate` is interrupted, as by Ctrl-C, at the n-th call."""

    def __init__(self, model: Any, *, at: int) -> None:
        self._model = model
        self._left = at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(self, *args: Any, **kwargs: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return self._model.generate(*args, **kwargs)


class Ticking(ManualClock):
    """A clock that moves on whenever it is looked at, so that calls cost alike and no budget is waited for."""

    def monotonic_s(self) -> float:
        self.advance(0.05)
        return super().monotonic_s()


def test_it_measures_shows_and_keeps(run_show: Run, tmp_path: Path) -> None:
    outcome = run_show(json_file=tmp_path / "data.json", plot_file=tmp_path / "plot.png")
    profile = outcome.profile

    assert outcome.finished
    assert profile is not None
    assert set(profile.directives) == {"full", "capped", "brief"}
    assert len(profile.bins) == 2
    assert (profile.measure, profile.meter, profile.ended) == ("energy", "fake", "tight")
    assert profile.energy_method == "measured"
    assert all(cell.n >= 2 for cell in profile.cells)
    assert next(c for c in profile.cells if c.directive == "capped").new_tokens.mean <= 4  # type: ignore[union-attr]
    assert "Findings" in outcome.printed
    assert json.loads((tmp_path / "data.json").read_text())["profile_id"] == profile.profile_id
    assert (tmp_path / "plot.png").stat().st_size > 10_000


def test_its_calls_are_rows_of_their_own_purpose(run_show: Run) -> None:
    outcome = run_show()
    engine = open_engine(str(outcome.ledger))
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT purpose, task, policy, finish_reason FROM requests")).all()
    engine.dispose()

    assert {(row.purpose, row.task, row.policy) for row in rows} == {("calibration", "question", "fixed")}


def test_what_was_measured_before_ctrl_c_is_shown_and_kept(run_show: Run, tiny_model: Any) -> None:
    outcome = run_show(Interrupting(tiny_model, at=14))

    assert outcome.finished is False
    assert outcome.profile is not None
    assert outcome.profile.ended == "interrupted"
    assert "Interrupted after" in outcome.printed


def test_ctrl_c_while_warming_up_keeps_nothing(run_show: Run, tiny_model: Any) -> None:
    outcome = run_show(Interrupting(tiny_model, at=1))

    assert outcome.finished is False
    assert outcome.profile is None


def test_a_budget_for_nothing_is_an_error(run_show: Run) -> None:
    with pytest.raises(SettingError, match="--budget: 6 s were not enough"):
        run_show(order=Order(workloads=WORKLOADS, budget_s=6.0))


def test_an_unknown_directive_is_an_error_before_the_model_is_loaded(settings: Settings) -> None:
    with pytest.raises(CatalogueError, match="capped"):
        show(
            Console(file=io.StringIO()),
            settings,
            Order(directives=("caped",), workloads=WORKLOADS, budget_s=60.0),
            load_model=lambda: pytest.fail("loaded"),
            gpu_names=lambda _: [],
            clock=SystemClock(),
        )


def test_chosen_directives_are_measured_beside_full(run_show: Run) -> None:
    outcome = run_show(order=Order(directives=("capped",), workloads=WORKLOADS, budget_s=1000.0, least_rounds=2))

    assert outcome.profile is not None
    assert set(outcome.profile.directives) == {"full", "capped"}


def test_a_model_without_a_chat_template_is_asked_in_plain_text(
    settings: Settings, tiny_model: Any, retemplated: Callable[[str | None], Any], one_thread: None
) -> None:
    ledger, plain = LastRow(MemoryLedger()), retemplated(None)
    assert settings.catalogue is not None
    settings.catalogue.write_text("[directive.capped]\nbudget = { max_new_tokens = 4 }\n")
    with CarbonAware(tiny_model, plain, policy="full", settings=settings, ledger=ledger) as aware:
        runner = AwareRunner(aware, ledger, plain, device=tiny_model.device)
        refused = runner.refusals(WORKLOADS[0])
        sample = runner.run(Turn(Slot(0, "capped"), 1), WORKLOADS[0], 12)

    assert refused == {}
    assert (sample.prompts, sample.record.call, sample.record.new_tokens) == ((1,), "generate", 4)


def test_the_caller_s_tokenizer_is_left_as_it_was(
    settings: Settings, tiny_model: Any, tokenizer: Any, one_thread: None
) -> None:
    before = (tokenizer.padding_side, tokenizer.pad_token)
    ledger = LastRow(MemoryLedger())
    with CarbonAware(tiny_model, tokenizer, policy="full", settings=settings, ledger=ledger) as aware:
        sample = AwareRunner(aware, ledger, tokenizer, device="cpu").run(Turn(Slot(1, "full"), 0), WORKLOADS[1], 12)

    assert (tokenizer.padding_side, tokenizer.pad_token) == before
    assert (sample.rows, len(sample.answers)) == (2, 2)


class BareTokenizer:
    """All that a runner asks of the tokenizer of a model that chats."""

    padding_side = "right"
    pad_token = "<pad>"
    chat_template = "{{ messages }}"


class Refusing(NullEngine):
    """An engine that cannot load what `capped` needs."""

    def ready(self, directive: Any) -> Any:
        return None if directive.name == "capped" else ()

    def make_ready(self, directive: Any, overhead: Any) -> Any:
        raise MemoryError


@pytest.fixture
def make_runner(settings: Settings) -> Iterator[Callable[..., AwareRunner]]:
    opened: list[CarbonAware] = []

    def make(engine: NullEngine, meter: FakeMeter) -> AwareRunner:
        ledger = LastRow(MemoryLedger())
        aware = CarbonAware(
            None, None, engine=engine, policy="full", settings=settings, ledger=ledger, meter=meter, clock=meter.clock
        )
        opened.append(aware)
        return AwareRunner(aware, ledger, BareTokenizer(), device="cpu")

    yield make
    for aware in opened:
        aware.close()


def test_a_call_is_measured_by_the_meter_and_the_clock(make_runner: Callable[..., AwareRunner]) -> None:
    meter = FakeMeter(clock=ManualClock(), watts=5.0)
    runner = make_runner(NullEngine(new_tokens=6, on_run=lambda: meter.clock.advance(2.0)), meter)

    sample = runner.run(Turn(Slot(0, "capped"), 1), WORKLOADS[0], 12)

    assert (sample.energy_j, sample.time_s, sample.record.new_tokens) == (10.0, 2.0, 4)
    assert (sample.prompts, sample.answers, sample.record.purpose) == ((1,), ("0 1 2 3",), "calibration")


def test_a_meter_that_fails_leaves_the_energy_unknown(make_runner: Callable[..., AwareRunner]) -> None:
    meter = FakeMeter(clock=ManualClock(), watts=5.0)
    runner = make_runner(NullEngine(on_run=meter.fail), meter)

    assert runner.run(Turn(Slot(0, "full"), 0), WORKLOADS[0], 12).energy_j is None


def test_full_in_place_of_a_directive_is_no_measurement_of_it(make_runner: Callable[..., AwareRunner]) -> None:
    runner = make_runner(Refusing(), FakeMeter(clock=ManualClock()))

    with pytest.raises(NotServed, match="capped could not be applied: MemoryError"):
        runner.run(Turn(Slot(0, "capped"), 0), WORKLOADS[0], 12)


@pytest.mark.model
def test_the_prompts_of_a_workload_share_a_bin(smollm2: tuple[Any, Any], settings: Settings) -> None:
    from directives import Observation
    from directives.workload import bin_of

    _, tokenizer = smollm2
    for workload in (*DEFAULT, *QUICK):
        bins = set()
        for prompt in workload.prompts:
            ids = tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=True
            )["input_ids"]
            bins.add(bin_of(Observation(prompt_tokens=len(ids), batch_size=1)).prompt_tokens)
        assert len(bins) == 1, workload.name


@pytest.mark.model
def test_on_the_real_model_a_limit_saves_and_full_agrees_with_itself(smollm2: tuple[Any, Any], run_show: Run) -> None:
    order = Order(directives=("capped",), workloads=(LONGER,), budget_s=14.0, least_rounds=2)
    outcome = run_show(smollm2[0], order=order, meter="cpu")
    profile = outcome.profile

    assert profile is not None
    full, capped = profile.cells
    assert (full.exact_share, full.energy_ratio.mean) == (1.0, 1.0)  # type: ignore[union-attr]
    assert capped.energy_ratio.mean < 1  # type: ignore[union-attr]
    assert outcome.finished
