"""What an engine is: it understands a call, prepares a directive for it, and runs the tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from directives import Directive

__all__ = ["Call", "Engine", "Generation", "Pausable", "Plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The caller's call, untouched, and what can be told of it before it runs.

    Attributes:
        args, kwargs: what `generate` was given, positional arguments by their names where they have one; never mutated.
        messages: the chat messages the prompt was rendered from; None where the caller gave tokens.
        template: extra keyword arguments of the chat template that rendered them.
        prompt_ids: token ids, shape (batch, length); None where the call is not a plain token prompt.
        batch_size: rows; None where unknown.
        prompt_length: columns of the output that are prompt, padding included; None where unknown.
        prompt_tokens: tokens summed over rows, padding excluded.
        limit_tokens: the caller's own limit on new tokens per row.
    """

    args: tuple[Any, ...] = field(repr=False, default=())
    kwargs: Mapping[str, Any] = field(repr=False, default_factory=dict)
    messages: Sequence[Mapping[str, Any]] | None = field(repr=False, default=None)
    template: Mapping[str, Any] = field(repr=False, default_factory=dict)
    prompt_ids: Any = field(repr=False, default=None)
    batch_size: int | None = None
    prompt_length: int | None = None
    prompt_tokens: int | None = None
    limit_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the engine is to run: the call with a directive's knobs applied.

    Attributes:
        args, kwargs: what `generate` gets.
        prompt_length: columns of the engine's output that are prompt; None where unknown.
        limit_tokens: limit on new tokens per row that is in force.
        instruction_tokens: tokens added to the prompts, summed over rows.
    """

    args: tuple[Any, ...] = field(repr=False, default=())
    kwargs: Mapping[str, Any] = field(repr=False, default_factory=dict)
    prompt_length: int | None = None
    limit_tokens: int | None = None
    instruction_tokens: int = 0


def _nothing() -> None:
    """There is no stream to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What came out.

    Attributes:
        output: exactly what `model.generate` returns, for the caller's own prompt.
        answers: new token ids per returned row, up to and with the first end token; None where unknown.
        new_tokens: their number, summed over rows.
        finish_reason: `eos`, `length` or `stop`; joined by `+` where rows differ.
        first_token_s: from the start to the first new token; None where the call did not stream.
        end_stream: tells the caller's streamer that the stream has ended; called when the request is accounted for.
    """

    output: Any = field(repr=False, default=None)
    answers: Sequence[Sequence[int]] | None = field(repr=False, default=None)
    new_tokens: int | None = None
    finish_reason: str | None = None
    first_token_s: float | None = None
    end_stream: Callable[[], None] = field(repr=False, default=_nothing)


class Pausable(Protocol):
    """A metering window that can be interrupted: what is drawn while it is paused is not the request's."""

    def pause(self) -> None:
        """Interrupt."""
        ...

    def resume(self) -> None:
        """Go on."""
        ...


class Engine(Protocol):
    """Runs generations of one model."""

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

    @property
    def devices(self) -> tuple[str, ...]:
        """Where the model sits: `cpu` or GPU UUIDs. Only these, and the host that drives them, are charged."""
        ...

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held while the model runs: one generation at a time per model, re-entrant."""
        ...

    def inspect(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        messages: Sequence[Mapping[str, Any]] | None = None,
        template: Mapping[str, Any] | None = None,
    ) -> Call:
        """Tell what can be told of a call; messages, where given, are rendered to its prompt."""
        ...

    def refusal(self, directive: Directive, call: Call) -> str | None:
        """Why the directive cannot be applied to this call; None where it can. Asked before the draw."""
        ...

    def plan(self, directive: Directive, call: Call) -> Plan:
        """Apply the directive; mutates nothing of the caller's."""
        ...

    def synchronize(self) -> None:
        """Wait until the devices have finished what was sent to them; called on both sides of a metering window."""
        ...

    def warm_up(self, call: Call) -> None:
        """Make the model ready, as like this call as can be told; its energy is overhead."""
        ...

    def run(self, plan: Plan, call: Call, window: Pausable) -> Generation:
        """Run the tokens; pause the window while compiling. The model's own exceptions pass through, no others."""
        ...

    def decode(self, answer: Sequence[int]) -> str:
        """Text of one row of new tokens, special tokens left out."""
        ...
