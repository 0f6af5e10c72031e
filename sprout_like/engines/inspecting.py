"""What can be told of a `generate` call before it runs."""

from __future__ import annotations

import inspect as signatures
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from sprout_like.engines.engine import Call, Host
from sprout_like.engines.rendering import render
from sprout_like.knobs.arguments import caller_limit, end_ids, opaque_argument, setting

__all__ = ["inspect_call", "positional_names"]


def positional_names(generate: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the parameters that may be given by position, in order."""
    kinds = (signatures.Parameter.POSITIONAL_ONLY, signatures.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(n for n, p in signatures.signature(generate).parameters.items() if p.kind in kinds)


def inspect_call(
    host: Host,
    positional: Sequence[str],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    device: Any,
    messages: Sequence[Mapping[str, Any]] | None = None,
    template: Mapping[str, Any] | None = None,
) -> Call:
    """Resolve positional arguments, render messages, count prompt tokens.

    Args:
        host: the model that was called.
        positional: names of `generate`'s positional parameters.
        args: the call's positional arguments.
        kwargs: the call's keyword arguments.
        device: where a rendered prompt goes.
        messages: the conversation; None for a call given as tokens.
        template: further arguments of the conversation's template.
    """
    names = positional[: len(args)]
    if len(args) > len(names) or not kwargs.keys().isdisjoint(names):
        return Call(host=host, args=args, kwargs=kwargs)  # `generate` will say itself what is wrong with it
    named = {**dict(zip(names, args, strict=True)), **kwargs}
    if messages is not None:
        named |= render(host.tokenizer, messages, template or {}, device)
    ids = named.get("inputs")
    ids = named.get("input_ids") if ids is None else ids
    encoder_decoder = bool(getattr(host.config, "is_encoder_decoder", False))
    if not (isinstance(ids, torch.Tensor) and ids.dim() == 2 and not ids.is_floating_point()):
        batch_size, prompt_length = _shape_without_tokens(named, encoder_decoder)
        return Call(host=host, kwargs=named, batch_size=batch_size, prompt_length=prompt_length)
    given = named.get("attention_mask")
    mask = _inferred_mask(ids, named, host) if given is None else given
    # Of a mask in another form we cannot tell what is padding.
    plain = mask is None or (isinstance(mask, torch.Tensor) and mask.shape == ids.shape)
    tokens = int(torch.count_nonzero(mask)) if plain and mask is not None else ids.numel()
    batch, length = ids.shape
    if encoder_decoder:
        start = None if named.get("decoder_input_ids") is not None else 1
        return Call(host=host, kwargs=named, batch_size=batch, prompt_length=start, prompt_tokens=tokens)
    return Call(
        host=host,
        kwargs=named,
        messages=messages,
        template=template or {},
        prompt_ids=ids,
        rows=_rows(ids, mask) if plain else None,
        opaque=opaque_argument(named, host.generation_config),
        batch_size=batch,
        prompt_length=length,
        prompt_tokens=tokens,
        limit_tokens=caller_limit(named, host.generation_config, length),
    )


def _rows(ids: torch.Tensor, mask: torch.Tensor | None) -> list[list[int]] | None:
    """Token ids per row without padding; None where padding stands anywhere but on the left."""
    rows: list[list[int]] = ids.tolist()
    if mask is None:
        return rows
    masks: list[list[int]] = mask.long().tolist()
    kept = [sum(row) for row in masks]
    if any(row != [0] * (len(row) - n) + [1] * n for row, n in zip(masks, kept, strict=True)):
        return None
    return [row[len(row) - n :] for row, n in zip(rows, kept, strict=True)]


def _inferred_mask(ids: torch.Tensor, named: Mapping[str, Any], host: Host) -> torch.Tensor | None:
    """What `generate` masks where no mask is given (`_prepare_attention_mask_for_generation`); None where nothing."""
    config = host.generation_config
    pad = setting("pad_token_id", named, config)
    if not isinstance(pad, int) or pad in end_ids(named, config):
        return None
    mask = ids != pad
    return None if bool(mask.all()) else mask


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
