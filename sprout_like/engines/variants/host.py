"""A variant as the model that answers a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sprout_like.engines.variants.loading import Source

__all__ = ["VariantHost"]


class VariantHost:
    """A variant: all but its weights is known from the start; implements `Host`.

    Args:
        name: the variant's.
        source: what describes it.
        load: gives the model, loaded where it is not.
    """

    def __init__(self, name: str, source: Source, load: Callable[[], Any]) -> None:
        self.variant = name
        self._source = source
        self._load = load

    @property
    def tokenizer(self) -> Any:
        """Its own tokenizer; None where it was supplied without one."""
        return self._source.tokenizer

    @property
    def config(self) -> Any:
        """Its own `PretrainedConfig`."""
        return self._source.config

    @property
    def generation_config(self) -> Any:
        """Its own `GenerationConfig`; of a copy of the wrapped model it is that model's, as it is now."""
        return self._source.generation_config

    @property
    def is_quantized(self) -> bool:
        """As far as it is known without loading."""
        return self._source.is_quantized

    def model(self) -> Any:
        """The model; as long as the caller keeps it, it is not loaded a second time.

        Raises:
            VariantUnavailable: it cannot be loaded.
        """
        return self._load()
