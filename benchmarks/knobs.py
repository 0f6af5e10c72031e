"""Each knob against `full`, in turns, on the same prompts: tokens/s, J per token, J per request.

Ratios are taken between runs of one round, which answer the same prompt one after the other. Energy is that of the
row, by the meter of this machine; its method stands beside it. Greedy decoding, at most `NEW_TOKENS` new tokens.
"""

from __future__ import annotations

import itertools
import logging
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.harness import interleaved, spread, write_result
from benchmarks.subject import Subject, as_catalogue, open_subject, parse_options, serving, unfit

ROUNDS = 12
NEW_TOKENS = 32

DIRECTIVES = {
    "instruction": 'instruction = "Always answer very briefly."',
    "budget": "budget = { max_new_tokens = 24, soft_tokens = 16 }",
    "depth": "early_exit.depth.first = 0.8",
    "confidence": "early_exit.confidence = { layer = 0.8, threshold = 0.9 }",
    "repetition": "early_exit.repetition = { times = 4 }",
    "variant_int8": 'variant = "int8"',
    "variant_int4": 'variant = "int4"',
    "draft_lookup": "draft = { tokens = 5, lookup = { ngram = 2 } }",
    "draft_depth": "draft = { tokens = 4, depth = 0.5 }",
    "draft_assistant": 'draft = { tokens = 4, assistant = "int8" }',
    "cache_static": 'kv_cache.kind = "static"',
    "cache_quantized": 'kv_cache = { kind = "quantized", backend = "fp8" }',
    "reuse_prefix": "reuse.prefix = true",
    "reuse_answers": "reuse.answers = true",
}
VARIANTS = '[variant.int8]\nprecision = "int8"\n[variant.int4]\nprecision = "int4"'

SYSTEM = (
    "You are a helpful assistant for visitors of a small museum of science. Answer in plain words, use short "
    "sentences, and say so where you are not sure. Do not mention these rules."
)
QUESTIONS = (
    "Why is the sky blue?",
    "List the planets of the solar system.",
    "Repeat this sentence three times: The river flows south for ninety kilometres before it reaches the sea.",
    "A train travels 60 miles in 1.5 hours. What is its average speed?",
)


def main() -> None:
    """Measure and write the result."""
    logging.disable(logging.WARNING)
    options = parse_options(ROUNDS)
    subject = open_subject(options)
    kept_apart = unfit(subject, DIRECTIVES, VARIANTS, answer_cache="memory")
    measured = {name: toml for name, toml in DIRECTIVES.items() if name not in kept_apart}
    shared = VARIANTS if "variant_int8" in measured else ""
    with serving(subject, as_catalogue(measured, shared), answer_cache="memory") as aware:
        rows = _rows(aware, ["full", *measured], options.rounds)
    refused = {name: r[0].decision_reason for name, r in rows.items() if any(row.directive != name for row in r)}
    kept_apart |= refused
    full = rows["full"]
    write_result(
        f"knobs{subject.suffix}",
        {
            **subject.told,
            "new_tokens_at_most": NEW_TOKENS,
            "rounds": options.rounds,
            "energy_method": "+".join(sorted({row.energy_method for row in full})),
            "meter": full[0].meter,
            "full": _figures(full),
            "knobs": {
                name: {**_figures(each), "over_full": _ratios(each, full)}
                for name, each in rows.items()
                if name not in {"full", *kept_apart}
            },
            "not_measured": kept_apart,
            "notes": _notes(subject),
        },
    )


def _rows(aware: Any, names: Sequence[str], rounds: int) -> dict[str, list[Any]]:
    """The rows of each directive, one a round; what came before, to warm up, is left out."""
    rows: dict[str, list[Any]] = {name: [] for name in names}

    def asking(name: str) -> Callable[[], object]:
        view, questions = aware.using(policy=name), itertools.cycle(QUESTIONS)

        def ask() -> None:
            messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": next(questions)}]
            rows[name].append(view.chat(messages, max_new_tokens=NEW_TOKENS, do_sample=False).record)

        return ask

    warm_up = len(QUESTIONS)  # every question once, so that `reuse` has seen them
    interleaved({name: asking(name) for name in names}, rounds, warm_up=warm_up)
    return {name: each[warm_up:] for name, each in rows.items()}


def _figures(rows: Sequence[Any]) -> dict[str, Any]:
    """Medians; None where the energy is unknown or no tokens were made."""
    energy_known = all(row.energy_j is not None for row in rows)
    counts = sorted({name for row in rows for name in row.knob_counts})
    return {
        "tokens_per_s": _median([row.new_tokens / row.duration_s for row in rows]),
        "j_per_token": _median([row.energy_j / row.new_tokens for row in rows]) if energy_known else None,
        "j_per_request": _median([row.energy_j for row in rows]) if energy_known else None,
        "s_per_request": _median([row.duration_s for row in rows]),
        "new_tokens": _median([row.new_tokens for row in rows]),
        "counts": {name: _median([row.knob_counts.get(name, 0) for row in rows]) for name in counts},
    }


def _ratios(rows: Sequence[Any], full: Sequence[Any]) -> dict[str, Any]:
    measures: Mapping[str, Callable[[Any], float]] = {
        "tokens_per_s": lambda row: row.new_tokens / row.duration_s,
        "j_per_token": lambda row: row.energy_j / row.new_tokens,
        "j_per_request": lambda row: row.energy_j,
    }
    known = all(row.energy_j is not None for row in [*rows, *full])
    return {
        name: spread([measure(row) / measure(base) for row, base in zip(rows, full, strict=True)])
        for name, measure in measures.items()
        if known or name == "tokens_per_s"
    }


def _median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 4)


def _notes(subject: Subject) -> dict[str, str]:
    notes = {
        "tokens_per_s": "new tokens over the whole request, decision and row included",
        "reuse_answers": "every question had been asked before: these are hits",
        "over_full": "95 % interval of the median, from order statistics",
    }
    if subject.suffix.startswith("-random"):
        notes["random weights"] = "times and energy are real; what drafts and exits gain from their guesses is not"
    return notes


if __name__ == "__main__":
    main()
