"""From a variant's description to its model: what is known without weights, how much it needs, and how it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from directives import Variant
from sprout_like.engines.engine import Host
from sprout_like.engines.locks import lock_of
from sprout_like.engines.own_host import OwnHost
from sprout_like.engines.variants.precision import (
    DTYPES,
    copy_at,
    copy_bytes,
    quantize,
    require_package,
    require_quantizable,
)
from sprout_like.errors import SettingError, VariantUnavailable
from sprout_like.reuse.weights import Weights

__all__ = ["OwnCopy", "Source", "StoredModel", "SuppliedFunction", "SuppliedPair", "open_source"]


class Source(Protocol):
    """Where a variant's model comes from."""

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer; None where it was supplied without one."""
        ...

    @property
    def config(self) -> Any:
        """Its `PretrainedConfig`."""
        ...

    @property
    def generation_config(self) -> Any:
        """Its `GenerationConfig`."""
        ...

    @property
    def is_quantized(self) -> bool:
        """Whether its weights are small whole numbers."""
        ...

    def made_of(self) -> object | None:
        """What a model loaded now is made of: another object later says that it is outdated. None where unknown."""
        ...

    def hold(self) -> AbstractContextManager[Any]:
        """Held while it is loaded."""
        ...

    def needed_bytes(self) -> dict[torch.device, int]:
        """Memory that loading it takes, in bytes, by device."""
        ...

    def load(self) -> Any:
        """The model, ready to generate. Anything may be raised: a loader may be anyone's code."""
        ...


def open_source(name: str, own: Host, variant: Variant | None, supplied: Any) -> Source:
    """The source of one variant, which is supplied, or else described.

    Raises:
        VariantUnavailable: it can never be loaded here: why, and what to do.
        SettingError: what is supplied is no variant.
    """
    if supplied is not None:
        return SuppliedFunction(name, supplied) if callable(supplied) else SuppliedPair(*_pair(name, supplied))
    if variant is None:
        raise VariantUnavailable("nothing describes it. Supply a (model, tokenizer), or describe it in the catalogue")
    return OwnCopy(own, variant) if variant.model is None else StoredModel(own, variant)


class OwnCopy:
    """The wrapped model at another precision, made from its live weights, and outdated when they have changed.

    Args:
        own: the wrapped model.
        variant: names the precision.

    Raises:
        VariantUnavailable: its package is missing, or the model's weights are not plain ones, or have it already.
    """

    def __init__(self, own: Host, variant: Variant) -> None:
        if variant.precision is None:
            raise VariantUnavailable("it names neither a model nor a precision. Give one of them")
        require_package(variant.precision)
        model = own.model()
        if not isinstance(model, nn.Module):
            raise VariantUnavailable("the wrapped model is no torch module. Give a model to load instead")
        if getattr(model, "is_quantized", False) or getattr(model.config, "quantization_config", None) is not None:
            raise VariantUnavailable("the wrapped model is quantized already. Give a model to load instead")
        if model.dtype == DTYPES.get(variant.precision):
            raise VariantUnavailable(f"the wrapped model is {variant.precision} already. Give another precision")
        require_quantizable(model, variant.precision)
        self._own = own
        self._precision = variant.precision
        self._weights = Weights()

    @property
    def tokenizer(self) -> Any:
        """The wrapped model's."""
        return self._own.tokenizer

    @property
    def config(self) -> Any:
        """The wrapped model's, as it is now."""
        return self._own.config

    @property
    def generation_config(self) -> Any:
        """The wrapped model's, as it is now."""
        return self._own.generation_config

    @property
    def is_quantized(self) -> bool:
        """By its precision."""
        return self._precision not in DTYPES

    def made_of(self) -> object | None:
        """The state of the wrapped model's weights."""
        return self._weights.of(self._own.model())

    def hold(self) -> AbstractContextManager[Any]:
        """The wrapped model's lock: it is copied while nobody runs it, as `generate` keeps state on it."""
        return lock_of(self._own.model())

    def needed_bytes(self) -> dict[torch.device, int]:
        """The copy's weights, where the wrapped model has its own."""
        return copy_bytes(self._own.model(), self._precision)

    def load(self) -> Any:
        """Copy and convert."""
        model = self._own.model()
        if any(parameter.is_meta for parameter in model.parameters()):
            raise VariantUnavailable("some of the wrapped model's weights are offloaded. Give a model to load instead")
        return copy_at(model, self._precision)


class _Unchanging:
    """A source that nobody changes, and that needs nothing held."""

    def made_of(self) -> object | None:
        """It is never outdated."""
        return None

    def hold(self) -> AbstractContextManager[Any]:
        """Nothing."""
        return nullcontext()


