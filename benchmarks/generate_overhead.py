"""Wrapped against bare `model.generate`: 32 new tokens on SmolLM2-135M, in turns."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.harness import interleaved, spread, write_result

PAIRS = 60
NEW_TOKENS = 32


def main() -> None:
    """Measure and write the result."""
    from sprout_like import CarbonAware
    from sprout_like.demo.model import load_demo_model

    model, tokenizer = load_demo_model()
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Why is the sky blue?"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    settings = {"max_new_tokens": NEW_TOKENS, "min_new_tokens": NEW_TOKENS, "do_sample": False}
    with (
        tempfile.TemporaryDirectory() as folder,
        CarbonAware(model, tokenizer, grid="static:150", policy="full", ledger=str(Path(folder) / "l.sqlite")) as aware,
    ):
        seconds = interleaved(
            {
                "bare": lambda: model.generate(**prompt, **settings),
                "wrapped": lambda: aware.generate(**prompt, **settings),
            },
            PAIRS,
        )
    ratios = [w / b for w, b in zip(seconds["wrapped"], seconds["bare"], strict=True)]
    result = {"new_tokens": NEW_TOKENS, "wrapped_over_bare": spread(ratios), "wanted": "median ≤ 1.01"}
    write_result("generate_overhead", result)


if __name__ == "__main__":
    main()
