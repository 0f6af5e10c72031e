"""The families of which views can be made, with windows narrower than the prompts where they have any."""

from __future__ import annotations

from typing import Any

WINDOW = 6
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen2": {"use_sliding_window": True, "sliding_window": WINDOW, "max_window_layers": 2},
    "qwen3": {},
    "mistral": {"sliding_window": WINDOW},
    "gemma": {},
    "gemma2": {"sliding_window": WINDOW},
    "gemma3_text": {"sliding_window": WINDOW},
    "phi": {},
    "phi3": {"sliding_window": WINDOW},
    "olmo": {},
    "olmo2": {},
    "olmo3": {"sliding_window": WINDOW},
    "smollm3": {},
}
