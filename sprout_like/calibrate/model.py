"""The model that is calibrated."""

from __future__ import annotations

from typing import Any

from sprout_like.errors import SettingError

__all__ = ["gpu_names", "load_model"]


def load_model(name: str | None) -> tuple[Any, Any]:
    """A model and its tokenizer, on the GPU where there is one.

    Args:
        name: a folder, or a name known to the Hugging Face hub; None for the demonstration's model.

    Raises:
        SettingError: it cannot be loaded.
    """
    if name is None:
        from sprout_like.demo.model import load_demo_model

        model, tokenizer = load_demo_model()
    else:
        model, tokenizer = _load(name)
    import torch

    return (model.to("cuda") if torch.cuda.is_available() else model).eval(), tokenizer


def gpu_names(model: Any) -> list[str]:
    """Names of the GPUs that hold the model; none where it sits on the CPU."""
    import torch

    devices = {parameter.device for parameter in model.parameters()}
    return sorted(torch.cuda.get_device_name(device) for device in devices if device.type == "cuda")


def _load(name: str) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        return AutoModelForCausalLM.from_pretrained(name, dtype="auto"), tokenizer
    except (OSError, ValueError) as exc:  # what transformers raises for a name, a file or a format it does not know
        said = str(exc).strip().partition("\n")[0].rstrip(".")
        raise SettingError(
            "--model",
            f"{name!r} cannot be loaded as a causal language model with a tokenizer ({said})",
            "Name a folder that holds both, or a model of the Hugging Face hub",
        ) from exc
