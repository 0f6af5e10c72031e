"""The number that an answer comes to."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from unicodedata import normalize

__all__ = ["Number", "last_number"]

# Answers are rounded, to two decimals or a few digits; a wrong one is seldom this near.
_RELATIVE_TOLERANCE = 1e-4
_ABSOLUTE_TOLERANCE = 1e-9

_PLAIN = r"\d+(?:\.\d+)?"
_DIGITS = r"(?:\d{1,3}(?:[, \u00a0\u202f']\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_TIMES_TEN = r"(?:\s*(?:\\times|[x×·*]|\\cdot)\s*10\s*(?:\^|\*\*)\s*(?P<power>[+\-−]?\d+))"
_ROOT = r"\\sqrt\s*(?:\[[^\]]*\])?\s*(?:\{[^{}]*\}|\d+)?"
# Digits that are no number of their own stand in exponents of units and names, in roots, in fractions of more than
# digits, and after a letter with a hyphen, as in `m s-1`.
_NUMBER = re.compile(
    rf"""
    (?P<sign>(?:(?<![\w)\]}}.%])[+\-−–])?)\s?[$€£]?\s?
    (?:
        (?<![\w./])(?P<whole>\d{{1,3}})[ ](?P<part>\d{{1,2}})/(?P<of>\d{{1,3}})(?![\d/]|\.\d)
      | (?<![\w./])(?<![A-Za-z][\-−–])(?P<digits>{_DIGITS})
        (?:
            (?P<exponent>[eE][+\-−]?\d+(?!\w)) | {_TIMES_TEN} | \s*/\s*(?P<denominator>{_PLAIN})(?![\d/])
          | \s*\^\s*(?P<to>[+\-−]?{_PLAIN}) | (?P<unread>\s*(?:\^|{_ROOT}))
        )?
      | \^\s*[+\-−]?[\d.]* | (?P<formula>{_ROOT} | \\[cdt]?frac\s*\{{[^{{}}]*\}}\s*\{{[^{{}}]*\}})
    )
    (?P<percent>\s*\\?%)?
    """,
    re.VERBOSE,
)
_DEGREES_AND_ORDINALS = re.compile(r"\^\s*(?:\\circ\b|\{\s*(?:\\circ|\\text\s*\{[^{}]*\}|st|nd|rd|th)\s*\})")
_POWER = re.compile(r"(?:\^|(?<=\d)\*\*)\s*(?:\{([^{}]*)\}|\(([^()]*)\))|(?<=\d)\*\*(?=[+\-−]?\d)")
_RAISED = re.compile("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LATEX_FRACTION = re.compile(rf" ?\\[cdt]?frac\s*(?:\{{\s*(-?{_PLAIN})\s*\}}|(\d))\s*(?:\{{\s*({_PLAIN})\s*\}}|(\d))")
_ONE_CHARACTER_FRACTION = re.compile("\\s?([\u00bc-\u00be\u2150-\u215e])")
_SUBSCRIPT = re.compile(r"_\s*\{[^{}]*\}")
_THIN_SPACES = re.compile(r"\{,\}|\\[,!]")
_BOXED = re.compile(r"\\boxed\s*\{")
_GROUPING = str.maketrans("", "", ", \u00a0\u202f'")

# No number that an answer comes to stands further from its end.
_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written.

    Attributes:
        value: what stands before the percent sign where there is one: 50 for `50 %`.
        percent: whether there is one.
    """

    value: float
    percent: bool

    def agrees(self, other: Number) -> bool:
        """Whether the two are the same within 0.01 %; where only one has a percent sign, with or without it."""
        if self.percent == other.percent:
            return _close(self.value, other.value)
        signed, bare = (self, other) if self.percent else (other, self)
        return _close(signed.value, bare.value) or _close(signed.value / 100, bare.value)


def last_number(text: str) -> Number | None:
    r"""The last number in a text, as answers to sums give their result last; None where there is none.

    In a text with LaTeX's `\boxed{…}`, the last number in the last box. Understood are signs, thousands separators
    (a comma, an apostrophe or a space between groups of three), decimal points, fractions (`3/4`, `2 1/2`, `½`,
    `\frac{3}{4}`), exponents (`1.5e3`, `1.5 × 10^3`), powers (`10^3`) and percent signs. The exponent of a unit is part
    of the unit. A decimal comma is not understood: `1,5` is 1 and 5. Where a root, or a fraction or power of more than
    digits comes last, there is no number.
    """
    text = text[-_LONGEST:]
    boxes = list(_BOXED.finditer(text))
    if boxes:
        text = _until_closed(text[boxes[-1].end() :])
    found = [match for match in _NUMBER.finditer(_plainly(text)) if any(match.group("digits", "part", "formula"))]
    return _number(found[-1]) if found else None


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_RELATIVE_TOLERANCE, abs_tol=_ABSOLUTE_TOLERANCE)


def _until_closed(text: str) -> str:
    depth = 1
    for place, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return text[:place]
    return text


def _plainly(text: str) -> str:
    """The same numbers in fewer ways of writing: `a/b`, `a b/c` and `a^b`."""
    text = _DEGREES_AND_ORDINALS.sub("", _THIN_SPACES.sub(lambda found: "," if found[0] == "{,}" else "", text))
    text = _ONE_CHARACTER_FRACTION.sub(lambda found: f" {normalize('NFKC', found[1]).replace('⁄', '/')} ", text)
    text = _LATEX_FRACTION.sub(lambda found: f" {found[1] or found[2]}/{found[3] or found[4]} ", text)
    text = _RAISED.sub(lambda found: f"^{normalize('NFKC', found[0])} ", _SUBSCRIPT.sub("_", text))
    return _POWER.sub(_flat_power, text)


def _flat_power(found: re.Match[str]) -> str:
    power = found[1] or found[2] or ""
    if not power:
        return "^"
    return f"^{power.strip()} " if re.fullmatch(rf"\s*[+\-−]?{_PLAIN}\s*", power) else "^x "


def _number(match: re.Match[str]) -> Number | None:
    """What was written; None where it cannot be told, and for what is no number, such as a division by nought."""
    if match["unread"] or match["formula"]:
        return None
    try:
        value = _fraction(match) if match["part"] else _decimal(match)
    except (OverflowError, ZeroDivisionError):
        return None
    if not math.isfinite(value):
        return None
    return Number(-value if match["sign"] in ("-", "−", "–") else value, percent=bool(match["percent"]))


def _fraction(match: re.Match[str]) -> float:
    proper = float(match["part"]) / float(match["of"])
    return float(match["whole"]) + proper if proper < 1 else proper


def _decimal(match: re.Match[str]) -> float:
    value = float(match["digits"].translate(_GROUPING)) / float(match["denominator"] or 1)
    power = match["power"] or (match["exponent"] or "e0")[1:]
    return float(value ** _signed(match["to"] or "1") * 10.0 ** _signed(power))


def _signed(digits: str) -> float:
    return float(digits.replace("−", "-"))
