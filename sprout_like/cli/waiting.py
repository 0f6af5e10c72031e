"""What a command waits for, said while it waits."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext

__all__ = ["waiting_for"]


def waiting_for(what: str) -> AbstractContextManager[object]:
    """Say it on stderr until it has come; nothing where nobody looks on, in a file or a pipe."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console
    from rich.text import Text

    return Console(stderr=True).status(Text(f"waiting for {what}"))
