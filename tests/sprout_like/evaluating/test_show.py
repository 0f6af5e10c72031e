"""The whole command on a tiny model: rows, verdicts, table, file, and what stays after an interruption."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import Engine, select

from directives.evaluation import Sampling
from grid import Grid
from grid.testing import ScriptedSource
from sprout_like import CarbonAware, Settings
from sprout_like.errors import JudgeError, NothingToLearn, SettingError
from sprout_like.evaluating.kept import count_kept
from sprout_like.evaluating.prompts_file import read_prompts
from sprout_like.evaluating.show import Order, show
from sprout_like.judges.testing import ScriptedJudge
from sprout_like.ledger.schema import EvaluationRow, RequestRow, VerdictRow
from sprout_like.policies import open_catalogue
from sprout_like.testing import FakeMeter, ManualClock

LINES = [{"prompt": "Why is the sky blue?", "task": "question"}, {"prompt": "6 x 7?", "reference": "42"}]


class Command:
    """Runs `show` on a tiny model, a manual clock and a ledger of its own."""

    def __init__(self, spec: str, folder: Path, model: Any, tokenizer: Any) -> None:
        self.file = folder / "prompts.jsonl"
        self.file.write_text("\n".join(map(json.dumps, LINES)))
        self.json_file = folder / "out.json"
        self.settings = Settings.load(ledger=spec, spool=folder / "spool.sqlite")
        self.clock = ManualClock()
        self.meter = FakeMeter(clock=self.clock, watts=10.0)
        self._model = (model, tokenizer)
        self._out = io.StringIO()

    @property
    def out(self) -> str:
        return self._out.getvalue()

    def run(self, judge: Any = None, **order: Any) -> bool:
        wanted = {"prompts": read_prompts(self.file, limit_tokens=4), "directives": ("brief",), "seed": 1, **order}
        return show(
            Console(file=self._out, width=80),
            self.settings,
            Order(sampling=Sampling(), **wanted),
            catalogue=open_catalogue(self.settings),
            judge=judge or ScriptedJudge(lambda case: (0.25, 0.75)),
            grid=Grid(ScriptedSource(200.0), "GB", now_utc=self.clock.now_utc),
            load_model=lambda: self._model,
            clock=self.clock,
            meter=self.meter,
            json_file=self.json_file,
        )

    def serve(self, text: str) -> None:
        """Some traffic, all of it sampled."""
        with CarbonAware(
            *self._model,
            grid=200.0,
            meter=self.meter,
            clock=self.clock,
            policy="brief",
            settings=self.settings.replaced(sample_share=1.0),
        ) as aware:
            aware.chat(text, task="question", max_new_tokens=4)


@pytest.fixture
def command(spec: str, tmp_path: Path, tiny_model: Any, tokenizer: Any) -> Command:
    return Command(spec, tmp_path, tiny_model, tokenizer)


def test_prompts_of_a_file_are_judged_and_kept(command: Command, engine: Engine) -> None:
    assert command.run()

    with engine.connect() as connection:
        (kept,) = connection.execute(select(EvaluationRow.__table__)).all()
        verdicts = connection.execute(select(VerdictRow.__table__)).all()
        rows = connection.execute(select(RequestRow.__table__)).all()
    assert (kept.reason, kept.ended, kept.judge, kept.prompts_n, kept.verdicts_n) == (
        "asked for",
        "prompts",
        "scripted",
        2,
        2,
    )
    assert {(v.directive, v.score, v.full_score, v.request_id) for v in verdicts} == {("brief", 0.25, 0.75, None)}
    assert {verdict.bin_task for verdict in verdicts} == {"question", ""}
    assert {verdict.bin_limit_tokens for verdict in verdicts} == {"1-32"}
    assert {row.purpose for row in rows} == {"evaluation"}
    assert sorted(row.directive for row in rows) == ["brief", "brief", "full", "full"]

    data = json.loads(command.json_file.read_text())
    assert [(each["directive"], each["n"]) for each in data["quality"]] == [("brief", 1), ("brief", 1)]
    assert "sky" not in command.out + command.json_file.read_text()
    assert "33.3" in command.out  # % of full
    assert "Kept:  evaluation" in command.out


def test_the_sample_of_the_traffic_is_judged_once(command: Command, engine: Engine) -> None:
    command.settings = command.settings.replaced(sample_keep_days=3650.0)
    command.serve("Why is the sky blue?")
    assert command.run(prompts=None)

    with engine.connect() as connection:
        (verdict,) = connection.execute(select(VerdictRow.__table__)).all()
        served = connection.scalar(select(RequestRow.request_id).where(RequestRow.purpose == "request"))
        generated = connection.scalars(select(RequestRow.directive).where(RequestRow.purpose == "evaluation")).all()
    assert verdict.request_id == served
    assert generated == ["full"]
    assert [count.judged_n for count in count_kept(engine)] == [1]
    with pytest.raises(NothingToLearn, match=r"no prompt of .* that waits to be judged\. Name a file"):
        command.run(prompts=None)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), JudgeError("endpoint: the key is refused; set judge_key")])
def test_what_was_judged_before_it_ended_is_kept(command: Command, engine: Engine, error: Any) -> None:
    judge = ScriptedJudge(error=error, after=1)
    if isinstance(error, JudgeError):
        with pytest.raises(JudgeError):
            command.run(judge)
    else:
        assert not command.run(judge)

    with engine.connect() as connection:
        assert connection.scalars(select(VerdictRow.directive)).all() == ["brief"]
        assert connection.scalars(select(EvaluationRow.ended)).all() in (["interrupted"], ["failed"])
    assert command.json_file.exists()


def test_nothing_judged_is_an_error_that_says_why(command: Command, engine: Engine) -> None:
    with pytest.raises(NothingToLearn, match=r"not one pair could be judged \(2 x the judge: scripted: dropped\)"):
        command.run(ScriptedJudge(lambda case: None))

    with engine.connect() as connection:
        assert connection.scalars(select(EvaluationRow.dropped)).all() == [{"the judge: scripted: dropped": 2}]


def test_full_alone_is_nothing_to_judge(command: Command) -> None:
    with pytest.raises(SettingError, match="nothing is left to judge"):
        command.run(directives=("full",))


def test_by_default_all_that_may_be_worse_is_judged(command: Command, engine: Engine) -> None:
    command.run(directives=())

    catalogue = open_catalogue(command.settings)
    with engine.connect() as connection:
        judged = set(connection.scalars(select(VerdictRow.directive)))
    assert judged
    assert all(catalogue[name].needs_judging for name in judged)


def test_a_model_without_a_chat_template_cannot_be_judged(
    command: Command, retemplated: Callable[[str | None], Any]
) -> None:
    command._model = (command._model[0], retemplated(None))
    with pytest.raises(SettingError, match="chat template"):
        command.run()


def test_a_task_cannot_control_the_terminal_nor_fill_it(command: Command) -> None:
    lines = [{"prompt": "Why?", "task": "[/x]\x1b[2J\x9b31m" + "x" * 3000}]
    command.file.write_text("\n".join(map(json.dumps, lines)))
    assert command.run()
    assert not {"\x1b", "\x9b"} & set(command.out)
    assert len(command.out.splitlines()) < 30


def test_without_a_verdict_there_is_no_table(command: Command) -> None:
    with pytest.raises(NothingToLearn):
        command.run(ScriptedJudge(lambda case: None))
    assert "directive" not in command.out
    assert "% of full" not in command.out
