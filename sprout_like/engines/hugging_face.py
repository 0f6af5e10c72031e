"""Runs `model.generate` of transformers; with `sprout_like.knobs`, the only part that knows torch and transformers."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from directives import Directive
from sprout_like.engines.compiling import watch_compilation
from sprout_like.engines.counting import cut_at_end, finish_reason
from sprout_like.engines.engine import Call, Generation, Pausable, Plan
from sprout_like.engines.installing import original_generate
from sprout_like.engines.locks import lock_of
from sprout_like.engines.streaming import StreamTap
from sprout_like.errors import SettingError
from sprout_like.knobs.arguments import caller_limit, end_ids, setting
from sprout_like.knobs.budget import BudgetKnob
from sprout_like.knobs.instruction import InstructionKnob
from sprout_like.knobs.knob import Knob

__all__ = ["HuggingFaceEngine"]

_LOG = logging.getLogger("sprout_like")


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
        self._tokenizer = tokenizer
        self._monotonic_s = monotonic_s
        # Taken now, so that `installed()` may replace the attribute; and never another wrapper's replacement.
        self._generate = original_generate(model)
        self._positional = _positional_names(self._generate)
        self._knobs: tuple[Knob, ...] = (
            InstructionKnob(tokenizer, model),
            BudgetKnob(tokenizer, model),
        )
        self._first_device: torch.device | None = None
        self._placed: tuple[torch.device, ...] = ()

    @property
    def model(self) -> str:
        """The name or path it was loaded from."""
        return str(getattr(self._model.config, "name_or_path", "") or type(self._model).__name__)

    @property
    def family(self) -> str | None:
        """`config.model_type`."""
        return getattr(self._model.config, "model_type", None)

    @property
    def devices(self) -> tuple[str, ...]:
        """`cpu` or GPU UUIDs; looked up again when the model has been moved."""
        return tuple(sorted({_device_id(device) for device in self._places()}))

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Shared by all wrappers of this model."""
        return lock_of(self._model)

    def inspect(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        messages: Sequence[Mapping[str, Any]] | None = None,
        template: Mapping[str, Any] | None = None,
    ) -> Call:
        """Resolve positional arguments, render messages, count prompt tokens."""
        names = self._positional[: len(args)]
        if len(args) > len(names) or not kwargs.keys().isdisjoint(names):
            return Call(args=args, kwargs=kwargs)  # `generate` will say itself what is wrong with it
        named = {**dict(zip(names, args, strict=True)), **kwargs}
        if messages is not None:
            named |= self._render(messages, template or {})
        ids = named.get("inputs")
        ids = named.get("input_ids") if ids is None else ids
        encoder_decoder = bool(getattr(self._model.config, "is_encoder_decoder", False))
        if not (isinstance(ids, torch.Tensor) and ids.dim() == 2 and not ids.is_floating_point()):
            batch_size, prompt_length = _shape_without_tokens(named, encoder_decoder)
            return Call(kwargs=named, batch_size=batch_size, prompt_length=prompt_length)
        mask = named.get("attention_mask")
        masked = isinstance(mask, torch.Tensor) and mask.shape == ids.shape
        tokens = int(torch.count_nonzero(mask)) if masked and mask is not None else self._unpadded(ids, named)
        batch, length = ids.shape
        if encoder_decoder:
            start = None if named.get("decoder_input_ids") is not None else 1
            return Call(kwargs=named, batch_size=batch, prompt_length=start, prompt_tokens=tokens)
        return Call(
            kwargs=named,
            messages=messages,
            template=template or {},
            prompt_ids=ids,
            batch_size=batch,
            prompt_length=length,
            prompt_tokens=tokens,
            limit_tokens=caller_limit(named, self._model.generation_config, length),
        )

    def refusal(self, directive: Directive, call: Call) -> str | None:
        """The first knob's reason; a knob this engine does not have is one too."""
        missing = directive.knobs - {knob.name for knob in self._knobs}
        if missing:
            return f"this engine has no {', '.join(sorted(missing))}"
        for knob in self._knobs:
            if knob.name in directive.knobs and (reason := knob.refusal(directive, call)) is not None:
                return reason
        return None

    def plan(self, directive: Directive, call: Call) -> Plan:
        """Apply the directive's knobs, in a fixed order: what is asked before how long the answer may be."""
        plan = Plan(
            args=call.args, kwargs=call.kwargs, prompt_length=call.prompt_length, limit_tokens=call.limit_tokens
        )
        for knob in self._knobs:
            if knob.name in directive.knobs:
                plan = knob.apply(directive, plan, call)
        return plan

    def synchronize(self) -> None:
        """Wait for the model's CUDA devices; the CPU needs no waiting."""
        for device in self._places():
            if device.type == "cuda":
                torch.cuda.synchronize(device)

    def warm_up(self, call: Call) -> None:
        """Run two tokens after the prompt's end, greedily, so that no randomness of the caller's is used up."""
        if call.prompt_ids is None or getattr(self._model, "training", False):
            return
        ids = call.prompt_ids[:1, -8:]
        # In the one form of a limit that `generate` does not warn about, whatever the model's own default is.
        limit = {"max_new_tokens": None, "max_length": ids.shape[1] + 2}
        with torch.random.fork_rng(devices=[d for d in self._places() if d.type == "cuda"]):
            self._generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, num_beams=1, **limit)

    def run(self, plan: Plan, call: Call, window: Pausable) -> Generation:
        """Call the model's own `generate`."""
        longer = plan.prompt_length != call.prompt_length
        kwargs, tap = self._tapped(plan.kwargs, call.prompt_ids if longer else None)
        started_s = self._monotonic_s()
        with watch_compilation(window.pause, window.resume):
            output = self._generate(*plan.args, **kwargs)
        rows, reason = self._counted(output, plan)
        first_s = None if tap is None else tap.first_token_at_s
        return Generation(
            output=_with_prompt(output, call.prompt_ids, plan.prompt_length or 0) if longer else output,
            answers=rows,
            new_tokens=None if rows is None else sum(map(len, rows)),
            finish_reason=reason,
            first_token_s=None if first_s is None else first_s - started_s,
            **({} if tap is None else {"end_stream": tap.release}),
        )

    def decode(self, answer: Sequence[int]) -> str:
        """Text of one row of new tokens."""
        with lock_of(self._tokenizer):
            return str(self._tokenizer.decode(answer, skip_special_tokens=True)).strip()

    def _places(self) -> tuple[torch.device, ...]:
        """Where the parameters are. Going through all of them takes long, so it is done when the first has moved."""
        first = self._model.device
        if first != self._first_device:
            found = {parameter.device for parameter in self._model.parameters()}
            # `meta` is where accelerate leaves what it has offloaded to the host.
            self._placed = tuple(torch.device("cpu") if d.type == "meta" else d for d in found) or (first,)
            self._first_device = first
        return self._placed

    def _unpadded(self, ids: torch.Tensor, named: Mapping[str, Any]) -> int:
        """Tokens that are not padding, told as `generate` tells them where no mask is given."""
        config = self._model.generation_config
        pad = setting("pad_token_id", named, config)
        if not isinstance(pad, int) or pad in end_ids(named, config):
            return ids.numel()
        return int((ids != pad).sum())

    def _render(self, messages: Sequence[Mapping[str, Any]], template: Mapping[str, Any]) -> dict[str, Any]:
        if getattr(self._tokenizer, "chat_template", None) is None:
            raise SettingError(
                "tokenizer",
                "chat() needs a tokenizer with a chat template and this one has none",
                "Use generate(), or set tokenizer.chat_template",
            )
        with lock_of(self._tokenizer):
            batch = self._tokenizer.apply_chat_template(
                list(messages), **{"add_generation_prompt": True, **template}, return_tensors="pt", return_dict=True
            )
        device = self._model.device
        return {"input_ids": batch["input_ids"].to(device), "attention_mask": batch["attention_mask"].to(device)}

    def _tapped(self, kwargs: Mapping[str, Any], shown_prompt: Any) -> tuple[Mapping[str, Any], StreamTap | None]:
        streamer = kwargs.get("streamer")
        if streamer is None:
            return kwargs, None
        shown = None if shown_prompt is None else shown_prompt.cpu()
        tap = StreamTap(streamer, self._monotonic_s, shown)
        return {**kwargs, "streamer": tap}, tap

    def _counted(self, output: Any, plan: Plan) -> tuple[list[Sequence[int]] | None, str | None]:
        """New tokens per row and why they ended; unknown where the output or a setting is of a form we do not know."""
        try:
            answers = self._answers(output, plan)
            if answers is None:
                return None, None
            config = self._model.generation_config
            ends = end_ids(plan.kwargs, config)
            pad = setting("pad_token_id", plan.kwargs, config)
            rows = [cut_at_end(row, ends, pad) for row in answers]
            return rows, finish_reason(rows, ends, plan.limit_tokens)
        except (TypeError, ValueError) as exc:  # the answer is there, and must not be lost to its counting
            _LOG.warning("an answer could not be counted (%s); its tokens are unknown", type(exc).__qualname__)
            return None, None

    def _answers(self, output: Any, plan: Plan) -> list[list[int]] | None:
        sequences = getattr(output, "sequences", output)
        if plan.prompt_length is None or not isinstance(sequences, torch.Tensor) or sequences.dim() != 2:
            return None
        rows: list[list[int]] = sequences[:, plan.prompt_length :].tolist()
        return rows


