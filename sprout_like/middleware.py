"""What users hold: their model, made carbon-aware. What happens to a request is in `hot_path.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from directives import Policy, Uniform
from sprout_like.assembly import assemble
from sprout_like.clock import Clock
from sprout_like.engines.rendering import as_messages
from sprout_like.hot_path import serve
from sprout_like.parts import Parts
from sprout_like.record import Purpose, checked_tags
from sprout_like.serving import Reply, Serving
from sprout_like.settings import Settings

if TYPE_CHECKING:
    from sprout_like.feed import Live
    from sprout_like.jobs.handle import JobHandle
    from sprout_like.jobs.working.worker import Progress, Worker

__all__ = ["CarbonAware", "Reply"]


class CarbonAware:
    """Wraps a model so that every generation is carbon-aware, metered and logged.

    Each part may be given as a name, a URL or an object; what is not given comes from `settings`, which read the
    environment (`SPROUT_…`) and `sprout.toml`.

    Args:
        model: a transformers model.
        tokenizer: its tokenizer; None allows `generate` alone, under fewer directives.
        zone: zone whose intensity is used, e.g. `GB`.
        grid: `uk`, `static:250`, a number in g/kWh, `trace:day.csv`, or a `grid.Source`.
        policy: `contextual` (the default), `threshold`, a directive's name to pin it, or a `directives.Policy`.
        ledger: a database URL, a path, or a `sprout_like.ledger.Ledger`.
        meter: `auto`, `nvml`, `rapl`, `cpu`, `none`, a sum such as `nvml+cpu`, or a `sprout_like.meters.Meter`.
        engine: `transformers` (the default: the model's own `generate`, one call at a time), `continuous` (calls of
            many threads are computed together where transformers can), or a `sprout_like.engines.engine.Engine`.
        variants: models for the catalogue's variants, by name: `(model, tokenizer)`, or a function that loads and
            returns them; those not given are loaded as the catalogue describes them.
        tags: tags of every row.
        settings: resolved settings; None loads them.
        clock: time, for tests and replays.
        rng: randomness, likewise.

    Raises:
        SettingError: a setting is unknown, malformed or cannot be honoured.
        grid.GridError: the zone is unknown, the source is, or it refused the key.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        *,
        zone: str | None = None,
        grid: Any = None,
        policy: Any = None,
        ledger: Any = None,
        meter: Any = None,
        engine: Any = None,
        variants: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        settings: Settings | None = None,
        clock: Clock | None = None,
        rng: Uniform | None = None,
    ) -> None:
        self._parts: Parts = assemble(
            model,
            tokenizer,
            zone=zone,
            grid=grid,
            policy=policy,
            ledger=ledger,
            meter=meter,
            engine=engine,
            variants=variants,
            settings=settings,
            clock=clock,
            rng=rng,
        )
        all_tags = {**self._parts.settings.tags, **checked_tags(tags)}
        self._serving = Serving(self._parts.policy, None, all_tags, "request")
        self._is_view = False

    def generate(self, *args: Any, **kwargs: Any) -> Any:
        """`model.generate`, carbon-aware: the same arguments and the same return, for the caller's own prompt.

        Raises:
            Exception: whatever the model raises, unchanged.
        """
        return serve(self._parts, self._serving, "generate", args, kwargs).generation.output

    def chat(
        self,
        messages: str | Sequence[Mapping[str, Any]],
        *,
        task: str | None = None,
        tags: Mapping[str, str] | None = None,
        template: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Reply:
        """Answer a conversation.

        Args:
            messages: chat messages, or the text of one user message.
            task: kind of work, for the row and the policy.
            tags: further tags of the row.
            template: arguments of the tokenizer's chat template, e.g. `{"enable_thinking": False}`.
            kwargs: arguments of `generate`.

        Raises:
            SettingError: the tokenizer has no chat template.
            Exception: whatever the template or the model raises, unchanged.
        """
        messages = as_messages(messages)
        serving = self._serving.under(task=task, tags=tags)
        done = serve(self._parts, serving, "chat", (), kwargs, messages=messages, template=template)
        answers = done.generation.answers or ([],)
        reply = Reply(self._parts.engine.decode(done.plan, answers[0]), done.record)
        self._parts.offer(messages, template, kwargs, reply)
        return reply

    def using(
        self,
        *,
        policy: str | Policy | None = None,
        task: str | None = None,
        tags: Mapping[str, str] | None = None,
        purpose: Purpose | None = None,
    ) -> CarbonAware:
        """A view that serves under another policy, task, tags or purpose and shares everything else.

        Raises:
            SettingError: `policy` is neither a policy nor a directive, a tag is no text, or the purpose is unknown.
        """
        view = object.__new__(type(self))
        view._parts = self._parts
        view._is_view = True
        view._serving = self._serving.under(
            policy=None if policy is None else self._parts.open_policy(policy), task=task, tags=tags, purpose=purpose
        )
        return view

    def submit(
        self,
        prompts: Iterable[str | Sequence[Mapping[str, str]] | Mapping[str, Any]],
        *,
        limit_tokens: int = 256,
        template: Mapping[str, Any] | None = None,
        **order: Any,
    ) -> JobHandle:
        """Leave prompts as a job with a deadline; `worker` here or `sprout-like jobs worker` runs it in a low.

        Args:
            prompts: each a text, a list of chat messages, or an object with the keys of a line of a file of prompts.
                Their texts and the answers are kept in the ledger.
            limit_tokens: limit on new tokens of prompts that name none.
            template: arguments of the chat template.
            **order: `deadline` (a moment with its zone, or a length of time such as `"+8h"` from now) and whatever else
                `sprout_like.jobs.submitting.submission.Order` names.

        Raises:
            JobError: the deadline has passed, has no zone or cannot be kept, there is no prompt, or a file exists.
            SettingError: one is no prompt, or the ledger has no queue.
        """
        from sprout_like.jobs.aware import submitted
        from sprout_like.jobs.submitting.submission import Order

        serving = self._serving
        asked = {"model": self.model_name, "task": serving.task, **order}
        asked["tags"] = {**serving.tags, **checked_tags(order.get("tags"))}
        return submitted(self._parts, prompts, Order(**asked), limit_tokens=limit_tokens, template=template)

    def worker(
        self,
        *,
        batch_size: int | None = None,
        at_once: bool = False,
        heard: Callable[[Progress], object] | None = None,
    ) -> Worker:
        """A worker that runs jobs on this model: call its `run`, here or in a thread of yours, and its `stop`.

        Args:
            batch_size: items at a time; None finds the best.
            at_once: whether to heed no plan.
            heard: told of each change.

        Raises:
            SettingError, LedgerError: the ledger has no queue, or cannot be used.
        """
        from sprout_like.jobs.aware import worker_of

        return worker_of(self._parts, batch_size=batch_size, at_once=at_once, heard=heard)

    @property
    def model_name(self) -> str:
        """Name of the wrapped model, as in its rows."""
        return self._parts.engine.model

    @property
    def live(self) -> Live:
        """What exporters follow: rows as they are written, the intensity now. See `sprout_like.exports`."""
        return self._parts.live

    def refusals(
        self,
        *args: Any,
        messages: str | Sequence[Mapping[str, Any]] | None = None,
        template: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> dict[str, str]:
        """Why directives of the catalogue cannot be applied to such a call, by their names; nothing is run.

        Args:
            *args: arguments of `generate`.
            messages: chat messages or the text of one user message, where the call is a `chat`.
            template: as in `chat`.
            **kwargs: arguments of `generate`.
        """
        engine, catalogue = self._parts.engine, self._parts.catalogue
        call = engine.inspect(
            args, kwargs, messages=None if messages is None else as_messages(messages), template=template
        )
        reasons = {d.name: engine.refusal(d, call) for d in catalogue if d.knobs}
        return {name: reason for name, reason in reasons.items() if reason is not None}

    @contextmanager
    def installed(self) -> Iterator[CarbonAware]:
        """While the block runs, `model.generate` itself goes through here; afterwards the model is as it was."""
        from sprout_like.engines.installing import replaced_generate

        with replaced_generate(self._parts.model, self.generate):
            yield self

    @contextmanager
    def overhead(self) -> Iterator[None]:
        """Book the energy of the block (loading, warming up) as overhead instead of a request's or idle."""
        with self._parts.overhead():
            yield

    def close(self) -> None:
        """Write the open energy account, flush the ledger, stop the background thread. Safe to call twice.

        A view made by `using` closes nothing: what it shares is closed by the object that it was made from.
        """
        if not self._is_view:
            self._parts.close()

    def __enter__(self) -> CarbonAware:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        parts = self._parts
        return (
            f"CarbonAware({parts.engine.model}, zone={parts.grid.zone}, grid={parts.grid.source.name}, "
            f"policy={self._serving.policy.version}, meter={parts.accounts.meter_name})"
        )
