"""What others wrote, on a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.printable import label, printable


def test_words_stay_as_they_are() -> None:
    text = "Grüße, 東京!\n\tنعم [bold]x[/bold]"
    assert printable(text) == text


@pytest.mark.parametrize("text", ["\x1b[2J", "\x07", "\x9b31m", "\x7f", "\x00", "a\rb"])
def test_control_characters_are_replaced(text: str) -> None:
    assert "\ufffd" in printable(text)


@given(text=st.text())
def test_nothing_that_controls_a_terminal_is_left(text: str) -> None:
    assert {each for each in printable(text) if unicodedata.category(each) == "Cc"} <= {"\n", "\t"}


@given(text=st.text(max_size=200))
def test_a_label_is_short_and_on_one_line(text: str) -> None:
    assert len(label(text)) <= 40
    assert len(label(text).splitlines()) <= 1


def test_a_long_label_shows_that_it_goes_on() -> None:
    assert label("x" * 40) == "x" * 40
    assert label("x" * 3000) == "x" * 39 + "…"
