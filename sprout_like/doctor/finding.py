"""One thing the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "State"]

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found.

    Attributes:
        part: what was looked at.
        state: `ok`; `warn` where it works but less well than it could; `fail` where it does not work.
        found: what is in use, or what is wrong.
        fix: the command or setting that makes it better; None where nothing is to be done.
    """

    part: str
    state: State
    found: str
    fix: str | None = None
