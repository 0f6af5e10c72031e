"""The `kv_cache` knob: keys and values of past tokens are kept in a static or in a quantized cache."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from directives import Directive, KvCache
from sprout_like.engines.engine import Call, Host, Plan
from sprout_like.knobs.arguments import setting, with_settings
from sprout_like.knobs.decoding import cache_misfit, cache_of_its_own, loop_of_its_own, text_config

__all__ = ["KvCacheKnob"]

_STATIC = frozenset({"full_attention", "sliding_attention"})
_QUANTIZED = frozenset({"full_attention"})

# Bits per value that a backend can keep, from `transformers.cache_utils`; fp8 has one form and takes no number.
_BITS: Mapping[str, tuple[int, ...]] = {"quanto": (2, 4), "hqq": (1, 2, 3, 4, 8), "fp8": (8,)}
_GROUP = 64  # values that share a scale in quanto and hqq, the default of `transformers.cache_utils`
_PACKAGES = {"quanto": "optimum-quanto", "hqq": "hqq"}

# Where `generate` compiles what has a static cache, from `GenerationMixin._valid_auto_compile_criteria`.
_COMPILES_ON = frozenset({"cuda", "xpu", "neuron", "tpu"})

# What is set on a model object and belongs to it alone: an installed `generate`; the size of its longest static cache
# so far and its compiled forward, which `generate` leaves behind.
_OWN = ("generate", "_previous_max_cache_length", "_compiled_call", "_last_compile_config")


class KvCacheKnob:
    """Chooses the cache by generation settings.

    A static cache is allocated once, for the longest answer the call may have; the answer stays as it is. It runs on a
    view of the model, made for the call. On CUDA, where `generate` then compiles the model, the view is kept with what
    was compiled, and with its longest cache so far: another length would compile again.
    A quantized cache saves memory, not energy: it is unpacked at every step, and the answer may change.
    """

    name = "kv_cache"

    def __init__(self) -> None:
        self._views: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self._misfits: WeakKeyDictionary[Host, dict[KvCache, str | None]] = WeakKeyDictionary()

    def misfit(self, directive: Directive, host: Host) -> str | None:
        """The family must keep plain keys and values, without a window where they are quantized."""
        kv_cache = directive.kv_cache
        if kv_cache is None:
            return None
        known = self._misfits.setdefault(host, {})
        if kv_cache not in known:  # it takes a third of a millisecond, and every request asks
            known[kv_cache] = _misfit(kv_cache, host.config)
        return known[kv_cache]

    def refusal(self, directive: Directive, call: Call) -> str | None:
        """Refuse calls that choose a cache or a loop, want the cache back, or would allocate more than can be used."""
        host = call.host
        if host is None or call.prompt_ids is None or call.limit_tokens is None:
            return "the prompt is not given as tokens"
        if call.opaque is not None:
            return f"the call uses {call.opaque}"
        if (why := call.once(cache_of_its_own) or call.once(loop_of_its_own)) is not None:
            return f"the call uses {why}"
        if setting("return_dict_in_generate", call.kwargs, host.generation_config):
            return "the call wants its cache back"
        return _too_long(directive, call, host.config)

    def apply(self, directive: Directive, plan: Plan, call: Call) -> Plan:  # noqa: ARG002 - part of the protocol
        """Set the kind of cache; a static one runs on a view of the model."""
        kv_cache = directive.kv_cache
        if kv_cache is None:
            return plan
        if kv_cache.kind == "static":
            runner, whole = plan.runner, any(plan.runner is model for model in plan.models)
            if whole and _is_worth_compiling(runner):
                kwargs = with_settings(plan.kwargs, cache_implementation="static")
                return dataclasses.replace(plan, kwargs=kwargs, runner=self._kept_view(runner))
            # A view for this call alone, another knob's or our own: compiling it would serve nobody.
            kwargs = with_settings(plan.kwargs, cache_implementation="static", disable_compile=True)
            return dataclasses.replace(plan, kwargs=kwargs, runner=_view(runner) if whole else runner)
        backend = _backend(kv_cache, plan.runner.config)
        bits = {} if kv_cache.bits is None or backend == "fp8" else {"nbits": kv_cache.bits}
        kwargs = with_settings(plan.kwargs, cache_implementation="quantized", cache_config={"backend": backend, **bits})
        return dataclasses.replace(plan, kwargs=kwargs)

    def _kept_view(self, model: Any) -> Any:
        """The same view each time, as it carries what was compiled."""
        if model not in self._views:
            self._views[model] = _view(model)
        view = self._views[model]
        # Another config, another mode: the view is as the model is now.
        vars(view).update((name, value) for name, value in vars(model).items() if name not in _OWN)
        return view


def _view(model: Any) -> Any:
    """The model object again, with the same parts."""
    view = copy.copy(model)
    for name in _OWN:
        vars(view).pop(name, None)
    return view


def _is_worth_compiling(model: Any) -> bool:
    """Whether `generate` compiles the model and the result can be kept.

    A replaced `forward` is bound to its model, which a view that is kept with it would keep from ever being freed.
    """
    own = vars(model)
    replaced = "forward" in own or "_hf_hook" in own or own.get("_compiled_call_impl") is not None
    return model.device.type in _COMPILES_ON and not replaced


def _too_long(directive: Directive, call: Call, config: Any) -> str | None:
    """Why a static cache is not to be allocated for the call; a dynamic one grows with the answer alone."""
    if directive.kv_cache is None or directive.kv_cache.kind != "static":
        return None
    positions = getattr(text_config(config), "max_position_embeddings", None)
    if not isinstance(positions, int):
        return None
    # No tokenizer makes more tokens of a text than it has bytes; the turn around it is a few more.
    told = 0 if directive.instruction is None else len(directive.instruction.encode()) + 16
    limits = [call.limit_tokens or 0, *([] if directive.budget is None else [directive.budget.max_new_tokens])]
    if (call.prompt_length or 0) + told + min(limits) <= positions:
        return None
    return f"a static cache would be longer than the model's {positions} positions; lower the limit"


def _misfit(kv_cache: KvCache, config: Any) -> str | None:
    why = cache_misfit(config, _STATIC if kv_cache.kind == "static" else _QUANTIZED)
    if why is not None:
        return f"kv_cache.kind {kv_cache.kind!r}: {why}"
    return _backend_misfit(kv_cache, config) if kv_cache.kind == "quantized" else None


def _backend(kv_cache: KvCache, config: Any) -> str | None:
    """The backend that is to quantize; None where none that is installed can."""
    wanted = _BITS if kv_cache.backend is None else (kv_cache.backend,)
    able = (name for name in wanted if kv_cache.bits is None or kv_cache.bits in _BITS[name])
    return next((name for name in able if _is_installed(name) and (name == "fp8" or _has_groups(config))), None)


def _backend_misfit(kv_cache: KvCache, config: Any) -> str | None:
    backend, bits = kv_cache.backend, kv_cache.bits
    if backend is not None and bits is not None and bits not in _BITS[backend]:
        able = ", ".join(map(str, _BITS[backend]))
        return f"kv_cache.bits is {bits} but {backend} keeps {able} bits per value"
    if _backend(kv_cache, config) is not None:
        return None
    if backend is None:
        return f"kv_cache.bits is {bits}, and no backend that is installed keeps so many for this model; leave it out"
    if _is_installed(backend):
        return (
            f"kv_cache.backend {backend!r} shares scales among {_GROUP} values, and the model's heads do not divide so"
        )
    return f"kv_cache.backend {backend!r} is not installed; pip install {_PACKAGES[backend]}"


def _has_groups(config: Any) -> bool:
    """Whether a token's keys, and its values, can be cut into the groups of the integer backends."""
    text = text_config(config)
    if getattr(text, "kv_lora_rank", None):  # compressed keys and values have widths of their own
        return False
    heads = text.num_attention_heads
    head_dim = getattr(text, "head_dim", None) or text.hidden_size // heads
    return bool((getattr(text, "num_key_value_heads", None) or heads) * head_dim % _GROUP == 0)


def _is_installed(backend: str) -> bool:
    from transformers.utils import is_hqq_available, is_optimum_quanto_available

    checks = {"quanto": is_optimum_quanto_available, "hqq": is_hqq_available}
    return backend not in checks or bool(checks[backend]())
