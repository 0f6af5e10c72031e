"""Tells when torch compiles, so that its energy is booked as overhead and not as the request's that met it first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["watch_compilation"]


@contextmanager
def watch_compilation(on_start: Callable[[], None], on_end: Callable[[], None]) -> Iterator[None]:
    """Call back at the start and the end of compilation inside the block.

    Torch tells only of the first start and the last end of all threads that compile at the same time, so every block
    that is open is told of both: an end may come without its start.
    """
    # Private by its name, but the one place where torch says so (torch 2.11 to 2.13); transformers' models load it.
    from torch._dynamo.callback import callback_handler

    def start(_: object) -> None:
        on_start()

    def end(_: object) -> None:
        on_end()

    callback_handler.register_start_callback(start)
    callback_handler.register_end_callback(end)
    try:
        yield
    finally:
        callback_handler.remove_start_callback(start)
        callback_handler.remove_end_callback(end)
