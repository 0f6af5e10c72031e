"""Judging by a function of the user's, and the file that it stands in."""

from __future__ import annotations

import importlib.util
import sys
import time
import traceback
from collections.abc import Callable
from numbers import Real
from pathlib import Path
from typing import Any, Final

from sprout_like.errors import JudgeError, SettingError
from sprout_like.judges.judge import Case, Cost, Ruling

__all__ = ["UserJudge", "open_function"]

_MODULE: Final = "sprout_like_users_judge"


class UserJudge:
    """Scores each answer by a function of the user's.

    Args:
        score: called with an answer and, by name, `messages` (the conversation) and `reference` (None where the prompt
            has none); gives a number in [0, 1], or None where it cannot tell.
        name: for rows and messages.
        file: where it is from, to say where in it an error is; None where that does not matter.
        monotonic_s: clock of durations, in s.
    """

    def __init__(
        self,
        score: Callable[..., Any],
        *,
        name: str,
        file: Path | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._score = score
        self._name = name
        self._file = file
        self._monotonic_s = monotonic_s

    @property
    def name(self) -> str:
        """The function's file and name."""
        return self._name

    def rule(self, case: Case) -> Ruling:
        """Score both answers.

        Raises:
            JudgeError: the function raised, or gave what is no score.
        """
        begun_s = self._monotonic_s()
        score, full_score = (self._scored(answer, case) for answer in (case.answer, case.full_answer))
        cost = Cost(duration_s=self._monotonic_s() - begun_s)
        if score is None or full_score is None:
            return Ruling(score=None, full_score=None, reason=f"{self._name}: it gave no score", cost=cost)
        return Ruling(score=score, full_score=full_score, cost=cost)

    def _scored(self, answer: str, case: Case) -> float | None:
        try:
            score = self._score(answer, messages=case.messages, reference=case.reference)
        except Exception as exc:
            line = None if self._file is None else _line(exc, self._file)
            place = "" if line is None else f" at {self._file}:{line}"
            said = f"{self._name}: it raised {type(exc).__name__}{place}"
            raise JudgeError(f"{said}; correct it, or let it give None where it cannot judge") from exc
        if score is None:
            return None
        number = _as_number(score)
        if number is None or not 0 <= number <= 1:
            shown = f"a {type(score).__name__}" if number is None else f"{number:g}"
            raise JudgeError(f"{self._name}: it gave {shown}; let it give a number in [0, 1], or None")
        return number


def open_function(file: Path, function: str) -> UserJudge:
    """The function of that name in a Python file, which is run.

    Raises:
        SettingError: there is no such file or function, or it cannot be run; file, line and the error's own words.
    """
    found = importlib.util.spec_from_file_location(_MODULE, file)
    if found is None or found.loader is None or not file.is_file():
        raise SettingError("judge", f"there is no file {file}", "Give FILE.py:FUNCTION")
    module = importlib.util.module_from_spec(found)
    sys.modules[_MODULE] = module  # where dataclasses and pickles look for it
    try:
        found.loader.exec_module(module)
    except Exception as exc:
        # No text of a case was seen yet: these words are the file's own.
        words = str(exc.msg if isinstance(exc, SyntaxError) else exc)
        problem = ": ".join(filter(None, (f"{file}:{_line(exc, file)}", type(exc).__name__, " ".join(words.split()))))
        raise SettingError("judge", problem.rstrip("."), "Correct it") from exc
    score: Callable[..., Any] | None = getattr(module, function, None)
    if not callable(score):
        raise SettingError("judge", f"{file} has no function {function}", "Give FILE.py:FUNCTION")
    return UserJudge(score, name=f"{file.name}:{function}", file=file)


def _line(exc: Exception, file: Path) -> int | None:
    """Of the deepest frame in that file, or of what is no Python there; None where nothing of it was run."""
    place = file.absolute()
    if isinstance(exc, SyntaxError) and exc.filename is not None and Path(exc.filename).absolute() == place:
        return exc.lineno
    frames = traceback.extract_tb(exc.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).absolute() == place]
    return lines[-1] if lines else None


def _as_number(score: Any) -> float | None:
    """Also of what NumPy and torch make of a number; None where it is none."""
    try:
        if not isinstance(score, Real) and callable(getattr(score, "item", None)):
            score = score.item()
        return float(score) if isinstance(score, Real) else None
    except (TypeError, ValueError, RuntimeError, OverflowError):  # several numbers, or one that no float holds
        return None
