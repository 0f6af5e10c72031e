"""The soft ending, on scores made by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.knobs.soft_ending import SentenceEnds, SoftEnding

EOS, WORD, DOT, NEWLINE, DIGIT, COLON = range(6)
ENDS = SentenceEnds(
    stops=frozenset({DOT}), newlines=frozenset({NEWLINE}), digits=frozenset({DIGIT}), goes_on=frozenset({COLON})
)
PROMPT = 3


def soft(limit: int = 12, zone: int = 9) -> SoftEnding:
    return SoftEnding(prompt_length=PROMPT, limit_tokens=limit, soft_tokens=zone, end_ids=[EOS], sentence_ends=ENDS)


def row(new: int, *tail: int) -> torch.Tensor:
    return torch.tensor([[WORD] * (PROMPT + new - len(tail)) + list(tail)])


def scores() -> torch.Tensor:
    return torch.tensor([[-30.0, 9.0, 1.0, 0.0, 2.0, -1.0]])


def test_before_the_zone_scores_pass_through_untouched() -> None:
    given_scores = scores()
    assert soft()(row(3, DOT), given_scores) is given_scores


@pytest.mark.parametrize("new", [6, 9, 11])
def test_from_a_third_into_the_zone_a_sentence_end_is_the_end(new: int) -> None:
    assert soft()(row(new, DOT), scores()).argmax() == EOS


@pytest.mark.parametrize("new", [4, 5])
def test_in_the_first_third_the_preference_grows_but_does_not_decide(new: int) -> None:
    drawn = soft()(row(new, DOT), scores())[0]
    assert drawn.argmax() == WORD
    assert -30 < drawn[EOS] < 9


@pytest.mark.parametrize(
    ("tail", "ends"),
    [
        ((WORD, DOT), True),
        ((DIGIT, DOT), False),
        ((DOT, NEWLINE), True),
        ((COLON, NEWLINE), False),
        ((NEWLINE, NEWLINE), False),
        ((DOT, WORD), False),
    ],
)
def test_what_counts_as_a_sentence_end(tail: tuple[int, int], ends: bool) -> None:
    assert (int(soft()(row(11, *tail), scores()).argmax()) == EOS) is ends


def test_only_the_rows_that_stand_at_a_sentence_end_are_drawn() -> None:
    ids = torch.cat([row(11, DOT), row(11, WORD)])
    drawn = soft()(ids, torch.cat([scores(), scores()]))
    assert drawn.argmax(dim=-1).tolist() == [EOS, WORD]
    assert torch.equal(drawn[1], scores()[0])


def test_scores_are_not_changed_in_place() -> None:
    before = scores()
    soft()(row(11, DOT), before)
    assert torch.equal(before, scores())


def test_a_forbidden_end_stays_forbidden() -> None:
    forbidden = scores()
    forbidden[0, EOS] = float("-inf")
    drawn = soft()(row(11, DOT), forbidden)
    assert torch.equal(drawn, forbidden)


@given(order=st.permutations([4, 8, 11, 5, 9]))
def test_it_keeps_no_state(order: list[int]) -> None:
    processor = soft()
    drawn = {new: processor(row(new, DOT), scores()) for new in order}
    assert all(torch.equal(drawn[new], soft()(row(new, DOT), scores())) for new in order)


@pytest.mark.model
def test_a_real_vocabulary_knows_its_sentence_ends(tokenizer: Any) -> None:
    ends = SentenceEnds.of(tokenizer)

    def after(text: str) -> bool:
        ids = tokenizer.encode(text)
        return ends.ends(ids[-2], ids[-1])

    assert all(
        map(after, ["It rains.", "Does it?", "Yes!", 'He said "no."', "(It does.)", "One.\n", "Done.\n\n", "終わり。"])
    )
    assert not any(map(after, ["It rains", "about 3.", "1.", "such as:\n", "and,", "- item:\n", "word "]))
