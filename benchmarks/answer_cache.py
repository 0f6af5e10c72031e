"""A kept answer given again through `CarbonAware`, its durable SQLite row included."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from benchmarks.harness import interleaved, percentiles, write_result
from benchmarks.subject import Subject, open_subject, parse_options, serving

ROUNDS = 500
CATALOGUE = "[directive.kept]\nreuse.answers = true\n"


def main() -> None:
    """Measure and write the result."""
    logging.disable(logging.WARNING)
    options = parse_options(ROUNDS)
    subject = open_subject(options)
    times = {where: percentiles(_hits(subject, where, options.rounds)) for where in ("memory", "ledger")}
    write_result(
        f"answer_cache{subject.suffix}", {**subject.told, "per_hit": times, "wanted": "p50 < 1000 µs in both stores"}
    )


def _hits(subject: Subject, where: str, rounds: int) -> list[float]:
    """Seconds per hit.

    Raises:
        RuntimeError: what was timed was no hit.
    """
    with serving(subject, CATALOGUE, answer_cache=where) as aware:
        view = aware.using(policy="kept")
        prompt = subject.prompt("Why is the sky blue?")

        def ask() -> object:
            return view.generate(**prompt, max_new_tokens=32, do_sample=False)

        ask()
        _require_hit(view.chat)
        return interleaved({"hit": ask}, rounds)["hit"]


def _require_hit(chat: Callable[..., Any]) -> None:
    chat("Is it kept?", max_new_tokens=2, do_sample=False)
    reply = chat("Is it kept?", max_new_tokens=2, do_sample=False)
    if reply.record.reuse != "answer":
        raise RuntimeError("the answer cache gave no kept answer, so there is no hit to time")


if __name__ == "__main__":
    main()
