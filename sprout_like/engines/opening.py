"""From the `engine` argument to the engine; what is heavy is imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from directives import Catalogue
from sprout_like.clock import Clock
from sprout_like.engines.engine import Engine
from sprout_like.errors import SettingError
from sprout_like.reuse.answers import AnswerStore
from sprout_like.settings import Settings

__all__ = ["open_engine"]

_BYTES_PER_MIB = 1 << 20


def open_engine(
    spec: str | Engine | None,
    model: Any,
    tokenizer: Any,
    *,
    settings: Settings,
    catalogue: Catalogue,
    variants: Mapping[str, Any],
    answers: AnswerStore | None,
    clock: Clock,
    opened: ExitStack,
) -> Engine:
    """An engine on the user's model.

    Args:
        spec: `transformers`, which None stands for, `continuous`, or an engine, which is handed back as it is.
        model: the user's.
        tokenizer: the user's; None where only `generate` is called.
        settings: what may be kept in memory.
        catalogue: the directives on offer, with their variants.
        variants: models for these, by name.
        answers: where answers are kept; None to keep none.
        clock: time.
        opened: closes what is opened here.

    Raises:
        SettingError: there is no such engine, or a directive of the user's own catalogue never fits the model.
    """
    if isinstance(spec, str) and spec not in ("transformers", "continuous"):
        raise SettingError(
            "engine", f"there is no engine {spec!r}", 'Use "transformers", "continuous", or an engine of your own'
        )
    engine: Engine
    if spec is None or isinstance(spec, str):
        engine = _plain(model, tokenizer, settings, catalogue, variants, answers, clock)
        opened.callback(engine.close)
        if spec == "continuous":
            from sprout_like.engines.continuous import ContinuousEngine

            engine = ContinuousEngine(model, engine, monotonic_s=clock.monotonic_s)
            opened.callback(engine.close)
    else:
        engine = spec
    if catalogue.origin is not None:
        _check_fit(engine, catalogue)
    return engine


def _plain(
    model: Any,
    tokenizer: Any,
    settings: Settings,
    catalogue: Catalogue,
    variants: Mapping[str, Any],
    answers: AnswerStore | None,
    clock: Clock,
) -> Engine:
    from sprout_like.engines.hugging_face import HuggingFaceEngine
    from sprout_like.reuse.prefixes import PrefixCache

    room = int(settings.prefix_cache_mib * _BYTES_PER_MIB)
    return HuggingFaceEngine(
        model,
        tokenizer,
        variants=catalogue.variants,
        supplied=variants,
        headroom_gib=settings.variant_headroom_gib,
        monotonic_s=clock.monotonic_s,
        answers=answers,
        prefixes=PrefixCache(most_bytes=room) if room else None,
    )


def _check_fit(engine: Engine, catalogue: Catalogue) -> None:
    """Of the built-in catalogue each model takes what fits it; a file of the user's own says what they want."""
    for directive in catalogue:
        if (misfit := engine.misfit(directive)) is not None:
            raise SettingError(
                "catalogue",
                f"{catalogue.origin}, directive {directive.name!r}: {misfit}",
                "Correct the directive, or leave it out for this model",
            )
