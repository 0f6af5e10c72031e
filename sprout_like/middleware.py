"""The hot path: one request, from the caller's call to the row and back. Read `CarbonAware._serve` top to bottom."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from directives import Policy, Uniform
from sprout_like import carbon
from sprout_like.assembly import Parts, assemble
from sprout_like.clock import Clock
from sprout_like.engines.engine import Generation
from sprout_like.engines.rendering import as_messages
from sprout_like.meters import NOTHING_RAN, UNKNOWN
from sprout_like.provenance import observed, provenance
from sprout_like.record import Purpose, RequestRecord, checked_purpose, checked_tags
from sprout_like.serving import Reply, Served, Serving
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
        model: a transformers model. tokenizer: its tokenizer; None allows `generate` alone, under fewer directives.
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
        return self._serve("generate", args, kwargs).generation.output

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
        served = self.using(task=task, tags=tags)
        done = served._serve("chat", (), kwargs, messages=messages, template=template)  # noqa: SLF001
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
        parts, now = self._parts, self._serving
        view = object.__new__(type(self))
        view._parts = parts
        view._is_view = True
        view._serving = Serving(
            now.policy if policy is None else parts.open_policy(policy),
            now.task if task is None else task,
            {**now.tags, **checked_tags(tags)},
            now.purpose if purpose is None else checked_purpose(purpose),
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

    def _serve(
        self,
        name: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        messages: Sequence[Mapping[str, Any]] | None = None,
        template: Mapping[str, Any] | None = None,
    ) -> Served:
        parts, serving = self._parts, self._serving
        engine, clock, guard = parts.engine, parts.clock, parts.guard

        # 1 take: the caller's call, untouched
        start_s, started_utc = clock.monotonic_s(), clock.now_utc()
        request_id = f"{int(started_utc.timestamp() * 1000):012x}{secrets.token_hex(10)}"
        call = guard.inspect(args, kwargs, messages, template)

        # 2 look: intensity from memory alone; may be stale or unknown, and says so
        look = guard.look(parts.grid)

        # 3 filter: before the draw, so that the propensity is the probability of what runs
        policy = guard.current(serving.policy)
        candidates = guard.candidates(policy, call)

        # 4 choose
        inferred = guard.infer_task(call) if serving.task is None else None
        decision = guard.choose(policy, observed(look, call, serving.task or inferred), candidates)

        # 5 apply; where a variant must be loaded for it, that is overhead
        plan, decision, prepare_s = guard.apply(decision, call)

        # 6 run: one generation at a time per model, or those that share a batch, whose windows share its energy
        generation, energy, error, compile_s = Generation(), UNKNOWN, None, 0.0
        queued_s = waited_s = run_s = end_s = clock.monotonic_s()
        if plan.answer is not None:
            generation, energy = plan.answer, NOTHING_RAN
        else:
            with engine.hold(plan):
                waited_s = clock.monotonic_s()
                parts.warm_up_once(plan, call)
                engine.synchronize()
                run_s = clock.monotonic_s()
                window = parts.open_window(plan)
                try:
                    generation = engine.run(plan, call, window)
                    engine.synchronize()
                except BaseException as exc:  # noqa: BLE001 - also Ctrl-C: the energy is spent; raised again in step 9
                    error = exc
                    with suppress(RuntimeError):  # a device that failed cannot be waited for
                        engine.synchronize()
                finally:
                    energy = window.close()
                end_s = clock.monotonic_s()
                compile_s = window.paused_s

        # 7 account: None in, None out
        settings, intensity = parts.settings, look.intensity
        operational_g = carbon.operational_g(
            energy.energy_j, None if intensity is None else intensity.g_per_kwh, settings.pue
        )
        embodied_g = carbon.embodied_g(parts.embodied, end_s - run_s)

        # 8 log: one row, durable when append returns; never raises into the caller
        record = RequestRecord(
            request_id=request_id,
            session_id=parts.session_id,
            started_utc=started_utc,
            duration_s=end_s - start_s,
            queue_s=waited_s - queued_s,
            engine_s=end_s - run_s,
            compile_s=compile_s,
            prepare_s=prepare_s,
            first_token_s=generation.first_token_s,
            call=name,
            purpose=serving.purpose,
            status="ok" if error is None else "error",
            error_type=None if error is None else type(error).__qualname__,
            model=engine.model,
            family=engine.family,
            variant=plan.host.variant if plan.host is not None else None,
            engine=engine.name,
            task=serving.task,
            inferred_task=inferred,
            tags=serving.tags,
            batch_size=call.batch_size,
            prompt_tokens=call.prompt_tokens,
            instruction_tokens=plan.instruction_tokens,
            reuse="answer" if plan.answer is not None else "prefix" if generation.reused_tokens else None,
            reused_tokens=generation.reused_tokens,
            new_tokens=generation.new_tokens,
            limit_tokens=plan.limit_tokens,
            caller_limit_tokens=call.limit_tokens,
            finish_reason=generation.finish_reason,
            knob_counts=generation.counts,
            zone=parts.grid.zone,
            **provenance(look),
            policy=policy.name,
            policy_version=policy.version,
            catalogue_version=parts.catalogue.version,
            directive=decision.directive,
            propensity=decision.propensity,
            decision_reason=decision.reason,
            decision_group=decision.group,
            candidates=",".join(candidates),
            energy_j=energy.energy_j,
            gpu_j=energy.gpu_j,
            cpu_j=energy.cpu_j,
            dram_j=energy.dram_j,
            energy_by_device_j=energy.by_device_j,
            energy_method=energy.method,
            energy_uncertainty_j=energy.uncertainty_j,
            meter=parts.accounts.meter_name,
            account_id=energy.account_id,
            pue=settings.pue,
            operational_g=operational_g,
            embodied_g=embodied_g,
            overhead_s=(queued_s - start_s - prepare_s) + (clock.monotonic_s() - end_s),
        )
        guard.log(record)
        generation.end_stream()

        # 9 return: exactly what the model returns, or the model's own exception
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback holds this frame: a cycle would keep the failed generation's memory alive
        return Served(plan, generation, record)
