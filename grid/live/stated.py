"""What a source says of itself, checked once: everything that asks it goes by that."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Set
from typing import get_args

from grid.errors import GridError, SourceSpecError
from grid.intensity import Factors, Kind
from grid.live.asking import fault
from grid.source import Capability, Source

__all__ = ["check_stated"]


def check_stated(source: Source) -> None:
    """Check name, `can`, kind, factors and slot.

    Raises:
        SourceSpecError: one of them is not what `Source` says it is, or its code fails.
    """
    try:
        name, can, slot_s = source.name, source.can, source.slot_s
        words = (("kind", source.kind, Kind), ("factors", source.factors, Factors))
    except GridError:
        raise
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - a source may be anybody's code
        raise SourceSpecError(fault(type(source).__name__, exc)) from None
    if not isinstance(name, str) or not name:
        raise SourceSpecError(f"{type(source).__name__}: its name is {reprlib.repr(name)}, not text; give it one")
    if not isinstance(can, Set) or not can <= set(get_args(Capability)):
        raise _misstated(name, "can", can, f"a set of {', '.join(get_args(Capability))}")
    for attribute, said, known in words:
        if said not in get_args(known):
            raise _misstated(name, attribute, said, " or ".join(get_args(known)))
    if isinstance(slot_s, bool) or not isinstance(slot_s, int | float) or not 0 < slot_s < math.inf:
        raise _misstated(name, "slot_s", slot_s, "a number of seconds above 0")


def _misstated(name: str, attribute: str, said: object, wanted: str) -> SourceSpecError:
    return SourceSpecError(f"{name}: its {attribute} is {reprlib.repr(said)}; it must be {wanted}")
