"""Prompts of a batch as calls of `generate`, rendered once: many directives are tried on each before one is drawn."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from sprout_like.engines.engine import Call
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.jobs.engines.engine import Ask

__all__ = ["Calls"]

_KEPT: Final = 1024


class Calls:
    """Those of the last prompts, found by the identity of what they hold: the same prompt under another directive."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int, int], tuple[Ask, Call]] = OrderedDict()

    def of(self, engine: HuggingFaceEngine, ask: Ask) -> Call:
        """The prompt as a call; raises whatever its chat template raises."""
        key = (id(ask.messages), id(ask.template), id(ask.arguments))  # of objects that are kept alive beside it
        kept = self._kept.get(key)
        if kept is not None:
            return kept[1]
        call = engine.inspect((), ask.arguments, messages=ask.messages, template=ask.template)
        self._kept[key] = (ask, call)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return call
