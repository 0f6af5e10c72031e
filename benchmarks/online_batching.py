"""Requests of eight threads at once: computed together by `engine="continuous"`, and one at a time by `transformers`.

Slices of the same chats are served by both in turns. Answers are greedy; in bf16 a near-tie between two tokens may fall
the other way in another batch, so answers are compared as well.
"""

from __future__ import annotations

import statistics
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.harness import interleaved, spread, write_result

THREADS = 8
ROUNDS = 4
QUESTIONS = (  # one for each thread
    "Why is the sky blue?",
    "Name three rivers in Europe, each with the country it ends in.",
    "Write a haiku about rain.",
    "What is 12 times 13? Show how you got there.",
    "Explain photosynthesis to a child in a few short sentences.",
    "Give me a simple recipe for pancakes with what I need and what I have to do.",
    "Who wrote Hamlet?",
    "I have a meeting at nine, a flight at noon and a dinner at seven. Make a short plan for the day.",
)


class _Served:
    """One engine, and what it has served."""

    def __init__(self, engine: str, model: Any, tokenizer: Any) -> None:
        from sprout_like import CarbonAware
        from sprout_like.testing import MemoryLedger

        self.aware = CarbonAware(model, tokenizer, engine=engine, grid=250, policy="full", ledger=MemoryLedger())
        self.slices: list[list[Any]] = []

    def serve(self) -> None:
        """A slice: every thread asks its question."""

        def ask(thread: int) -> Any:
            return self.aware.chat(QUESTIONS[thread], max_new_tokens=24 + 8 * (thread * 5 % 6), do_sample=False)

        with ThreadPoolExecutor(THREADS) as pool:
            self.slices.append(list(pool.map(ask, range(THREADS))))

    def energies_j(self) -> list[float]:
        """Mean of each slice, in J per request; the first one warmed up."""
        return [statistics.fmean(reply.record.energy_j for reply in replies) for replies in self.slices[1:]]


def main() -> None:
    """Measure and write the result."""
    from sprout_like.demo.model import load_demo_model

    model, tokenizer = load_demo_model()
    engines = {name: _Served(name, model, tokenizer) for name in ("continuous", "transformers")}
    seconds = interleaved({name: served.serve for name, served in engines.items()}, ROUNDS, warm_up=1)
    result: dict[str, Any] = {"threads": THREADS, "requests_per_slice": THREADS, "slices": ROUNDS}
    for name, served in engines.items():
        records = [reply.record for replies in served.slices[1:] for reply in replies]
        result[name] = {
            "requests_per_s": round(THREADS / statistics.median(seconds[name]), 3),
            "tokens_per_s": round(sum(record.new_tokens for record in records) / sum(seconds[name]), 1),
            "j_per_request": round(statistics.median(served.energies_j()), 3),
            "median_wait_s": round(statistics.median(record.queue_s + record.engine_s for record in records), 2),
            "energy": f"{records[0].energy_method} ({records[0].meter})",
        }
        served.aware.close()
    together, alone = engines["continuous"], engines["transformers"]
    energies = zip(alone.energies_j(), together.energies_j(), strict=True)
    pairs = [
        (one.text, other.text)
        for slices in zip(together.slices, alone.slices, strict=True)
        for one, other in zip(*slices, strict=True)
    ]
    speeds = zip(seconds["transformers"], seconds["continuous"], strict=True)
    result["times_the_requests_per_s"] = spread([one / other for one, other in speeds])
    result["times_the_j_per_request"] = spread([other / one for one, other in energies])
    result["same_answers_share"] = round(sum(one == other for one, other in pairs) / len(pairs), 3)
    write_result("online_batching", result)


if __name__ == "__main__":
    main()
