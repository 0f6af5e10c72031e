"""What an engine is: it understands a call, prepares a directive for it, and runs the tokens."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from directives import Directive

__all__ = ["Call", "Engine", "Generation", "Host", "Overhead", "Pausable", "Plan", "RowEnder"]

T = TypeVar("T")

Overhead = Callable[[], AbstractContextManager[None]]
"""Opens a block whose energy is nobody's request."""


class Host(Protocol):
    """A model that can answer, with what can be told of it without its weights: they may not be loaded yet."""

    @property
    def variant(self) -> str | None:
        """Name of the variant; None for the wrapped model itself."""
        ...

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer; None where the caller gave none."""
        ...

    @property
    def config(self) -> Any:
        """Its `PretrainedConfig`, as it is now."""
        ...

    @property
    def generation_config(self) -> Any:
        """Its own `GenerationConfig`, as it is now."""
        ...

    @property
    def is_quantized(self) -> bool:
        """Whether its weights are small whole numbers, of which changes cannot be seen."""
        ...

    def model(self) -> Any:
        """The model, loaded where it was not.

        Raises:
            VariantUnavailable: it cannot be loaded.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The caller's call, untouched, and what can be told of it before it runs.

    Attributes:
        host: the model that is to answer it; None where the engine has no hosts.
        args, kwargs: what `generate` was given, positional arguments by their names where they have one; never mutated.
        messages: the chat messages the prompt was rendered from; None where the caller gave tokens.
        template: extra keyword arguments of the chat template that rendered them.
        prompt_ids: token ids, shape (batch, length); None where the call is not a plain token prompt.
        rows: the same as lists, padding left out; None where padding stands anywhere but on the left.
        opaque: the argument that rules out changing the prompt, the limit or the loop; None where there is none.
        batch_size: rows; None where unknown.
        prompt_length: columns of the output that are prompt, padding included; None where unknown.
        prompt_tokens: tokens summed over rows, padding excluded.
        limit_tokens: the caller's own limit on new tokens per row.
    """

    host: Host | None = field(repr=False, default=None)
    args: tuple[Any, ...] = field(repr=False, default=())
    kwargs: Mapping[str, Any] = field(repr=False, default_factory=dict)
    messages: Sequence[Mapping[str, Any]] | None = field(repr=False, default=None)
    template: Mapping[str, Any] = field(repr=False, default_factory=dict)
    prompt_ids: Any = field(repr=False, default=None)
    rows: Sequence[Sequence[int]] | None = field(repr=False, default=None)
    opaque: str | None = None
    batch_size: int | None = None
    prompt_length: int | None = None
    prompt_tokens: int | None = None
    limit_tokens: int | None = None
    _found: dict[Callable[[Call], Any], Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def once(self, question: Callable[[Call], T]) -> T:
        """The answer to a question about this call, or about its host as it is now: found out when first asked for.

        A call serves one request, which asks of many directives whether they can be applied to it. Another request is
        another call, and so is one made by `dataclasses.replace`: of these nothing has been asked.

        Args:
            question: a function, or a method of an object that lives as long; its answer must depend on no directive.
        """
        if question not in self._found:
            self._found[question] = question(self)
        found: T = self._found[question]
        return found


def _nothing() -> None:
    """There is no stream to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What came out.

    Attributes:
        output: exactly what `model.generate` returns, for the caller's own prompt.
        answers: new token ids per returned row, up to and with the first end token; None where unknown.
        new_tokens: their number, summed over rows.
        finish_reason: `eos`, `length`, `stop` or `repetition`; joined by `+` where rows differ.
        counts: what the knobs counted, by name.
        reused_tokens: prompt tokens that were not computed again; None where unknown.
        first_token_s: from the start to the first new token; None where the call did not stream.
        end_stream: tells the caller's streamer that the stream has ended; called when the request is accounted for.
    """

    output: Any = field(repr=False, default=None)
    answers: Sequence[Sequence[int]] | None = field(repr=False, default=None)
    new_tokens: int | None = None
    finish_reason: str | None = None
    counts: Mapping[str, float] = field(default_factory=dict)
    reused_tokens: int | None = None
    first_token_s: float | None = None
    end_stream: Callable[[], None] = field(repr=False, default=_nothing)


class RowEnder(Protocol):
    """What ended rows of a batch for a reason of its own, read when the run is over."""

    @property
    def reason(self) -> str:
        """The finish reason of these rows."""
        ...

    @property
    def rows(self) -> Collection[int]:
        """Indices of the rows it ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the engine is to run: the call with a directive's knobs applied.

    Attributes:
        args, kwargs: what `generate` gets.
        host: the model that answers. runner: the loaded model, or the view of it, whose `generate` is called; None for
            engines without hosts.
        models: every model object the run touches: they are locked while it runs, their devices are charged, and each
            is warmed up once. They are told apart by identity, and referred to weakly.
        loop: makes the callable that takes the place of `generate`'s own loop, given the streamer; None keeps that.
        prompt_length: columns of the engine's output that are prompt; None where unknown.
        limit_tokens: limit on new tokens per row that is in force.
        instruction_tokens: tokens added to the prompts, summed over rows.
        ender: what may end rows early. counts: called after the run, gives what a knob counted, by name.
        answer: the generation itself, where it need not be run.
        remember: called after a run that went well with the generation, its output as the engine's prompt had it.
        before_run: called at the start of the run, under the models' locks and inside the metering window, where models
            may be used; gives further arguments of `generate`, and how many prompt tokens they save from computing.
    """

    args: tuple[Any, ...] = field(repr=False, default=())
    kwargs: Mapping[str, Any] = field(repr=False, default_factory=dict)
    host: Host | None = field(repr=False, default=None)
    runner: Any = field(repr=False, default=None)
    models: tuple[Any, ...] = field(repr=False, default=())
    loop: Callable[[Any], Callable[..., Any]] | None = field(repr=False, default=None)
    prompt_length: int | None = None
    limit_tokens: int | None = None
    instruction_tokens: int = 0
    ender: RowEnder | None = field(repr=False, default=None)
    counts: tuple[Callable[[], Mapping[str, float]], ...] = field(repr=False, default=())
    answer: Generation | None = field(repr=False, default=None)
    remember: Callable[[Generation], None] | None = field(repr=False, default=None)
    before_run: Callable[[], tuple[Mapping[str, Any], int]] | None = field(repr=False, default=None)


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

    def devices(self, plan: Plan | None = None) -> tuple[str, ...]:
        """Where the plan's models sit (None: the model): `cpu` or GPU UUIDs. Only these and their CPU are charged."""
        ...

    def hold(self, plan: Plan) -> AbstractContextManager[Any]:
        """Held while the plan runs: alone on its models, re-entrant; or beside others that run together with it."""
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

    def misfit(self, directive: Directive) -> str | None:
        """Why the directive can never be applied to this model, its key first; None where some call may have it."""
        ...

    def refusal(self, directive: Directive, call: Call) -> str | None:
        """Why the directive cannot be applied to this call; None where it can. Asked before the draw."""
        ...

    def ready(self, directive: Directive) -> Any | None:
        """What the directive needs, for the caller to keep until the plan is made; None where some must be loaded."""
        ...

    def make_ready(self, directive: Directive, overhead: Overhead) -> Any:
        """Load what the directive needs, and give it to the caller, to be kept until the plan is made.

        Args:
            directive: the directive.
            overhead: opened around the loading itself; who waits for others opens nothing, as their energy is theirs.

        Raises:
            VariantUnavailable: it cannot be loaded.
        """
        ...

    def plan(self, directive: Directive, call: Call) -> Plan:
        """Apply the directive; mutates nothing of the caller's."""
        ...

    def synchronize(self) -> None:
        """Wait until the devices have finished what was sent to them; called on both sides of a metering window."""
        ...

    def warm_up(self, plan: Plan, call: Call) -> None:
        """Warm the plan's models, here the new ones, as like this call as can be told; its energy is overhead."""
        ...

    def run(self, plan: Plan, call: Call, window: Pausable) -> Generation:
        """Run the tokens; pause the window while compiling. The model's own exceptions pass through.

        Raises:
            BatchFailed: the plan ran together with others, and they failed together.
        """
        ...

    def decode(self, plan: Plan, answer: Sequence[int]) -> str:
        """Text of one row of new tokens, special tokens left out."""
        ...

    def tick(self) -> None:
        """Housekeeping, called about once a second in the background: gives back the memory of what is idle."""
        ...

    def close(self) -> None:
        """Give back all that was loaded; safe to call twice."""
        ...
