"""The answers of a job as JSON Lines, in the order of its prompts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import Any, Final, TextIO

from sprout_like.errors import JobError
from sprout_like.jobs.job import Attempt
from sprout_like.reports.machine import plain

__all__ = ["Written", "check_absent", "print_results", "result_of", "write_results"]

_FORGOTTEN: Final = "its text was deleted after the time of the setting `job_keep_days`"

# Control characters that JSON lets stand, and by which some terminals are told what to do.
_CONTROL: Final = re.compile("[\x7f-\x9f]")


@dataclass(slots=True)
class Written:
    """What was written: items with an answer, items that were set aside, items that are still to come."""

    answered_n: int = 0
    failed_n: int = 0
    missing_n: int = 0

    @property
    def complete(self) -> bool:
        """Whether each item has an answer."""
        return not (self.failed_n or self.missing_n)


def result_of(attempt: Attempt) -> dict[str, Any] | None:
    """The line of an item; None where it has neither an answer nor been set aside. Unknown is null."""
    if attempt.state not in ("done", "failed"):
        return None
    known = attempt.answer if attempt.state == "done" else None
    text = known.text if known else None
    gone = _FORGOTTEN if text is None else None
    return {
        "place": attempt.place,
        "id": attempt.own_id,
        "text": text,
        "directive": known.directive if known else None,
        "prompt_tokens": known.prompt_tokens if known else None,
        "new_tokens": known.new_tokens if known else None,
        "finish_reason": known.finish_reason if known else None,
        "energy_j": known.energy_j if known else None,
        "energy_method": known.energy_method if known else None,
        "operational_g": known.operational_g if known else None,
        "error": attempt.error if attempt.state == "failed" else gone,
    }


def print_results(attempts: Iterable[Attempt], stream: TextIO) -> Written:
    """Write a line for each item that has an answer or was set aside."""
    written = Written()
    as_it_is = (stream.encoding or "").lower().replace("-", "") == "utf8"
    for line in _lines(attempts, written):
        text = dumps(plain(line), ensure_ascii=not as_it_is, allow_nan=False)
        stream.write(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
    return written


def write_results(attempts: Iterable[Attempt], file: Path) -> Written:
    """As `print_results`, to a file that appears whole or not at all.

    Raises:
        JobError: the file exists, and is never overwritten; or it cannot be written.
    """
    check_absent(file)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            written = print_results(attempts, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(part, file)  # unlike a renaming, this fails where a file has come meanwhile
    except OSError as exc:
        raise JobError(f"out: cannot write {file} ({exc.strerror}). Name a file in a folder that is yours") from exc
    finally:
        part.unlink(missing_ok=True)
    return written


def check_absent(file: Path) -> None:
    """Find out whether a file is there already.

    Raises:
        JobError: it is.
    """
    if file.exists():
        raise JobError(f"out: {file} exists. Name another file, or move it away")


def _lines(attempts: Iterable[Attempt], written: Written) -> Iterator[dict[str, Any]]:
    for attempt in attempts:
        line = result_of(attempt)
        if line is None:
            written.missing_n += 1
            continue
        if attempt.state == "done":
            written.answered_n += 1
        else:
            written.failed_n += 1
        yield line