def _shape_without_tokens(named: Mapping[str, Any], encoder_decoder: bool) -> tuple[int | None, int | None]:
    """Batch size and prompt columns of the output, None where unknown.

    Embeddings leave no prompt in the output; without any input `generate` starts from one token.
    """
    embeds = named.get("inputs_embeds")
    if embeds is not None:
        return int(embeds.shape[0]), 1 if encoder_decoder else 0
    inputs = {"inputs", "encoder_outputs", "input_features", "input_values", "pixel_values", "decoder_input_ids"}
    if any(named.get(name) is not None for name in inputs):
        return None, None
    return 1, 1


def _positional_names(generate: Callable[..., Any]) -> tuple[str, ...]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(n for n, p in inspect.signature(generate).parameters.items() if p.kind in kinds)


def _device_id(device: torch.device) -> str:
    if device.type != "cuda":
        return str(device.type)
    # NVML numbers all GPUs of the machine, torch only the visible ones: the UUID is what both agree on.
    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"


def _with_prompt(output: Any, caller_ids: Any, engine_length: int) -> Any:
    """The engine's output as if the caller's own prompt had been run."""
    if isinstance(output, torch.Tensor):
        return _joined(output, caller_ids, engine_length)
    # A cache would hold the instruction's positions. Without it a continuation computes its prompt again and is right.
    fields = {**output, "sequences": _joined(output.sequences, caller_ids, engine_length), "past_key_values": None}
    return type(output)(**{name: value for name, value in fields.items() if value is not None})


def _joined(sequences: Any, caller_ids: Any, engine_length: int) -> Any:
    repeats = sequences.shape[0] // caller_ids.shape[0]
    prompt = caller_ids.repeat_interleave(repeats, dim=0).to(device=sequences.device, dtype=sequences.dtype)
    return torch.cat([prompt, sequences[:, engine_length:]], dim=1)
