"""The family of a model on disk, and which directives its chat template allows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sprout_like.doctor.finding import Finding

__all__ = ["look_at_model"]

_FIX = "Name a folder that holds a model's config.json and its tokenizer's files"


def look_at_model(folder: Path) -> Iterator[Finding]:
    """Read the folder's configuration and tokenizer, not its weights; nothing is looked up in a hub."""
    if not (folder / "config.json").is_file():
        yield Finding("model", "fail", f"{folder}: there is no config.json", _FIX)
        return
    from transformers import AutoConfig, AutoTokenizer

    from sprout_like.knobs.system_turn import SystemTurn, renders_system

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    # What these raise for files that are missing, damaged or of a package that is not installed.
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as exc:
        said = (str(exc).strip() or type(exc).__name__).splitlines()[0]
        yield Finding("model", "fail", f"{folder}: {said}", _FIX)
        return
    family = f"{folder}: {config.model_type}"
    if SystemTurn.learn(tokenizer) is not None:
        yield Finding("model", "ok", f"{family}; directives with an instruction can be applied")
    elif renders_system(tokenizer):
        only = "its template's system turn has no end that can be found, so generate() takes no instruction"
        yield Finding(
            "model", "warn", f"{family}; {only}", "Call chat(), where directives with an instruction can be applied"
        )
    else:
        only = "its chat template has no system turn, so no directive with an instruction can be applied"
        yield Finding(
            "model", "warn", f"{family}; {only}", "Use the model's instruction-tuned version, if there is one"
        )
