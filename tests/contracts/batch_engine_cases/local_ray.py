"""A real Ray cluster on this machine, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["local_ray"]


@contextmanager
def local_ray(cpus: int = 2) -> Iterator[Any]:
    """Start it, give the module `ray`, and end it; skips where Ray cannot be imported."""
    try:
        import ray
    except Exception as exc:  # noqa: BLE001 - what stops a library from importing may be anything
        pytest.skip(f"Ray cannot be imported ({type(exc).__name__}: {exc}); pip install 'sprout-like[ray]'")
    ray.init(
        address="local",
        num_cpus=cpus,
        include_dashboard=False,
        object_store_memory=80 * 1024**2,  # the least that it takes is 75 MiB
        log_to_driver=False,
        logging_level="ERROR",
    )
    try:
        yield ray
    finally:
        ray.shutdown()
