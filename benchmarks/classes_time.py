"""What inferring a request's task takes: for texts and token prompts of any length, in several scripts, and batches.

The classes are learnt from texts of random words; what a text takes depends on its length and script, not on the words.
Rows of a batch are of one class: where they differ, the second is the last that is looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from benchmarks.harness import interleaved, percentiles, timed, write_result

ROUNDS = 1000
LABELS = 12
_PER_LABEL = 50
_MOST_US = 500


def main() -> None:
    """Measure and write the result."""
    from directives.classes import to_json, train
    from sprout_like.classes.inferring import Inference

    rng = Random(0)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(3000)]
    labelled = [
        (" ".join(rng.choices(words[label * 250 : label * 250 + 250], k=rng.randint(5, 60))), f"class {label}")
        for label, _ in itertools.product(range(LABELS), range(_PER_LABEL))
    ]
    training_s = timed(lambda: train(labelled))
    classes = train(labelled)
    infer = Inference(classes)
    calls = {name: _asking(infer, call) for name, call in _calls(words, rng).items()}
    times = {name: percentiles(taken) for name, taken in interleaved(calls, ROUNDS).items()}
    write_result(
        "classes_time",
        {
            "per_request": times,
            "classes": LABELS,
            "file_kb": round(len(to_json(classes)) / 1000, 1),
            "training_s": round(training_s, 2),
            "texts": len(labelled),
            "wanted": f"p50 ≤ {_MOST_US} µs for any prompt",
        },
    )


def _calls(words: list[str], rng: Random) -> Mapping[str, Any]:
    from sprout_like.demo.model import load_demo_model
    from sprout_like.engines.engine import Call
    from sprout_like.engines.own_host import OwnHost

    model, tokenizer = load_demo_model()
    host = OwnHost(model, tokenizer)

    def asks(text: str) -> Call:
        return Call(host=host, messages=[{"role": "user", "content": text}])

    def tokens(n: int, rows: int = 1) -> Call:
        row = tokenizer.encode(" ".join(rng.choices(words[:100], k=n)))[:n]
        return Call(host=host, rows=[row] * rows)

    def prose(n: int) -> str:
        return " ".join(itertools.islice(itertools.cycle(words), n))

    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": prose(400)}], add_generation_prompt=True, return_dict=False
    )
    return {
        "text of 10 words": asks(prose(10)),
        "text of 100 words": asks(prose(100)),
        "text of 10 MB": asks(prose(1_700_000)),
        "text of 10 M Chinese characters": asks("田中水火木金" * 1_700_000),
        "text of 10 M marks": asks("?!" * 5_000_000),
        "16 tokens": tokens(16),
        "256 tokens": tokens(256),
        "100,000 tokens": tokens(100_000),
        "chat rendered by the caller": Call(host=host, rows=[rendered]),
        "64 rows of 256 tokens": tokens(256, rows=64),
    }


def _asking(infer: Callable[[Any], str | None], call: Any) -> Callable[[], object]:
    return lambda: infer(call)


if __name__ == "__main__":
    main()
