"""THE HOT PATH: what happens to one request, in nine steps; read `serve` top to bottom."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from sprout_like import carbon
from sprout_like.engines.engine import Generation
from sprout_like.meters import NOTHING_RAN, UNKNOWN
from sprout_like.parts import Parts
from sprout_like.provenance import decided, metered, observed, provenance
from sprout_like.record import RequestRecord
from sprout_like.serving import Served, Serving

__all__ = ["serve"]


def serve(
    parts: Parts,
    serving: Serving,
    name: str,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    messages: Sequence[Mapping[str, Any]] | None = None,
    template: Mapping[str, Any] | None = None,
) -> Served:
    """One request, from the caller's call to the row and back.

    Args:
        parts: what all views of one `CarbonAware` share.
        serving: what this view differs in.
        name: of what was called, for the row.
        args: of `generate`, by position.
        kwargs: of `generate`, by name.
        messages: the conversation, where the call is a `chat`.
        template: arguments of the chat template.

    Raises:
        Exception: whatever the template or the model raises, unchanged.
    """
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
        **decided(policy, decision, candidates),
        catalogue_version=parts.catalogue.version,
        **metered(energy),
        meter=parts.accounts.meter_name,
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
