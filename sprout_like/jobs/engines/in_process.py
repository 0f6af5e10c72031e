"""Opens an engine that runs jobs in this process: continuous or padded batches, whichever suits the device."""

from __future__ import annotations

import functools
from importlib import util
from typing import Any, Final, Literal, get_args

import torch

from sprout_like.calibrate.model import load_model
from sprout_like.engines.places import device_id
from sprout_like.errors import SettingError
from sprout_like.jobs.engines.continuous import ContinuousEngine
from sprout_like.jobs.engines.holding import Load
from sprout_like.jobs.engines.padded import PaddedEngine

__all__ = ["Kind", "open_in_process"]

Kind = Literal["auto", "padded", "continuous"]

_FLASH: Final = ("flash_attn", "flash_attn_interface")


def open_in_process(
    model: str | tuple[Any, Any] | Load | None, *, name: str | None = None, kind: Kind = "auto"
) -> PaddedEngine:
    """An engine for jobs; the model is loaded when it is to run.

    With `auto`, batches are continuous on a CUDA device with flash attention, and padded elsewhere. Without flash
    attention the loop computes every token of a pass against the cached tokens of all rows and masks those of others,
    which grows with the square of the batch (`benchmarks/results/batch.json` has both on a CPU).

    Args:
        model: name or folder of a model of transformers; None for the demonstration's; or a model and its tokenizer,
            which stay the caller's; or what gives both.
        name: of the model, as stored in rows; None: as `model` says.
        kind: `padded`, `continuous` or `auto`.

    Raises:
        SettingError: there is no such kind, or no name.
    """
    if kind not in get_args(Kind):
        raise SettingError("engine", f"there is no {kind!r}", f"Use one of {', '.join(get_args(Kind))}")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if isinstance(model, tuple):
        given = model
        device, name = given[0].device, name or str(given[0].config.name_or_path)
        load: Load = lambda: given  # noqa: E731 - a closure over what is the caller's
    elif callable(model):
        load = model
    else:
        load = functools.partial(load_model, model)
        name = name or model or _demo_name()
    if not name:
        raise SettingError("model", "a model that a function gives has no name yet", "Pass name=")
    if kind == "auto":
        kind = "continuous" if device.type == "cuda" and any(map(util.find_spec, _FLASH)) else "padded"
    engine = ContinuousEngine if kind == "continuous" else PaddedEngine
    return engine(load, model=name, device=device_id(device))


def _demo_name() -> str:
    from sprout_like.demo.model import MODEL_NAME

    return MODEL_NAME
