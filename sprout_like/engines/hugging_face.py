"""Runs `model.generate` of transformers; with `sprout_like.knobs`, the only part that knows torch and transformers."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from directives import Directive, Variant
from sprout_like.engines.compiling import watch_compilation
from sprout_like.engines.engine import Call, Generation, Host, Overhead, Pausable, Plan
from sprout_like.engines.inspecting import inspect_call, positional_names
from sprout_like.engines.installing import original_generate
from sprout_like.engines.locks import hold_all, lock_of
from sprout_like.engines.output import counted, runs_as_called, shown
from sprout_like.engines.own_host import OwnHost
from sprout_like.engines.places import device_id, on_device, places
from sprout_like.engines.streaming import StreamTap
from sprout_like.engines.variants import VariantPool
from sprout_like.errors import SettingError, VariantUnavailable
from sprout_like.knobs.budget import BudgetKnob
from sprout_like.knobs.draft import DraftKnob
from sprout_like.knobs.early_exit import EarlyExitKnob
from sprout_like.knobs.instruction import InstructionKnob
from sprout_like.knobs.knob import Knob
from sprout_like.knobs.kv_cache import KvCacheKnob
from sprout_like.knobs.reuse import ReuseKnob
from sprout_like.knobs.variant import VariantKnob
from sprout_like.reuse.answers import AnswerStore
from sprout_like.reuse.given_again import shown_again
from sprout_like.reuse.prefixes import PrefixCache

__all__ = ["HuggingFaceEngine"]


class HuggingFaceEngine:
    """One transformers model and its tokenizer.

    Args:
        model: anything with transformers' `generate`, `config` and `generation_config`.
        tokenizer: its tokenizer; None leaves only directives that need none, and no `chat`.
        variants: the catalogue's variants, by name. supplied: those given in code, see `VariantPool`.
        headroom_gib: memory in GiB that loading a variant must leave free.
        monotonic_s: clock for the first token of a stream and for idle variants, in s.
        answers: where answers are kept to be given again; None keeps none.
        prefixes: where beginnings of prompts are kept; None keeps none.

    Raises:
        SettingError: `model` has no `generate`, or a supplied variant is none.
    """

    name = "transformers"

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        variants: Mapping[str, Variant] | None = None,
        supplied: Mapping[str, Any] | None = None,
        headroom_gib: float = 0.0,
        monotonic_s: Callable[[], float] = time.perf_counter,
        answers: AnswerStore | None = None,
        prefixes: PrefixCache | None = None,
    ) -> None:
        if not callable(getattr(model, "generate", None)):
            raise SettingError(
                "model",
                f"a {type(model).__name__} has no generate()",
                "Pass a transformers model, e.g. AutoModelForCausalLM.from_pretrained(…), or an engine of your own",
            )
        self._model = model
        self._host = OwnHost(model, tokenizer)
        self._monotonic_s = monotonic_s
        self._answers = answers
        self._positional = positional_names(original_generate(model))
        self._variants = VariantPool(
            self._host,
            variants or {},
            supplied or {},
            headroom_bytes=headroom_gib * 2**30,
            monotonic_s=monotonic_s,
        )
        self._variant = VariantKnob(self._variants)  # before all others, which then see the variant as their host
        self._reuse = ReuseKnob(answers, prefixes)
        # In the order in which they are applied: what is asked, how long the answer may be, how it is computed.
        self._knobs: tuple[Knob, ...] = (
            InstructionKnob(),
            BudgetKnob(),
            EarlyExitKnob(),
            DraftKnob(self._variants),
            KvCacheKnob(),
            self._reuse,
        )

    @property
    def model(self) -> str:
        """The name or path it was loaded from."""
        return str(getattr(self._model.config, "name_or_path", "") or type(self._model).__name__)

    @property
    def family(self) -> str | None:
        """`config.model_type`."""
        return getattr(self._model.config, "model_type", None)

    def devices(self, plan: Plan | None = None) -> tuple[str, ...]:
        """`cpu` or GPU UUIDs; looked up again when a model has been moved."""
        return tuple(sorted({device_id(device) for model in self._models(plan) for device in places(model)}))

    def hold(self, plan: Plan) -> AbstractContextManager[Any]:
        """The locks of the plan's models, shared by all wrappers of these models."""
        return hold_all(self._models(plan))

    def inspect(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        messages: Sequence[Mapping[str, Any]] | None = None,
        template: Mapping[str, Any] | None = None,
    ) -> Call:
        """Resolve positional arguments, render messages, count prompt tokens."""
        return inspect_call(
            self._host,
            self._positional,
            args,
            kwargs,
            device=self._model.device,
            messages=messages,
            template=template,
        )

    def misfit(self, directive: Directive) -> str | None:
        """The first knob's reason; a knob this engine does not have is one too."""
        if missing := self._missing(directive):
            return f"{min(missing)}: this engine has no such knob"
        for key, name in directive.variants:
            if (why := self._variants.misfit(key, name)) is not None:
                return why
        host = self._host_of(directive)
        turned = (knob for knob in self._knobs if knob.name in directive.knobs)
        return next((why for knob in turned if (why := knob.misfit(directive, host)) is not None), None)

    def refusal(self, directive: Directive, call: Call) -> str | None:
        """What can never be applied cannot be now; else the first knob's reason."""
        if (why := self.misfit(directive)) is not None:
            return why
        unusable = (why for _, name in directive.variants if (why := self._variants.refusal(name)) is not None)
        if (why := next(unusable, None)) is not None:
            return why
        asked = call if directive.variant is None else self._variant.redirected(directive, call)
        if isinstance(asked, str):
            return asked
        turned = (knob for knob in self._knobs if knob.name in directive.knobs)
        return next((why for knob in turned if (why := knob.refusal(directive, asked)) is not None), None)

    def ready(self, directive: Directive) -> Any | None:
        """The variants it names, where they are loaded and weights by which kept answers are found have been read."""
        models = [self._variants.ready(name) for _, name in directive.variants]
        if any(model is None for model in models):
            return None
        return models if self._reuse.is_ready(directive, self._host_of(directive)) else None

    def make_ready(self, directive: Directive, overhead: Overhead) -> Any:
        """Load the variants it names, none of which makes room for another of them; read the weights."""
        models = [self._variants.load(name, overhead) for _, name in directive.variants]
        self._reuse.make_ready(directive, self._host_of(directive), overhead)
        return models

    def plan(self, directive: Directive, call: Call) -> Plan:
        """Turn the call to the directive's variant, then apply its knobs, in a fixed order."""
        called = call
        if directive.variant is not None:
            asked = self._variant.redirected(directive, call)
            if isinstance(asked, str):  # its load has failed since the call was accepted
                raise VariantUnavailable(asked)
            call = asked
        host = call.host or self._host
        model = host.model()
        plan = Plan(
            args=call.args,
            kwargs=call.kwargs,
            host=host,
            runner=model,
            models=(model,),
            prompt_length=call.prompt_length,
            limit_tokens=call.limit_tokens,
        )
        for knob in self._knobs:
            if knob.name in directive.knobs:
                plan = knob.apply(directive, plan, call)
        if plan.answer is not None:
            return dataclasses.replace(plan, answer=shown_again(plan.answer, plan, called))
        return plan if host is self._host else on_device(plan, model.device)

    def synchronize(self) -> None:
        """Wait for the CUDA devices of the model and of loaded variants; the CPU needs no waiting."""
        models = (self._model, *self._variants.loaded().values())
        for device in {device for model in models for device in places(model)}:
            if device.type == "cuda":
                torch.cuda.synchronize(device)

    def warm_up(self, plan: Plan, call: Call) -> None:
        """Run two tokens after the prompt's end, greedily, so that no randomness of the caller's is used up."""
        ids = plan.kwargs.get("input_ids", call.prompt_ids)
        if not isinstance(ids, torch.Tensor) or ids.dim() != 2:
            return
        for model in plan.models:
            if not getattr(model, "training", False):
                _two_tokens(model, ids[:1, -8:])

    def run(self, plan: Plan, call: Call, window: Pausable) -> Generation:
        """Call `generate` of the model, or of the view of it that the plan names."""
        kwargs, tap = self._tapped(plan.kwargs, None if runs_as_called(plan, call) else call.prompt_ids)
        if plan.loop is not None:
            # `generate` keeps the streamer to itself where its loop is replaced.
            kwargs = {**kwargs, "custom_generate": plan.loop(tap)}
        generate = original_generate(plan.runner)
        started_s = self._monotonic_s()
        with watch_compilation(window.pause, window.resume):
            late, reused_tokens = ({}, 0) if plan.before_run is None else plan.before_run()
            output = generate(*plan.args, **kwargs, **late)
        if tap is not None and plan.loop is not None:
            tap.end()
        rows, reason = counted(output, plan)
        first_s = None if tap is None else tap.first_token_at_s
        generation = Generation(
            output=shown(output, plan, call),
            answers=rows,
            new_tokens=None if rows is None else sum(map(len, rows)),
            finish_reason=reason,
            counts={name: value for count in plan.counts for name, value in count().items()},
            reused_tokens=reused_tokens,
            first_token_s=None if first_s is None else first_s - started_s,
            **({} if tap is None else {"end_stream": tap.release}),
        )
        if plan.remember is not None:
            plan.remember(dataclasses.replace(generation, output=output))
        return generation

    def decode(self, plan: Plan, answer: Sequence[int]) -> str:
        """Text of one row of new tokens."""
        tokenizer = self._host.tokenizer if plan.host is None else plan.host.tokenizer
        with lock_of(tokenizer):
            return str(tokenizer.decode(answer, skip_special_tokens=True)).strip()

    def tick(self) -> None:
        """Give back the memory of idle variants, exchange kept answers with those who share them."""
        self._variants.tick()
        if self._answers is not None:
            self._answers.tick()

    def close(self) -> None:
        """Give back all variants and all kept beginnings."""
        self._variants.close()
        self._reuse.close()

    def _host_of(self, directive: Directive) -> Host:
        return self._host if directive.variant is None else self._variants.host(directive.variant)

    def _missing(self, directive: Directive) -> frozenset[str]:
        return directive.knobs - {self._variant.name, *(knob.name for knob in self._knobs)}

    def _models(self, plan: Plan | None) -> tuple[Any, ...]:
        return (self._model,) if plan is None or not plan.models else plan.models

    def _tapped(self, kwargs: Mapping[str, Any], shown_prompt: Any) -> tuple[Mapping[str, Any], StreamTap | None]:
        streamer = kwargs.get("streamer")
        if streamer is None:
            return kwargs, None
        tap = StreamTap(streamer, self._monotonic_s, None if shown_prompt is None else shown_prompt.cpu())
        return {**kwargs, "streamer": tap}, tap


def _two_tokens(model: Any, ids: torch.Tensor) -> None:
    # An assistant may have fewer tokens than the model it guesses for.
    ids = ids.to(model.device).clamp(max=model.get_input_embeddings().num_embeddings - 1)
    # In the one form of a limit that `generate` does not warn about, whatever the model's own default is.
    limit = {"max_new_tokens": None, "max_length": ids.shape[1] + 2}
    generate = original_generate(model)
    with torch.random.fork_rng(devices=[d for d in places(model) if d.type == "cuda"]):
        generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, num_beams=1, **limit)
