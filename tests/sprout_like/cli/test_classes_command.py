"""`sprout-like classes`: from a file or a ledger to a classifier, and what it says of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.migrate import ensure_schema
from sprout_like.ledger.open import ledger_address
from sprout_like.ledger.schema import PromptRow

Command = Callable[..., Any]
Labelled = Sequence[tuple[str, str | None]]

_WORDS = {"songs": "singer album band guitar melody chorus tour", "other": "hello thanks bye ok sorry cheers nice"}
_RNG = Random(1)
LABELLED: Labelled = [
    (" ".join(_RNG.choices(words.split(), k=7)), label) for label, words in _WORDS.items() for _ in range(40)
]


def lines(pairs: Labelled) -> list[str]:
    return [json.dumps({"prompt": text} | ({"task": task} if task else {})) for text, task in pairs]


@pytest.fixture
def prompts(place: Path) -> Path:
    file = place / "prompts.jsonl"
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "album tour"}]
    more = json.dumps({"messages": messages, "task": "songs"})
    file.write_text("\n".join([*lines([*LABELLED, ("no task here", None)]), more]), "utf-8")
    return file


def test_from_a_file_to_a_class(sprout_like: Command, prompts: Path) -> None:
    done = sprout_like("classes", "train", prompts, "--out", "mine.json")
    assert (done.code, done.err) == (0, "")
    assert "100.0% of 81 held-out texts" in done.out
    assert "classes = 'mine.json'" in done.out
    assert sprout_like("classes", "show", "mine.json").out.strip() in done.out
    assert sprout_like("classes", "try", "mine.json", "--text", "the singer sang").out.startswith("task: songs\n")
    assert sprout_like("classes", "try", "mine.json", "--text", "ok thanks").out.startswith("task: none")


def test_for_machines(sprout_like: Command, prompts: Path) -> None:
    data = json.loads(sprout_like("classes", "train", prompts, "--json").out)
    assert data["labels"] == ["other", "songs"]
    assert (data["held_out"]["n"], data["held_out"]["accuracy"]) == (81, 1.0)
    assert data["held_out"]["confusion"] == [[40, 0], [0, 41]]
    assert json.loads(sprout_like("classes", "show", "classes.json", "--json").out) == data
    tried = json.loads(sprout_like("classes", "try", "classes.json", "--text", "hello", "--json").out)
    assert tried["task"] is None
    assert tried["probabilities"]["other"] > tried["probabilities"]["songs"]


def test_what_is_taken_for_something_else_is_named(sprout_like: Command, place: Path) -> None:
    odd = [(f"{text} indeed", "other") for text, task in LABELLED if task == "songs"][:4]
    (place / "p.jsonl").write_text("\n".join(lines([*LABELLED, *odd])), "utf-8")
    assert "songs 4" in sprout_like("classes", "train", "p.jsonl").out


@pytest.fixture
def ledger(place: Path) -> Iterator[Engine]:
    engine = build_engine(ledger_address(str(place / "ledger.sqlite")))
    ensure_schema(engine)
    yield engine
    engine.dispose()


def keep(engine: Engine, labelled: Labelled) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with Session(engine) as session:
        session.add_all(
            PromptRow(
                prompt_id=f"{n:032x}",
                request_id=f"{n:032x}",
                taken_utc=now,
                expires_utc=now + timedelta(days=7),
                model="m",
                catalogue_version="c",
                task=task,
                directive="full",
                messages=[{"role": "user", "content": text}],
                template={},
                arguments={},
                answer="",
            )
            for n, (text, task) in enumerate(labelled)
        )
        session.commit()


def test_from_the_prompts_that_a_ledger_keeps(sprout_like: Command, ledger: Engine) -> None:
    keep(ledger, [*LABELLED, ("untagged", None)])
    done = sprout_like("classes", "train", "--from-ledger", "--ledger", "ledger.sqlite")
    assert done.code == 0
    assert "100.0% of 80 held-out texts" in done.out


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ([("a", None)], "none of its prompts has a task"),
        ([(f"a {n}", "x") for n in range(30)], "30 texts have 1"),
        ([(f"{task} {'a' * n}", task) for n in range(3) for task in "xy"], "'x' has 3, 'y' has 3"),
    ],
)
def test_a_file_with_too_little(sprout_like: Command, place: Path, pairs: Labelled, says: str) -> None:
    (place / "p.jsonl").write_text("\n".join(lines(pairs)), "utf-8")
    done = sprout_like("classes", "train", "p.jsonl")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: p.jsonl: ")
    assert says in done.err
    assert not (place / "classes.json").exists()


def test_a_ledger_with_too_little(sprout_like: Command, ledger: Engine) -> None:
    arguments = ("classes", "train", "--from-ledger", "--ledger", "ledger.sqlite")
    assert "keeps no prompt that has a task. Set sample_share above 0" in sprout_like(*arguments).err
    keep(ledger, [("a", "x"), ("b", "y")])
    done = sprout_like(*arguments)
    assert done.code == 2
    assert done.err.startswith("error: the ledger: too few different texts")


@pytest.mark.parametrize("arguments", [["train"], ["train", "p.jsonl", "--from-ledger"]])
def test_one_place_to_learn_from(sprout_like: Command, arguments: list[str]) -> None:
    done = sprout_like("classes", *arguments)
    assert done.code == 2
    assert "Give one of the two" in done.err


def test_labels_cannot_control_the_terminal(sprout_like: Command, prompts: Path, place: Path) -> None:
    sprout_like("classes", "train", prompts)
    file = place / "classes.json"
    document = json.loads(file.read_text("utf-8"))
    document["labels"] = ["\x1b[31mother", "\x9bsongs[bold]"]
    file.write_text(json.dumps(document), "utf-8")
    for arguments in (("show", file), ("try", file, "--text", "the singer sang")):
        done = sprout_like("classes", *arguments)
        assert done.code == 0
        assert "songs[bold]" in done.out
        assert not {"\x1b", "\x9b"} & set(done.out)
