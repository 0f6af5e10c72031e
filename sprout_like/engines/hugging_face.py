"""Runs `model.generate` of transformers; with `sprout_like.knobs`, the only part that knows torch and transformers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from directives import Directive
from sprout_like.engines.compiling import watch_compilation
from sprout_like.engines.engine import Call, Generation, Pausable, Plan
from sprout_like.engines.inspecting import inspect_call, positional_names
from sprout_like.engines.installing import original_generate
from sprout_like.engines.locks import hold_all, lock_of
from sprout_like.engines.output import counted, shown
from sprout_like.engines.own_host import OwnHost
from sprout_like.engines.places import device_id, places
from sprout_like.engines.streaming import StreamTap
from sprout_like.errors import SettingError
from sprout_like.knobs.budget import BudgetKnob
from sprout_like.knobs.instruction import InstructionKnob
from sprout_like.knobs.knob import Knob

__all__ = ["HuggingFaceEngine"]


class HuggingFaceEngine:
    """One transformers model and its tokenizer.

    Args:
        model: anything with transformers' `generate`, `config` and `generation_config`.
        tokenizer: its tokenizer; None leaves only directives that need none, and no `chat`.
        monotonic_s: clock for the first token of a stream, in s.

    Raises:
        SettingError: `model` has no `generate`.
    """

    name = "transformers"

    def __init__(self, model: Any, tokenizer: Any, *, monotonic_s: Callable[[], float] = time.perf_counter) -> None:
        if not callable(getattr(model, "generate", None)):
            raise SettingError(
                "model",
                f"a {type(model).__name__} has no generate()",
                "Pass a transformers model, e.g. AutoModelForCausalLM.from_pretrained(…), or an engine of your own",
            )
        self._model = model
        self._host = OwnHost(model, tokenizer)
        self._monotonic_s = monotonic_s
        self._positional = positional_names(original_generate(model))
        # In the order in which they are applied: what is asked, how long the answer may be, how it is computed.
        self._knobs: tuple[Knob, ...] = (InstructionKnob(), BudgetKnob())

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
        missing = directive.knobs - {knob.name for knob in self._knobs}
        if missing:
            return f"{min(missing)}: this engine has no such knob"
        turned = (knob for knob in self._knobs if knob.name in directive.knobs)
        return next((why for knob in turned if (why := knob.misfit(directive, self._host)) is not None), None)

    def refusal(self, directive: Directive, call: Call) -> str | None:
        """The first knob's reason; a knob this engine does not have is one too."""
        missing = directive.knobs - {knob.name for knob in self._knobs}
        if missing:
            return f"this engine has no {', '.join(sorted(missing))}"
        turned = (knob for knob in self._knobs if knob.name in directive.knobs)
        return next((why for knob in turned if (why := knob.refusal(directive, call)) is not None), None)

    def is_ready(self, directive: Directive) -> bool:  # noqa: ARG002 - part of the protocol
        """The model is loaded."""
        return True

    def make_ready(self, directive: Directive) -> None:
        """Nothing is to be loaded."""

    def plan(self, directive: Directive, call: Call) -> Plan:
        """Apply the directive's knobs, in a fixed order."""
        model = self._host.model()
        plan = Plan(
            args=call.args,
            kwargs=call.kwargs,
            host=self._host,
            runner=model,
            models=(model,),
            prompt_length=call.prompt_length,
            limit_tokens=call.limit_tokens,
        )
        for knob in self._knobs:
            if knob.name in directive.knobs:
                plan = knob.apply(directive, plan, call)
        return plan

    def synchronize(self) -> None:
        """Wait for the model's CUDA devices; the CPU needs no waiting."""
        for device in places(self._model):
            if device.type == "cuda":
                torch.cuda.synchronize(device)

    def warm_up(self, plan: Plan, call: Call) -> None:
        """Run two tokens after the prompt's end, greedily, so that no randomness of the caller's is used up."""
        ids = plan.kwargs.get("input_ids", call.prompt_ids)
        model = plan.host.model() if plan.host is not None else None
        if model is None or not isinstance(ids, torch.Tensor) or ids.dim() != 2 or getattr(model, "training", False):
            return
        ids = ids[:1, -8:]
        # In the one form of a limit that `generate` does not warn about, whatever the model's own default is.
        limit = {"max_new_tokens": None, "max_length": ids.shape[1] + 2}
        generate = original_generate(model)
        with torch.random.fork_rng(devices=[d for d in places(model) if d.type == "cuda"]):
            generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, num_beams=1, **limit)

    def run(self, plan: Plan, call: Call, window: Pausable) -> Generation:
        """Call `generate` of the model, or of the view of it that the plan names."""
        hidden = plan.prompt_length != call.prompt_length
        kwargs, tap = self._tapped(plan.kwargs, call.prompt_ids if hidden else None)
        if plan.loop is not None:
            # `generate` keeps the streamer to itself where its loop is replaced.
            kwargs = {**kwargs, "custom_generate": plan.loop(tap)}
        generate = original_generate(plan.runner)
        started_s = self._monotonic_s()
        with watch_compilation(window.pause, window.resume):
            output = generate(*plan.args, **kwargs)
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
            first_token_s=None if first_s is None else first_s - started_s,
            **({} if tap is None else {"end_stream": tap.release}),
        )
        if plan.remember is not None:
            plan.remember(generation)
        return generation

    def decode(self, plan: Plan, answer: Sequence[int]) -> str:
        """Text of one row of new tokens."""
        tokenizer = self._host.tokenizer if plan.host is None else plan.host.tokenizer
        with lock_of(tokenizer):
            return str(tokenizer.decode(answer, skip_special_tokens=True)).strip()

    def tick(self) -> None:
        """Nothing is idle."""

    def close(self) -> None:
        """Nothing was loaded here."""

    def _models(self, plan: Plan | None) -> tuple[Any, ...]:
        return (self._model,) if plan is None or not plan.models else plan.models

    def _tapped(self, kwargs: Mapping[str, Any], shown_prompt: Any) -> tuple[Mapping[str, Any], StreamTap | None]:
        streamer = kwargs.get("streamer")
        if streamer is None:
            return kwargs, None
        tap = StreamTap(streamer, self._monotonic_s, None if shown_prompt is None else shown_prompt.cpu())
        return {**kwargs, "streamer": tap}, tap
