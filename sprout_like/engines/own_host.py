"""The wrapped model itself as a host: always loaded."""

from __future__ import annotations

from typing import Any

__all__ = ["OwnHost"]


class OwnHost:
    """The caller's model and tokenizer, as they are now.

    Args:
        model: the model.
        tokenizer: its tokenizer; None where there is none.
    """

    variant = None

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self.tokenizer = tokenizer

    @property
    def config(self) -> Any:
        """`model.config`."""
        return self._model.config

    @property
    def generation_config(self) -> Any:
        """`model.generation_config`."""
        return self._model.generation_config

    @property
    def is_quantized(self) -> bool:
        """As transformers says."""
        return bool(getattr(self._model, "is_quantized", False))

    def model(self) -> Any:
        """The model."""
        return self._model