class StoredModel(_Unchanging):
    """A model in a folder or in the local hub cache, loaded onto the wrapped model's device.

    Nothing is downloaded: a request must not wait for gigabytes, nor a start for a network that is not there.

    Args:
        own: the wrapped model.
        variant: names the model and its precision.

    Raises:
        VariantUnavailable: a file or a package is missing, or it is no causal language model.
    """

    def __init__(self, own: Host, variant: Variant) -> None:
        from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig, AutoTokenizer, GenerationConfig

        require_package(variant.precision)
        self._own = own
        self._precision = variant.precision
        self._folder = _folder(variant.model or "")
        if not any(file for pattern in ("tokenizer*", "vocab*", "*.tiktoken") for file in self._folder.glob(pattern)):
            # Of some families transformers makes an empty tokenizer where there is none.
            raise VariantUnavailable(f"there is no tokenizer in {self._folder}. Save it there with save_pretrained()")
        try:
            self.config = AutoConfig.from_pretrained(self._folder, local_files_only=True)
            self.tokenizer = AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
        except (OSError, ValueError, KeyError, ImportError) as exc:
            raise VariantUnavailable(
                f"its configuration or tokenizer cannot be read from {self._folder} ({type(exc).__qualname__}). "
                "Save both there with save_pretrained()"
            ) from exc
        if type(self.config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
            raise VariantUnavailable(f"{self.config.model_type} is no causal language model. Name another model")
        if variant.precision is not None and getattr(self.config, "quantization_config", None) is not None:
            raise VariantUnavailable("its weights are stored quantized already. Leave precision out")
        if (self._folder / "generation_config.json").is_file():
            self.generation_config = GenerationConfig.from_pretrained(self._folder, local_files_only=True)
        else:
            self.generation_config = GenerationConfig.from_model_config(self.config)
        self._stored_bytes = sum(file.stat().st_size for file in _weight_files(self._folder))

    @property
    def is_quantized(self) -> bool:
        """By its precision, or as its configuration says."""
        stored = getattr(self.config, "quantization_config", None) is not None
        return stored or (self._precision is not None and self._precision not in DTYPES)

    def needed_bytes(self) -> dict[torch.device, int]:
        """The stored weights, in the type they are loaded in; quantizing comes after that and needs no more."""
        stored = getattr(self.config, "dtype", None)
        dtype = DTYPES.get(self._precision or "")
        ratio = dtype.itemsize / stored.itemsize if dtype is not None and isinstance(stored, torch.dtype) else 1.0
        return {self._own.model().device: int(self._stored_bytes * ratio)}

    def load(self) -> Any:
        """Read the weights, convert them."""
        from transformers import AutoModelForCausalLM

        dtype = DTYPES.get(self._precision or "", "auto")
        model = AutoModelForCausalLM.from_pretrained(self._folder, dtype=dtype, local_files_only=True)
        model = model.to(self._own.model().device)
        if self._precision is not None and self._precision not in DTYPES:
            quantize(model, self._precision)
        return model.requires_grad_(False).eval()


class SuppliedPair(_Unchanging, OwnHost):
    """A model and a tokenizer that are the caller's own, and loaded as the wrapped model is."""

    def needed_bytes(self) -> dict[torch.device, int]:
        """Nothing more: it is there."""
        return {}

    def load(self) -> Any:
        """The model."""
        return self.model()


class SuppliedFunction(_Unchanging):
    """A function of the caller's that loads a model and its tokenizer.

    Args:
        name: the variant's.
        function: returns `(model, tokenizer)`; called here, as nothing is known of it before.

    Raises:
        SettingError: it failed, or returned something else.
    """

    def __init__(self, name: str, function: Callable[[], Any]) -> None:
        self._name = name
        self._function = function
        try:
            model, self.tokenizer = _pair(name, function())
        except SettingError:
            raise
        except Exception as exc:
            raise SettingError(
                "variants",
                f"the function given for {name!r} raised {type(exc).__qualname__}: {exc}",
                "Correct it, or leave the variant out",
            ) from exc
        self.config = model.config
        self.generation_config = model.generation_config
        self.is_quantized = bool(getattr(model, "is_quantized", False))
        self._size = _size(model)
        self._first: Any = model

    def needed_bytes(self) -> dict[torch.device, int]:
        """What its model took when it was loaded before."""
        return {} if self._first is not None else self._size

    def load(self) -> Any:
        """Call it."""
        model, self._first = self._first, None
        return _pair(self._name, self._function())[0] if model is None else model


def _pair(name: str, supplied: Any) -> tuple[Any, Any]:
    if isinstance(supplied, (tuple, list)) and len(supplied) == 2 and callable(getattr(supplied[0], "generate", None)):
        return supplied[0], supplied[1]
    raise SettingError(
        "variants",
        f"{name!r} is a {type(supplied).__qualname__}, not a model and its tokenizer",
        "Give (model, tokenizer), or a function without arguments that returns that",
    )


def _size(model: Any) -> dict[torch.device, int]:
    size: dict[torch.device, int] = {}
    for parameter in model.parameters():
        size[parameter.device] = size.get(parameter.device, 0) + parameter.numel() * parameter.element_size()
    return size


def _folder(model: str) -> Path:
    """The folder of a model: itself, or of a hub name the one in the local cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError) as exc:
        raise VariantUnavailable(
            f"{model!r} is no folder, and is not in the local hub cache. Correct the path, or run: hf download {model}"
        ) from exc


def _weight_files(folder: Path) -> list[Path]:
    for pattern in ("*.safetensors", "pytorch_model*.bin"):
        if found := sorted(folder.glob(pattern)):
            return found
    raise VariantUnavailable(f"there are no weights in {folder}. Save them there with save_pretrained()")
