"""200 prompts of mixed lengths and limits: batches for jobs, a plain loop over `generate`, static batches by hand.

All of them answer the same prompts in one run and take turns, whoever is least far next, so that what else the machine
does meets all alike. Static batches are sorted by limit, then by length, and tried in four sizes; the best is compared.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter, process_time
from typing import Any

from benchmarks.harness import write_result
from benchmarks.subject import Subject, open_subject, parse_options

PROMPTS = 200
LIMITS = (16, 32, 48, 64)
SIZES = (8, 16, 32, 64)

_ABOUT = ("rain", "bread", "the moon", "a steam engine", "honey bees", "a library", "winter", "an old bridge", "glass")
_ASKED = ("Explain {} to a child.", "Write three facts about {}.", "Tell me a story about {}.", "What is {} good for?")
_NOTE = "Somebody in the village had already asked about {} last year, and nobody there was content with the answer. "


@dataclass(slots=True)
class Tried:
    """What one way has come to.

    Attributes:
        steps: runs some of the prompts at each step, and gives how many and their new tokens.
    """

    steps: Iterator[tuple[int, int]]
    prompts: int = 0
    new_tokens: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    energy_j: float = 0.0
    batches: list[int] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """Figures for the result file."""
        return {
            "new_tokens": self.new_tokens,
            "tokens_per_s": round(self.new_tokens / self.seconds, 1),
            "tokens_per_cpu_s": round(self.new_tokens / self.cpu_seconds, 1),
            "j_per_token": round(self.energy_j / self.new_tokens, 3),
            "largest_batch": max(self.batches),
            "mean_batch": round(statistics.fmean(self.batches), 1),
        }


def asks() -> list[Any]:
    """The prompts, in an order of their own; seeded, so that every run has the same."""
    from directives import FULL
    from sprout_like.jobs.engines.engine import Ask

    dice = random.Random(7)
    made = []
    for _ in range(PROMPTS):
        about = dice.choice(_ABOUT)
        text = _NOTE.format(about) * dice.choice((0, 0, 1, 2, 5)) + dice.choice(_ASKED).format(about)
        arguments = {"max_new_tokens": dice.choice(LIMITS), "do_sample": False}
        made.append(Ask(messages=[{"role": "user", "content": text}], arguments=arguments, directive=FULL))
    return made


def loop(subject: Subject, prompts: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """One prompt after the other."""
    for ask in prompts:
        prompt = subject.prompt(ask.messages[0]["content"])
        output = subject.model.generate(**prompt, **ask.arguments)
        yield 1, output.shape[1] - prompt["input_ids"].shape[1]


def by_hand(subject: Subject, prompts: Sequence[Any], size: int) -> Iterator[tuple[int, int]]:
    """Sorted batches of one size, padded on the left; of each row only its own tokens count."""
    tokenizer, model = subject.tokenizer, subject.model
    texts = [tokenizer.apply_chat_template(a.messages, add_generation_prompt=True, tokenize=False) for a in prompts]
    order = sorted(range(len(prompts)), key=lambda i: (prompts[i].limit_tokens, len(texts[i])), reverse=True)
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        rows = tokenizer(
            [texts[i] for i in chosen], return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False
        ).to(model.device)
        limits = [prompts[i].limit_tokens for i in chosen]
        output = model.generate(**rows, max_new_tokens=max(limits), do_sample=False)
        answers = output[:, rows["input_ids"].shape[1] :].tolist()
        yield len(chosen), sum(_own(answer, limit, model) for answer, limit in zip(answers, limits, strict=True))


def _own(answer: Sequence[int], limit: int, model: Any) -> int:
    end = model.generation_config.eos_token_id
    return min(limit, answer.index(end) + 1 if end in answer else len(answer))


def jobs(engine: Any, prompts: Sequence[Any], window: Callable[[], Any]) -> Iterator[tuple[int, int]]:
    """As a worker runs them: sorted, in batches of the size that it finds while it runs."""
    from sprout_like.jobs.engines.batching import BatchSize, groups

    lengths = [(engine.prompt_tokens(ask) or 0, ask.limit_tokens) for ask in prompts]
    left = [place for group in groups(lengths, most=len(prompts)) for place in group]
    size = BatchSize()
    while left:
        chosen, left = left[: size.now], left[size.now :]
        start = perf_counter()
        outcome = engine.run([prompts[place] for place in chosen], window())
        new_tokens = sum(answer.new_tokens or 0 for answer in outcome.answers)
        size = size.after(len(chosen), new_tokens / (perf_counter() - start))
        yield len(chosen), new_tokens


def measure(ways: dict[str, Tried], accounts: Any, windows: list[Any]) -> None:
    """Let them take turns until each has answered all prompts."""
    left = dict(ways)
    while left:
        name = min(left, key=lambda each: left[each].prompts)
        way = left[name]
        windows[:] = [accounts.open([device.id for device in accounts.devices])]
        start, start_cpu = perf_counter(), process_time()
        prompts, new_tokens = next(way.steps)
        way.seconds += perf_counter() - start
        way.cpu_seconds += process_time() - start_cpu
        way.energy_j += windows[0].close().energy_j or 0.0
        way.prompts += prompts
        way.new_tokens += new_tokens
        way.batches.append(prompts)
        if way.prompts == PROMPTS:
            del left[name]


def main() -> None:
    """Measure and write the result."""
    from sprout_like import Settings
    from sprout_like.jobs.engines.in_process import open_in_process
    from sprout_like.meters import open_accounts

    subject = open_subject(parse_options(2))
    prompts, windows = asks(), list[Any]()
    settings = Settings.load()
    accounts = open_accounts(settings.meter, settings=settings)
    pair = (subject.model, subject.tokenizer)
    ways = {"loop": loop(subject, prompts)}
    ways |= {f"by_hand_{size}": by_hand(subject, prompts, size) for size in SIZES}
    for kind in ("padded", "continuous"):
        engine = open_in_process(pair, name=subject.told["model"], kind=kind)
        engine.load()
        ways[kind] = jobs(engine, prompts, partial(windows.__getitem__, 0))
    tried = {name: Tried(steps) for name, steps in ways.items()}
    measure(tried, accounts, windows)
    speed = {name: way.new_tokens / way.seconds for name, way in tried.items()}
    best = max(speed[f"by_hand_{size}"] for size in SIZES)
    result = {
        **subject.told,
        "prompts": PROMPTS,
        "limits_tokens": LIMITS,
        "meter": accounts.meter_name,
        "ways": {name: way.result() for name, way in tried.items()},
        "padded_times_loop": round(speed["padded"] / speed["loop"], 2),
        "best_by_hand_times_padded": round(best / speed["padded"], 3),
        "padded_times_continuous": round(speed["padded"] / speed["continuous"], 2),
    }
    write_result(f"batch{subject.suffix}", result)


if __name__ == "__main__":
    main()
