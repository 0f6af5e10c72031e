"""A fake for tests, ours and yours: an engine for jobs that answers at once, and fails as it is told to."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from directives import Directive
from sprout_like.engines.engine import Pausable
from sprout_like.errors import BatchTooLarge, EngineUnavailable
from sprout_like.jobs.engines.engine import Answered, Ask, Outcome
from sprout_like.jobs.engines.sharing import parts_of_one
from sprout_like.meters import Energy

__all__ = ["FakeBatchEngine", "fake_answer"]

_WORDS = ("grass", "rain", "wind", "sun", "tide", "leaf", "stone", "cloud", "river", "seed", "root", "moss")


def fake_answer(messages: Sequence[Mapping[str, str]], limit_tokens: int) -> str:
    """What `FakeBatchEngine` answers to a conversation: up to 64 words that depend on it alone, cut off at the limit.

    A word is a token. The same conversation has the same answer in every process.
    """
    told = "\0".join(f"{message['role']}\0{message['content']}" for message in messages)
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()
    length = 8 + digest[0] % 57
    words = [f"{digest.hex()[:12]}", *(_WORDS[digest[n % 31] % len(_WORDS)] for n in range(1, length))]
    return " ".join(words[:limit_tokens])


class FakeBatchEngine:
    """Answers every prompt with `fake_answer` of it; no model, no torch. A word is a token.

    An instruction counts its words and changes nothing; a budget lowers the limit; other knobs are refused unless
    named in `knobs`. Run while unloaded, it loads first. Every argument is data, but for `sleep` and `on_run`.

    Args:
        name, model, family: what it says of itself.
        most_prompts: a larger batch raises `BatchTooLarge`; None for no limit.
        poison: a word; a prompt that holds it fails for good. None for none.
        unavailable_times: how many loads and runs raise `EngineUnavailable` before it is up.
        batch_s, token_s: time that a batch takes, and each token of its longest answer on top, in s.
        load_s: time that loading takes, in s.
        devices: where the model is said to sit; None together with `batch_j`.
        batch_j: what every batch says it took, in J; None leaves it to the caller's window.
        knobs: which knobs a directive may turn.
        sleep: how time passes; that of a clock moved by hand is its `advance`.
        on_run: called at the start of every run with the batch, e.g. to raise.

    Attributes:
        batches: every batch that was run, in order, those that failed as a whole too.
        loads, unloads: how often it was loaded and unloaded. loaded, closed: how it stands.
    """

    def __init__(
        self,
        *,
        name: str = "fake",
        model: str = "fake",
        family: str | None = None,
        most_prompts: int | None = None,
        poison: str | None = None,
        unavailable_times: int = 0,
        batch_s: float = 0.0,
        token_s: float = 0.0,
        load_s: float = 0.0,
        devices: Sequence[str] | None = ("cpu",),
        batch_j: float | None = None,
        knobs: Collection[str] = ("instruction", "budget"),
        sleep: Callable[[float], object] = time.sleep,
        on_run: Callable[[Sequence[Ask]], None] | None = None,
    ) -> None:
        self.name = name
        self.model = model
        self.family = family
        self.batches: list[tuple[Ask, ...]] = []
        self.loads = self.unloads = 0
        self.loaded = self.closed = False
        self._most_prompts = most_prompts
        self._poison = poison
        self._unavailable_times: float = unavailable_times
        self._batch_s = batch_s
        self._token_s = token_s
        self._load_s = load_s
        self._devices = None if devices is None or batch_j is not None else tuple(devices)
        self._batch_j = batch_j
        self._knobs = frozenset(knobs)
        self._sleep = sleep
        self._on_run = on_run

    @property
    def prompts_n(self) -> int:
        """How many prompts it was asked, those of failed batches too."""
        return sum(map(len, self.batches))

    def go_down(self, times: int | None = None) -> None:
        """Raise `EngineUnavailable` on that many loads and runs; None for all until `come_back`."""
        self._unavailable_times = float("inf") if times is None else times

    def come_back(self) -> None:
        """Answer again."""
        self._unavailable_times = 0

    def devices(self) -> tuple[str, ...] | None:
        """Those it was given."""
        return self._devices

    def load(self) -> None:
        """Take `load_s`.

        Raises:
            EngineUnavailable: it is down, or closed.
        """
        self._be_up()
        self._load()

    def unload(self) -> None:
        """Count it."""
        self.unloads += self.loaded
        self.loaded = False

    def prompt_tokens(self, ask: Ask) -> int | None:
        """The words of all messages."""
        return sum(len(message["content"].split()) for message in ask.messages)

    def refusal(self, directive: Directive, ask: Ask) -> str | None:  # noqa: ARG002 - part of the protocol
        """Refuse knobs that it was not given."""
        beyond = sorted(directive.knobs - self._knobs)
        return f"the fake engine does not know {beyond[0]}" if beyond else None

    def run(self, asks: Sequence[Ask], window: Pausable) -> Outcome:  # noqa: ARG002 - nothing is compiled
        """Answer as scripted.

        Raises:
            BatchTooLarge: it holds more than `most_prompts`.
            EngineUnavailable: it is down, or closed.
        """
        self.batches.append(tuple(asks))
        if self._on_run is not None:
            self._on_run(asks)
        self._be_up()
        self._load()
        if self._most_prompts is not None and len(asks) > self._most_prompts:
            tokens = sum(ask.limit_tokens for ask in asks)
            raise BatchTooLarge(f"{self.name}: {len(asks)} prompts with up to {tokens} new tokens do not fit")
        answers = [self._answered(ask, len(asks)) for ask in asks]
        batch_s = self._batch_s + self._token_s * max((a.new_tokens or 0 for a in answers), default=0)
        if batch_s > 0:
            self._sleep(batch_s)
        shares = parts_of_one([(a.prompt_tokens or 0) + (a.new_tokens or 0) for a in answers])
        return Outcome(
            answers=tuple(
                dataclasses.replace(answer, engine_s=batch_s, share=share)
                for answer, share in zip(answers, shares, strict=True)
            ),
            energy=self._energy(),
        )

    def close(self) -> None:
        """Unload, for good."""
        self.unload()
        self.closed = True

    def _answered(self, ask: Ask, batch_size: int) -> Answered:
        prompt_tokens = self.prompt_tokens(ask)
        if self._poison is not None and any(self._poison in message["content"] for message in ask.messages):
            return Answered(error="ValueError: a prompt that it cannot answer", for_good=True, batch_size=batch_size)
        budget, instruction = ask.directive.budget, ask.directive.instruction
        limit = ask.limit_tokens if budget is None else min(ask.limit_tokens, budget.max_new_tokens)
        text = fake_answer(ask.messages, limit)
        new_tokens = len(text.split())
        return Answered(
            text=text,
            prompt_tokens=prompt_tokens,
            instruction_tokens=len((instruction or "").split()),
            new_tokens=new_tokens,
            finish_reason="length" if new_tokens == limit else "eos",
            limit_tokens=limit,
            batch_size=batch_size,
        )

    def _energy(self) -> Energy | None:
        if self._batch_j is None:
            return None
        return Energy(energy_j=self._batch_j, cpu_j=self._batch_j, method="estimated", uncertainty_j=0.0)

    def _be_up(self) -> None:
        if self.closed:
            raise EngineUnavailable(f"{self.name}: closed")
        if self._unavailable_times > 0:
            self._unavailable_times -= 1
            raise EngineUnavailable(f"{self.name}: scripted to be down; try again later")

    def _load(self) -> None:
        if self.loaded:
            return
        if self._load_s > 0:
            self._sleep(self._load_s)
        self.loads += 1
        self.loaded = True
