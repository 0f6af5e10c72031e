"""What the `confidence` exit saves and what it costs in agreement: layer × threshold against full greedy decoding.

Agreement is of free-running answers, which after a first other token go on from it, and pooled over prompts:

- `identical`: positions at which both answers have the same token, over the longer answer's length.
- `identical_up_to_the_first_difference`: tokens before the first difference, over the longer answer's length.

Saving is of computation: `layer_passes_saved` counts runs of a layer on a position, as the row's counts tell them, and
`time_saved` is one less the ratio of the times of the two answers, per new token, in turns.
"""

from __future__ import annotations

import itertools
import logging
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.harness import interleaved, spread, write_result
from benchmarks.subject import as_catalogue, open_subject, parse_options, serving

ROUNDS = 20  # one prompt each
NEW_TOKENS = 24
LAYERS = (0.6, 0.8, 0.9)
THRESHOLDS = (0.5, 0.7, 0.9, 0.98)
LEAST_AGREEMENT = 0.95

TOPICS = (
    "the tides of the sea",
    "a bicycle that stays upright",
    "the colour of the sky",
    "bread that rises",
    "the seasons of the year",
    "a magnet",
    "the moon's phases",
    "rust on iron",
    "a rainbow",
    "an echo",
)
FORMS = ("Explain {} in one sentence.", "List three facts about {}.")


def main() -> None:
    """Measure and write the result."""
    from sprout_like.testing import MemoryLedger

    logging.disable(logging.WARNING)
    options = parse_options(ROUNDS)
    subject = open_subject(options)
    grid = {f"at_{round(layer * 100)}_over_{round(p * 100)}": (layer, p) for layer in LAYERS for p in THRESHOLDS}
    toml = {
        name: f"early_exit.confidence = {{ layer = {layer}, threshold = {p} }}" for name, (layer, p) in grid.items()
    }
    ledger = MemoryLedger()
    answers: dict[str, list[Sequence[int]]] = {name: [] for name in ("full", *grid)}
    rows: dict[str, list[Any]] = {name: [] for name in answers}
    with serving(subject, as_catalogue(toml), ledger=ledger) as aware:

        def asking(name: str) -> Callable[[], object]:
            view = aware.using(policy=name)
            questions = itertools.cycle(form.format(topic) for topic in TOPICS for form in FORMS)

            def ask() -> None:
                prompt = subject.prompt(next(questions))
                output = view.generate(**prompt, max_new_tokens=NEW_TOKENS, do_sample=False)
                answers[name].append(output[0, prompt["input_ids"].shape[1] :].tolist())
                rows[name].append(ledger.requests[-1])

            return ask

        interleaved({name: asking(name) for name in answers}, options.rounds, warm_up=1)
    settings = {
        name: {
            "layer": layer,
            "threshold": p,
            **agreement(answers["full"][1:], answers[name][1:]),
            **_saving(rows["full"][1:], rows[name][1:]),
        }
        for name, (layer, p) in grid.items()
    }
    write_result(
        f"confidence_exit{subject.suffix}",
        {
            **subject.told,
            "prompts": options.rounds,
            "new_tokens_at_most": NEW_TOKENS,
            f"best_at_{LEAST_AGREEMENT:.0%}_identical": _best(settings),
            "settings": settings,
            "notes": {
                "layer_passes_saved": "asking is not in it: a norm and an output layer per token that was asked about",
                "best": f"chosen among {len(settings)} settings on these same prompts",
            },
        },
    )


def agreement(full: Sequence[Sequence[int]], others: Sequence[Sequence[int]]) -> dict[str, float]:
    """Shares of identical tokens, as the module's docstring defines them."""
    pairs = list(zip(full, others, strict=True))
    length = sum(max(len(a), len(b)) for a, b in pairs)
    same = [[a == b for a, b in zip(*pair, strict=False)] for pair in pairs]
    return {
        "identical": round(sum(map(sum, same)) / length, 4),
        "identical_up_to_the_first_difference": round(
            sum(len(list(itertools.takewhile(bool, each))) for each in same) / length, 4
        ),
    }


def _saving(full: Sequence[Any], rows: Sequence[Any]) -> dict[str, Any]:
    """Of computation, over all prompts; the mean share of a row weighs each token alike."""
    shares = [(row.knob_counts["early_layers_skipped_share"], row.new_tokens) for row in rows]
    ratios = [
        (row.engine_s / row.new_tokens) / (base.engine_s / base.new_tokens)
        for row, base in zip(rows, full, strict=True)
    ]
    return {
        "layer_passes_saved": round(sum(share * n for share, n in shares) / sum(n for _, n in shares), 4),
        "time_saved": round(1 - statistics.median(ratios), 4),
        "time_per_token_over_full": spread(ratios),
    }


def _best(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The setting that saves most layer passes, and the one that saves most time, among those that agree enough."""
    enough = {name: each for name, each in settings.items() if each["identical"] >= LEAST_AGREEMENT}
    if not enough:
        return {"found": "no setting agrees enough"}
    return {
        key: {"setting": (best := max(enough, key=lambda name: enough[name][key])), key: enough[best][key]}
        for key in ("layer_passes_saved", "time_saved")
    }


if __name__ == "__main__":
    main()
