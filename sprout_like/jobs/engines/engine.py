"""What an engine for jobs is: it answers batches, and tells what each answer took of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from directives import Directive
from sprout_like.engines.engine import Pausable
from sprout_like.meters import Energy

__all__ = ["Answered", "Ask", "BatchEngine", "Outcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One prompt of a batch; its texts are kept out of the repr.

    Attributes:
        messages: the conversation. template: arguments of the chat template.
        arguments: of `generate`, `max_new_tokens` among them.
        directive: how it is to be answered; one that `refusal` accepted.
    """

    messages: Sequence[Mapping[str, str]] = field(repr=False)
    template: Mapping[str, Any] = field(repr=False, default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    directive: Directive

    @property
    def limit_tokens(self) -> int:
        """The caller's own limit on new tokens."""
        return int(self.arguments["max_new_tokens"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of one prompt.

    Attributes:
        text: the answer, special tokens left out; None where there is none. Kept out of the repr.
        error: why there is none: class name of the exception, without text of the prompt. for_good: whether it would
            fail again, as a prompt longer than the model's context does.
        prompt_tokens: of the caller's prompt. instruction_tokens: added by the directive.
        new_tokens, finish_reason: as in `Generation`. limit_tokens: the limit that was in force.
        batch_size: rows that ran together with it, on average over its steps, rounded; 1 where it ran alone.
        first_token_s, engine_s: since the batch began, and time from its first step to its last; None where unknown.
        share: of the batch's energy; the shares of a batch sum to 1.
    """

    text: str | None = field(repr=False, default=None)
    error: str | None = None
    for_good: bool = False
    prompt_tokens: int | None = None
    instruction_tokens: int = 0
    new_tokens: int | None = None
    finish_reason: str | None = None
    limit_tokens: int | None = None
    batch_size: int = 1
    first_token_s: float | None = None
    engine_s: float | None = None
    share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A batch, done.

    Attributes:
        answers: one for each ask, in their order.
        energy: of the batch, where the engine measured or estimated it itself; None where the caller's window did.
    """

    answers: tuple[Answered, ...]
    energy: Energy | None = None


class BatchEngine(Protocol):
    """Answers batches of prompts with one model. Used by one thread at a time."""

    @property
    def name(self) -> str:
        """Short name, stored in every row."""
        ...

    @property
    def model(self) -> str:
        """The model's name or path, stored in every row."""
        ...

    @property
    def family(self) -> str | None:
        """The model's architecture, e.g. `llama`; None where unknown."""
        ...

    def devices(self) -> tuple[str, ...] | None:
        """What the caller is to meter: `cpu` or GPU UUIDs; None where the outcome says itself what it took."""
        ...

    def load(self) -> None:
        """Make ready to run, as loading a model's weights does; its energy is overhead. Nothing where it is already.

        Raises:
            EngineUnavailable: it cannot be made ready now.
        """
        ...

    def unload(self) -> None:
        """Give back what `load` took; nothing where it is not loaded."""
        ...

    def prompt_tokens(self, ask: Ask) -> int | None:
        """Tokens of the caller's prompt, which the policy goes by; None where it cannot be told before it is run."""
        ...

    def refusal(self, directive: Directive, ask: Ask) -> str | None:
        """Why this prompt cannot be answered under the directive here; None where it can. Asked before the draw."""
        ...

    def run(self, asks: Sequence[Ask], window: Pausable) -> Outcome:
        """Answer them together; pause the window while compiling. A prompt's own fault is its answer's `error`.

        Raises:
            BatchTooLarge: the batch does not fit into memory; the caller tries a smaller one.
            EngineUnavailable: the engine does not answer, and no prompt is to blame.
        """
        ...

    def close(self) -> None:
        """Give back everything; safe to call twice."""
        ...
