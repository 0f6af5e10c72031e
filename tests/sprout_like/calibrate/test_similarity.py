"""How alike two answers are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.calibrate.similarity import is_same, similarity

texts = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=12).map(" ".join)


@pytest.mark.parametrize(
    ("answer", "reference", "alike"),
    [
        ("The sky is blue.", "the SKY is blue.", 1.0),
        ("police kill the gunman", "police killed the gunman", 0.75),  # Lin 2004, section 3.1
        ("the gunman kill police", "police killed the gunman", 0.5),  # likewise: order counts
        ("one two", "one two three four", 2 * 2 / 6),
        ("", "", 1.0),
        ("", "one", 0.0),
        ("one", "two", 0.0),
    ],
)
def test_known_values(answer: str, reference: str, alike: float) -> None:
    assert similarity(answer, reference) == pytest.approx(alike)


@given(texts, texts)
def test_it_is_a_share_the_same_both_ways_and_one_only_for_equal_words(one: str, other: str) -> None:
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, other) == similarity(other, one)
    assert (similarity(one, other) == 1) == (one.split() == other.split())


def test_the_same_means_letter_by_letter() -> None:
    assert is_same(" blue\n", "blue")
    assert not is_same("Blue", "blue")
