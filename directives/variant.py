"""A variant: another model, or another precision of the same one, that may answer in the wrapped model's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from directives.directive import check_name
from directives.errors import CatalogueError

__all__ = ["Precision", "Variant"]

Precision = Literal["fp32", "fp16", "bf16", "int8", "int4"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Where a variant comes from. It is loaded on first use.

    Attributes:
        name: lower-case identifier; directives name it.
        model: folder or model hub name; None for the wrapped model itself, copied at another precision.
        precision: of its weights; None leaves those of a `model` as they are stored.
        idle_s: after so many seconds without use its memory is given back.
    """

    name: str
    model: str | None = None
    precision: Precision | None = None
    idle_s: float = 600.0

    def __post_init__(self) -> None:
        check_name("variant", self.name)
        if self.model is not None and not (isinstance(self.model, str) and self.model.strip()):
            raise CatalogueError(f"model is {self.model!r}; give a folder or a model hub name")
        if self.precision is not None and self.precision not in get_args(Precision):
            raise CatalogueError(f"precision is {self.precision!r}; give one of {', '.join(get_args(Precision))}")
        if self.model is None and self.precision is None:
            raise CatalogueError("give a model, a precision, or both: without either it is the wrapped model itself")
        if isinstance(self.idle_s, bool) or not isinstance(self.idle_s, (int, float)) or not self.idle_s > 0:
            raise CatalogueError(f"idle_s is {self.idle_s!r}; give a number of seconds above 0")
