"""Comparison with the right answer."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.judges.judge import Case
from sprout_like.judges.numbers import last_number
from sprout_like.judges.references import ReferenceJudge, contains, exact, numeric

NUMBERS = {
    "The answer is 42.": 42,
    "#### 72": 72,
    "first 3, then 4": 4,
    "-3": -3,
    "x = −7": -7,
    "10-20": 20,
    "5 - 3 = 2": 2,
    "$1,234,567.50.": 1234567.5,
    "1'000": 1000,
    "12,34": 34,
    "10,000.": 10000,
    ".5": 0.5,
    "3/4": 0.75,
    r"so -\frac{1}{2}": -0.5,
    "1.5e3": 1500,
    "1.5e-3": 0.0015,
    "1.5 × 10^3": 1500,
    r"6.02\times 10^{23}": 6.02e23,
    r"\boxed{12}, not 13": 12,
    r"\boxed{3}, so \boxed{\frac{1}{4}} and 9": 0.25,
    r"1{,}000": 1000,
    "5m": 5,
    "The area is 42 cm^2.": 42,
    r"\boxed{42\text{ cm}^2}": 42,
    r"42 \mathrm{cm}^{2}": 42,
    "42 m/s^2": 42,
    "42 m s^-1": 42,
    "42 m s-1": 42,
    r"9.8 m s^{-2}": 9.8,
    "9.8 m/s²": 9.8,
    "10^3": 1000,
    "10^{6}": 1e6,
    "2**10": 1024,
    "**18**": 18,
    "10³": 1000,
    "10⁻²": 0.01,
    r"90^\circ": 90,
    r"90^{\circ}": 90,
    "5^{th}": 5,
    "2 1/2": 2.5,
    "-2 1/2 cups": -2.5,
    r"2\frac{1}{2}": 2.5,
    "2½": 2.5,
    "½": 0.5,
    r"\frac34": 0.75,
    r"\dfrac3{4}": 0.75,
    "1 000 000": 1e6,
    "2020 300": 300,
    r"5 = x_{1}": 5,
    "x^2 + 3": 3,
}


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_the_last_number(text: str, value: float) -> None:
    found = last_number(text)
    assert found is not None
    assert found.value == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        *("", "no number", "H2O", "1/0", "1e400", r"7 but \boxed{x}", "2^x", "2^{n+1}", "10^99999", "9" * 400),
        *(r"\frac{\pi}{2}", r"2\sqrt{3}", r"x = 3, thus 2\sqrt{3}", r"7, then \sqrt{2}", "10^" + "9" * 5000),
    ],
)
def test_no_number(text: str) -> None:
    assert last_number(text) is None


@given(value=st.integers(-(10**15), 10**15))
def test_whole_numbers_are_read_back(value: int) -> None:
    for text in (f"It is {value}.", f"It is {value:,}!", f"It is {value:,}, I think"):
        found = last_number(text)
        assert found is not None
        assert found.value == value


@given(value=st.floats(-1e300, 1e300))
def test_floats_are_read_back(value: float) -> None:
    found = last_number(f"= {value!r}")
    assert found is not None
    assert math.isclose(found.value, value, rel_tol=1e-12, abs_tol=1e-300)


@given(text=st.text())
def test_any_text_can_be_searched_for_a_number(text: str) -> None:
    last_number(text)


@pytest.mark.parametrize(
    ("answer", "reference", "agrees"),
    [
        ("0.333", "1/3", False),
        ("0.3333", "1/3", True),
        ("42.001", "42", True),
        ("42.1", "42", False),
        ("50 %", "0.5", True),
        ("50 %", "50", True),
        ("0.5", "50 %", True),
        ("50 %", "0.5 %", False),
        ("none", "4", False),
        ("4", "3||4", True),
        ("The area is 42 cm^2.", "2", False),
        ("10^3", "3", False),
        ("so the answer is 10^{6}", "6", False),
        ("Each needs 2 1/2 cups", "0.5", False),
        ("x = 2\\sqrt{3}", "3", False),
    ],
)
def test_numeric(answer: str, reference: str, agrees: bool) -> None:
    assert numeric(answer, reference) == agrees


@pytest.mark.parametrize(
    ("answer", "reference", "agrees"),
    [
        ("The Eiffel Tower.", "eiffel tower", True),
        ("It is the Eiffel Tower", "Eiffel Tower", False),
        ("an apple", "Apple!", True),
        ("theatre", "atre", False),
        ("NYC", "New York || NYC", True),
        ("", "A", False),
        ("The.", "A", False),
        ("(a)", "A", True),
        ("!", "?", False),
        ("…", "...", False),
        ("?", "?", True),
        ("-5", "5", False),
        ("−5", "-5", True),
        ("1.5", "15", False),
        ("1-2", "12", False),
        ("3/4", "34", False),
        ("1,000", "1000", True),
        ("1,5", "15", False),
        ("C++", "C", False),
        ("C#", "C", False),
        ("c++.", "C++", True),
        ("50%", "50", False),
        ("50 %", "50%", True),
        ("COVID-19", "covid19", True),
        ("cafe\u0301", "café", True),
    ],
)
def test_exact(answer: str, reference: str, agrees: bool) -> None:
    assert exact(answer, reference) == agrees


@pytest.mark.parametrize(
    ("answer", "reference", "agrees"),
    [
        ("It was in Paris, France.", "paris", True),
        ("Comparison", "Paris", False),
        ("It is 42.", "42", True),
        ("It is 142 or 42.5 or 1,420", "42", False),
        ("new york", "New York", True),
        ("new old york", "New York", False),
        ("Rome", "Paris||Rome", True),
        ("anything", "!", False),
        ("The temperature is 5 degrees", "-5", False),
        ("The temperature is -5 degrees", "-5", True),
        ("It is −5.", "-5", True),
        ("between 3-5", "5", True),
        ("2+3=5", "5", True),
        ("I use C", "C++", False),
        ("I use C++.", "C++", True),
        ("I use C++.", "C", False),
        ("3/4", "4", False),
        ("50", "50%", False),
        (r"It is 50\%.", "50 %", True),
        ("1,000 people", "1000", True),
        ("New-York", "new york", True),
        ("don’t", "don't", True),
        ("€5", "5", True),
        ("東京です", "東京", True),
        ("京です", "東京", False),
    ],
)
def test_contains(answer: str, reference: str, agrees: bool) -> None:
    assert contains(answer, reference) == agrees


def case(reference: str | None, answer: str = "4") -> Case:
    return Case(messages=[{"role": "user", "content": "2+2"}], answer=answer, full_answer="5", reference=reference)


@pytest.mark.parametrize("name", ["exact", "numeric", "contains"])
@pytest.mark.parametrize("reference", [None, "", "  "])
def test_a_case_without_a_reference_is_dropped(name: str, reference: str | None) -> None:
    ruling = ReferenceJudge(name).rule(case(reference))
    assert (ruling.score, ruling.full_score, ruling.reason) == (None, None, f"{name}: the prompt has no reference")


def test_a_reference_without_a_number_is_dropped() -> None:
    ruling = ReferenceJudge("numeric").rule(case("four"))
    assert (ruling.score, ruling.reason) == (None, "numeric: the reference holds no number")
