"""The end of answers that loop: the detector against its definition, the criterion by rows, and on live calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LogitsProcessorList, StoppingCriteriaList

from directives import Confidence, Depth, Directive, EarlyExit, Repetition
from sprout_like.engines.engine import Generation
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.knobs.looping import LoopCriterion, Loops
from tests.sprout_like.knobs.calling import Window

PROMPT = torch.tensor([[9, 9, 9, 9], [1, 5, 9, 14]])
EOS, PAD = 2, 3
PAIRS = Repetition(times=3, longest=4, least=6)


def loops(row: Sequence[int], what: Repetition) -> bool:
    """The definition: some passage stands `times` times or more at the end, `least` tokens or more in all."""
    for length in range(1, what.longest + 1):
        times = max(what.times, ceil(what.least / length))
        if len(row) >= length * times and list(row[-length * times :]) == list(row[-length:]) * times:
            return True
    return False


@given(
    row=st.lists(st.integers(0, 2), max_size=40),
    passage=st.lists(st.integers(0, 2), min_size=1, max_size=6),
    again=st.integers(0, 8),
    what=st.builds(Repetition, times=st.integers(2, 4), longest=st.integers(1, 6), least=st.integers(2, 12)),
)
def test_a_loop_is_seen_at_every_token_where_it_is_one(
    row: list[int], passage: list[int], again: int, what: Repetition
) -> None:
    row = row + passage * again
    detector = Loops(what)
    assert [detector.add(token) for token in row] == [loops(row[: end + 1], what) for end in range(len(row))]


def ended(rows: Sequence[Sequence[int]], *, least_tokens: int = 0, step: int = 1) -> tuple[list[list[bool]], set[int]]:
    """What a criterion says of rows that grow, after a prompt that is itself a loop."""
    prompt = torch.tensor([[7] * 30] * len(rows))
    criterion = LoopCriterion(PAIRS, prompt_length=30, least_tokens=least_tokens, end_ids={EOS, PAD})
    said = []
    for width in range(step, len(rows[0]) + 1, step):
        ids = torch.cat([prompt, torch.tensor([row[:width] for row in rows])], dim=1)
        said.append(criterion(ids, None).tolist())
    return said, criterion.rows


@pytest.mark.parametrize("step", [1, 2], ids=["one by one", "several at a time"])
def test_each_row_ends_by_itself_and_stays_ended(step: int) -> None:
    said, rows = ended([[4, 5, 4, 5, 4, 5, PAD, PAD], [4, 5, 4, 5, 4, 6, 7, 8]], step=step)
    assert said[-1] == [True, False]
    assert rows == {0}
    if step == 1:
        assert [one for one, _ in said] == [False] * 5 + [True] * 3


def test_the_prompt_is_no_part_of_a_loop() -> None:
    assert ended([[7, 7, 7, 7, 7]])[1] == set()
    assert ended([[7, 7, 7, 7, 7, 7]])[1] == {0}


@pytest.mark.parametrize("end", [EOS, PAD])
def test_padding_behind_a_row_that_has_ended_is_no_loop(end: int) -> None:
    assert ended([[4, end, *[PAD] * 12]])[1] == set()


def test_a_row_is_not_ended_below_the_callers_minimum() -> None:
    said, _ = ended([[4] * 12], least_tokens=9)
    assert said == [[False]] * 8 + [[True]] * 4


class Says:
    """A processor by which the rows of an answer are these, whatever the model."""

    def __init__(self, *rows: Sequence[int]) -> None:
        self.rows = rows

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        place = input_ids.shape[1] - PROMPT.shape[1]
        said = torch.full_like(scores, -1e9)
        for row, tokens in enumerate(self.rows):
            said[row, tokens[place]] = 0
        return said


def exits(**forms: Any) -> Directive:
    return Directive(name="exits", early_exit=EarlyExit(**forms))


def answer(engine: HuggingFaceEngine, directive: Directive, *rows: Sequence[int], **kwargs: Any) -> Generation:
    given_ids = PROMPT[: len(rows)]
    call = engine.inspect(
        (),
        {
            "input_ids": given_ids,
            "attention_mask": torch.ones_like(given_ids),
            "max_new_tokens": len(rows[0]),
            "do_sample": False,
            "logits_processor": LogitsProcessorList([Says(*rows)]),
            **kwargs,
        },
    )
    assert engine.refusal(directive, call) is None
    return engine.run(engine.plan(directive, call), call, Window())


@pytest.fixture
def engine(make_tiny: Callable[..., Any]) -> HuggingFaceEngine:
    return HuggingFaceEngine(make_tiny("llama", vocab_size=200, eos_token_id=EOS, pad_token_id=PAD), None)


LOOP, PLAIN = [4, 5] * 6, list(range(20, 32))


@pytest.mark.model
@pytest.mark.parametrize(
    "other", [{}, {"depth": Depth(first=2)}, {"confidence": Confidence(layer=2, threshold=1.1)}], ids=str
)
def test_an_answer_that_loops_ends_and_says_why(engine: HuggingFaceEngine, other: dict[str, Any]) -> None:
    generation = answer(engine, exits(repetition=PAIRS, **other), LOOP)
    assert generation.answers == [[4, 5, 4, 5, 4, 5]]
    assert generation.finish_reason == "repetition"


@pytest.mark.model
def test_the_rows_of_a_batch_end_each_for_its_reason(engine: HuggingFaceEngine) -> None:
    generation = answer(engine, exits(repetition=PAIRS), LOOP, PLAIN)
    assert [list(row) for row in generation.answers or ()] == [LOOP[:6], PLAIN]
    assert generation.finish_reason == "length+repetition"
    assert generation.new_tokens == 6 + 12


@pytest.mark.model
def test_an_end_token_is_an_end_of_its_own(engine: HuggingFaceEngine) -> None:
    generation = answer(engine, exits(repetition=PAIRS), [4, 5, EOS, *[PAD] * 9], PLAIN)
    assert generation.finish_reason == "eos+length"


@pytest.mark.model
@pytest.mark.parametrize("minimum", [{"min_new_tokens": 9}, {"min_length": PROMPT.shape[1] + 9}], ids=str)
def test_the_callers_minimum_wins(engine: HuggingFaceEngine, minimum: dict[str, int]) -> None:
    assert answer(engine, exits(repetition=PAIRS), LOOP, **minimum).new_tokens == 9


@pytest.mark.model
def test_the_callers_criteria_are_kept_and_their_list_is_not_added_to(engine: HuggingFaceEngine) -> None:
    class AfterTwo:
        def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
            return torch.full((input_ids.shape[0],), input_ids.shape[1] >= PROMPT.shape[1] + 2)

    criteria = StoppingCriteriaList([AfterTwo()])
    generation = answer(engine, exits(repetition=PAIRS), LOOP, stopping_criteria=criteria)
    assert generation.new_tokens == 2
    assert generation.finish_reason == "stop"
    assert len(criteria) == 1


@pytest.mark.model
def test_the_padding_of_a_row_that_the_caller_ended_is_no_loop(engine: HuggingFaceEngine) -> None:
    class FirstRowAfterTwo:
        def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
            return torch.tensor([input_ids.shape[1] >= PROMPT.shape[1] + 2, False])

    criteria = StoppingCriteriaList([FirstRowAfterTwo()])
    generation = answer(engine, exits(repetition=PAIRS), LOOP, PLAIN, stopping_criteria=criteria)
    assert generation.finish_reason == "length+stop"


@pytest.mark.model
def test_a_batch_without_an_end_token_is_refused(engine: HuggingFaceEngine) -> None:
    def refusal(**kwargs: Any) -> str | None:
        return engine.refusal(exits(repetition=PAIRS), engine.inspect((), {"max_new_tokens": 4, **kwargs}))

    assert "no end token" in str(refusal(input_ids=PROMPT, eos_token_id=None))
    assert "no end token" in str(
        refusal(input_ids=PROMPT[:1], eos_token_id=None, num_return_sequences=2, do_sample=True)
    )
    assert refusal(input_ids=PROMPT[:1], eos_token_id=None) is None
    assert refusal(input_ids=PROMPT) is None
    assert "num_beams" in str(refusal(input_ids=PROMPT, num_beams=2))
