"""What the tests of knobs on live `generate` calls share."""

from __future__ import annotations

from typing import Any

SIZE = 300
"""Of a vocabulary, in tokens: small enough for repeats."""

FAMILIES: list[tuple[str, dict[str, Any]]] = [
    ("llama", {}),
    ("qwen2", {}),
    ("mistral", {"sliding_window": 16}),
    ("gemma", {}),
    ("gemma2", {"sliding_window": 16}),
    ("phi", {}),
    ("gpt2", {}),
]


class Window:
    """A metering window that nobody reads."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...


def state(model: Any) -> Any:
    """The model's own attributes and settings, and where its weights lie."""
    return (
        {name: id(value) for name, value in vars(model).items()},
        model.config.to_dict(),
        model.generation_config.to_dict(),
        {name: weights.data_ptr() for name, weights in model.state_dict().items()},
    )
