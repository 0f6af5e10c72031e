"""Free memory of the places where models sit."""

from __future__ import annotations

import psutil
import torch

__all__ = ["free_bytes", "give_back"]


def free_bytes(place: torch.device) -> int:
    """Memory in bytes that a new tensor on this device could take.

    On a GPU: what the driver has left (`torch.cuda.mem_get_info`) and what torch reserved but does not use; elsewhere
    what the host can give without swapping.
    """
    if place.type != "cuda":
        return int(psutil.virtual_memory().available)
    free, _ = torch.cuda.mem_get_info(place)
    return int(free + torch.cuda.memory_reserved(place) - torch.cuda.memory_allocated(place))


def give_back() -> None:
    """Return to the driver what torch holds of freed GPU memory: other processes cannot use it otherwise."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
