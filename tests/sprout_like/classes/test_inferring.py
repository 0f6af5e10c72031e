"""The task of requests without a tag: in the row and before the policy, from messages and from tokens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from directives import Decision, Observation, Uniform
from directives.classes import Classes
from sprout_like import CarbonAware, SettingError, Settings
from sprout_like.classes.asked import asked
from sprout_like.classes.inferring import Inference
from sprout_like.engines.engine import Call
from sprout_like.testing import MemoryLedger, NullEngine

SUMS = "apples dollars total half twice"
SONGS = "singer album guitar chorus lyrics"


class SeenTasks:
    """Serves `full` and keeps the tasks that it was shown."""

    name = "seen"
    version = "seen:1"

    def __init__(self) -> None:
        self.tasks: list[str | None] = []

    def choose(self, observation: Observation, candidates: Sequence[str], rng: Uniform) -> Decision:
        self.tasks.append(observation.task)
        return Decision(directive="full", propensity=1.0, reason="always")


class Bench:
    """A `CarbonAware` with classes, its ledger in memory."""

    def __init__(self, file: Path | None, model: Any = None, tokenizer: Any = None, **parts: Any) -> None:
        self.ledger = MemoryLedger()
        self.policy = SeenTasks()
        self.aware = CarbonAware(
            model,
            tokenizer,
            grid=100.0,
            meter="none",
            policy=self.policy,
            ledger=self.ledger,
            settings=Settings.load(classes=file),
            **parts,
        )

    @property
    def told(self) -> list[tuple[str | None, str | None]]:
        """Tag and inferred task of every row."""
        return [(row.task, row.inferred_task) for row in self.ledger.requests]


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(file: Path | None, **parts: Any) -> Bench:
        made.append(Bench(file, **(parts or {"engine": NullEngine()})))
        return made[-1]

    yield make
    for each in made:
        each.aware.close()


def test_the_policy_and_the_row_are_told_what_a_request_was_taken_for(
    bench: Callable[..., Bench], classes_file: Path
) -> None:
    b = bench(classes_file)
    b.aware.chat(SUMS)
    b.aware.chat([{"role": "user", "content": SUMS}, {"role": "assistant", "content": SUMS}, *user(SONGS)])
    b.aware.chat("thanks bye morning")
    assert b.policy.tasks == ["sums", "songs", None]
    assert b.told == [(None, "sums"), (None, "songs"), (None, None)]


def test_a_tag_is_never_second_guessed(bench: Callable[..., Bench], classes_file: Path) -> None:
    b = bench(classes_file)
    b.aware.chat(SUMS, task="poems")
    b.aware.using(task="").chat(SUMS)
    assert b.told == [("poems", None), ("", None)]
    assert b.policy.tasks[0] == "poems"


def test_without_classes_nothing_is_inferred(bench: Callable[..., Bench]) -> None:
    b = bench(None)
    b.aware.chat(SUMS)
    assert (b.policy.tasks, b.told) == ([None], [(None, None)])


@pytest.mark.parametrize("content", [5, [5], [{"text": {}}], {"a": 1}])
def test_a_conversation_that_cannot_be_read_costs_the_class_alone(
    bench: Callable[..., Bench], classes_file: Path, content: Any, caplog: pytest.LogCaptureFixture
) -> None:
    b = bench(classes_file)
    messages = [{"role": "user", "content": content}]
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert b.aware.chat(messages).text
    assert b.told == [(None, None)] * 2
    assert sum("inferred" in message for message in caplog.messages) <= 1


def test_a_failure_is_said_once_without_the_text(
    bench: Callable[..., Bench], classes_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    b = bench(classes_file)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            b.aware.chat([{"role": "user", "content": ["secret words"]}])
    said = [message for message in caplog.messages if "words" in message or "infer" in message]
    assert said == ["the task of a request could not be inferred (AttributeError); it has none"]


def test_tokens_are_classified_by_their_text(
    bench: Callable[..., Bench], classes_file: Path, tiny_model: Any, tokenizer: Any
) -> None:
    b = bench(classes_file, model=tiny_model, tokenizer=tokenizer)
    for text in (SUMS, SONGS):
        b.aware.generate(**tokenizer(text, return_tensors="pt"), max_new_tokens=1)
    for texts in ([SUMS, SUMS + " and left"], [SUMS, SONGS]):
        batch = tokenizer(texts, return_tensors="pt", padding=True, padding_side="left")
        b.aware.generate(**batch, max_new_tokens=1)
    assert [inferred for _, inferred in b.told] == ["sums", "songs", "sums", None]


CHAT = [
    {"role": "system", "content": SONGS},
    {"role": "user", "content": SONGS},
    {"role": "assistant", "content": SONGS},
    {"role": "user", "content": SUMS},
]


@pytest.mark.parametrize("messages", [CHAT[3:], CHAT[1:], CHAT], ids=["default system", "turns", "own system"])
@pytest.mark.parametrize("more", [True, False])
def test_of_a_rendered_conversation_the_last_question_counts(
    tokenizer: Any, learnt: Classes, messages: list[dict[str, str]], more: bool
) -> None:
    row = tokenizer.apply_chat_template(messages, add_generation_prompt=more, return_dict=False)
    assert Inference(learnt)(Call(host=HostOf(tokenizer), rows=[row])) == "sums"


def test_of_a_long_question_both_ends_count_and_without_its_beginning_there_is_no_class(
    tokenizer: Any, learnt: Classes
) -> None:
    infer = Inference(learnt)
    question = SONGS + " 1" * 2000 + SONGS
    row = tokenizer.apply_chat_template(user(question), add_generation_prompt=True, return_dict=False)
    assert infer(Call(host=HostOf(tokenizer), rows=[row])) == "songs"
    long_system = [{"role": "system", "content": SUMS * 500}, *user(question)]
    row = tokenizer.apply_chat_template(long_system, add_generation_prompt=True, return_dict=False)
    assert infer(Call(host=HostOf(tokenizer), rows=[row])) is None


def test_a_template_that_fails_is_tried_once_and_tokens_are_plain_text_from_then_on(
    bench: Callable[..., Bench], classes_file: Path, tiny_model: Any, tokenizer: Any, retemplated: Callable[..., Any]
) -> None:
    b = bench(classes_file, model=tiny_model, tokenizer=retemplated("{{ raise_exception('no') }}"))
    for _ in range(2):
        b.aware.generate(**tokenizer(SUMS, return_tensors="pt"), max_new_tokens=1)
    assert b.told == [(None, None), (None, "sums")]


def test_without_a_tokenizer_tokens_have_no_class(
    bench: Callable[..., Bench], classes_file: Path, tiny_model: Any, tokenizer: Any
) -> None:
    b = bench(classes_file, model=tiny_model)
    b.aware.generate(**tokenizer(SUMS, return_tensors="pt"), max_new_tokens=1)
    assert b.told == [(None, None)]


class CountingTokenizer:
    """Token 0 is of songs, any other of sums; counts what it decodes."""

    def __init__(self) -> None:
        self.decoded = 0

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool) -> str:
        self.decoded += len(ids)
        return SUMS if any(ids) else SONGS


class HostOf:
    variant = config = generation_config = None
    is_quantized = False

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def model(self) -> Any:
        raise AssertionError("no model is needed")


@pytest.mark.parametrize("shape", [(1, 200), (1, 1_000_000), (64, 300), (3, 10), (10_000, 1000)])
def test_however_long_a_prompt_is_little_of_it_is_decoded(learnt: Classes, shape: tuple[int, int]) -> None:
    tokenizer = CountingTokenizer()
    rows, length = shape
    call = Call(host=HostOf(tokenizer), rows=[range(1, 1 + length)] * rows)
    assert Inference(learnt)(call) == "sums"
    assert 0 < tokenizer.decoded <= 384


@pytest.mark.parametrize("rows", [1, 2, 4, 5, 8, 64, 1001])
def test_rows_of_all_parts_of_a_batch_have_a_say(learnt: Classes, rows: int) -> None:
    sums, songs = [1] * 5, [0] * 5
    infer = Inference(learnt)

    def of(given: list[list[int]]) -> str | None:
        return infer(Call(host=HostOf(CountingTokenizer()), rows=given))

    assert of([songs] * rows) == "songs"
    assert of([sums] * (rows // 2) + [songs] * (rows - rows // 2)) == ("songs" if rows == 1 else None)


def test_what_is_no_prompt_of_words_has_no_class(learnt: Classes) -> None:
    infer = Inference(learnt)
    assert infer(Call()) is None
    assert infer(Call(messages=[])) is None
    assert infer(Call(messages=[{"role": "system", "content": SUMS}])) is None
    assert infer(Call(host=HostOf(CountingTokenizer()), rows=[])) is None


def test_of_a_message_in_parts_the_texts_count() -> None:
    image = {"type": "image", "url": "x.png"}
    assert (
        asked(user([{"type": "text", "text": "What is"}, image, {"type": "text", "text": "this?"}])) == "What is this?"
    )
    assert asked(user([image])) is None
    assert len(asked(user([{"type": "text", "text": "x" * 10_000_000}] * 1000)) or "") < 1000


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "No such file"), (b"\xff\xfe", "no UTF-8"), (b"{}", "no classifier"), (b"", "no class")],
)
def test_a_file_that_cannot_be_used_is_said_at_construction(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "mine.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingError, match=f"classes: .*mine.json.*{says}.*classes train"):
        Bench(file, engine=NullEngine())


def user(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]
