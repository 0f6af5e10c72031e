"""Wrapped against bare `model.generate`: 32 new tokens, in turns."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.harness import interleaved, spread, write_result
from benchmarks.subject import open_subject, parse_options

PAIRS = 60
NEW_TOKENS = 32


def main() -> None:
    """Measure and write the result."""
    from sprout_like import CarbonAware

    options = parse_options(PAIRS)
    subject = open_subject(options)
    model, prompt = subject.model, subject.prompt("Why is the sky blue?")
    settings = {"max_new_tokens": NEW_TOKENS, "min_new_tokens": NEW_TOKENS, "do_sample": False}
    with (
        tempfile.TemporaryDirectory() as folder,
        CarbonAware(
            model, subject.tokenizer, grid="static:150", policy="full", ledger=str(Path(folder) / "l.sqlite")
        ) as aware,
    ):
        seconds = interleaved(
            {
                "bare": lambda: model.generate(**prompt, **settings),
                "wrapped": lambda: aware.generate(**prompt, **settings),
            },
            options.rounds,
        )
    ratios = [w / b for w, b in zip(seconds["wrapped"], seconds["bare"], strict=True)]
    result = {**subject.told, "new_tokens": NEW_TOKENS, "wrapped_over_bare": spread(ratios), "wanted": "median ≤ 1.01"}
    write_result(f"generate_overhead{subject.suffix}", result)


if __name__ == "__main__":
    main()
