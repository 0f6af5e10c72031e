"""What others wrote, on a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.printable import label, printable


def test_words_stay_as_they_are() -> None:
    text = "Grüße, 東京!\n\tنعم [bold]x[/bold] می\u200cخواهم क्\u200dष 👩\u200d💻"
    assert printable(text) == text


@pytest.mark.parametrize("text", ["\x1b[2J", "\x07", "\x9b31m", "\x7f", "\x00", "a\rb"])
def test_control_characters_are_replaced(text: str) -> None:
    assert "\ufffd" in printable(text)


@pytest.mark.parametrize("code", [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_nothing_turns_the_direction_of_what_follows(code: int) -> None:
    assert printable(f"{chr(code)}gpj.exe 31 %") == "\ufffdgpj.exe 31 %"


@pytest.mark.parametrize("code", [0x00AD, 0x180E, 0x200B, 0x2028, 0x2029, 0x2060, 0xFEFF, 0xFFF9, 0xE0041])
def test_no_two_names_differ_in_what_nobody_sees(code: int) -> None:
    assert printable(f"br{chr(code)}ief") == "br\ufffdief"


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
