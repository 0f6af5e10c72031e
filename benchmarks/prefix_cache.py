"""Time to the first token behind a shared system prompt of 1,000 tokens, with and without the kept beginning.

Every round asks a question of its own, so that the system prompt alone is shared.
"""

from __future__ import annotations

import itertools
import logging
import statistics
from collections.abc import Callable
from typing import Any

from benchmarks.harness import interleaved, spread, write_result
from benchmarks.subject import Subject, open_subject, parse_options, serving

ROUNDS = 15
SYSTEM_TOKENS = 1000
CATALOGUE = "[directive.shared]\nreuse.prefix = true\n"
_SENTENCE = "Rule {}: visitors who ask about room {} are told what hangs there, who made it, and when it was bought."


class _Sink:
    """A streamer that keeps nothing: with one, the row says when the first token came."""

    def put(self, value: Any) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


def main() -> None:
    """Measure and write the result."""
    logging.disable(logging.WARNING)
    options = parse_options(ROUNDS)
    subject = open_subject(options)
    system = _system(subject)
    rows: dict[str, list[Any]] = {"full": [], "shared": []}
    with serving(subject, CATALOGUE) as aware:

        def asking(name: str) -> Callable[[], object]:
            view, numbers = aware.using(policy=name), itertools.count(1)

            def ask() -> None:
                messages = [
                    {"role": "system", "content": system},
                    {"role": "user", "content": f"{next(numbers)}: what hangs in the room of that number?"},
                ]
                reply = view.chat(messages, max_new_tokens=4, do_sample=False, streamer=_Sink())
                rows[name].append(reply.record)

            return ask

        warm_up = 2
        interleaved({name: asking(name) for name in rows}, options.rounds, warm_up=warm_up)
    rows = {name: each[warm_up:] for name, each in rows.items()}
    ratios = [
        without.first_token_s / kept.first_token_s for without, kept in zip(rows["full"], rows["shared"], strict=True)
    ]
    write_result(
        f"prefix_cache{subject.suffix}",
        {
            **subject.told,
            "prompt_tokens": rows["full"][0].prompt_tokens,
            "reused_tokens": rows["shared"][-1].reused_tokens,
            "requests_that_reused": sum(row.reuse == "prefix" for row in rows["shared"]),
            "first_token_s": {
                name: round(statistics.median(row.first_token_s for row in each), 4) for name, each in rows.items()
            },
            "without_over_with": spread(ratios),
            "wanted": "median ≥ 3",
        },
    )


def _system(subject: Subject) -> str:
    """Rules until there are `SYSTEM_TOKENS` tokens of them."""
    rules: list[str] = []
    for number in itertools.count(1):
        rules.append(_SENTENCE.format(number, number))
        if len(subject.tokenizer.encode(" ".join(rules))) >= SYSTEM_TOKENS:
            break
    return " ".join(rules)


if __name__ == "__main__":
    main()
