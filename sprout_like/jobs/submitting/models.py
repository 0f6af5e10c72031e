"""The model that a job names: what it is called in the queue, and whether anybody could run it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from sprout_like.errors import JobError
from sprout_like.jobs.job import WorkerRecord

__all__ = ["chosen_model", "model_in_queue", "model_note"]

# OWNER/NAME, or a name alone; a server's own may have a tag after a colon, such as `qwen3:8b`.
_HUB_LIKE: Final = re.compile(r"[\w][\w.-]*(/[\w][\w.-]*)?(:[\w.-]+)?", re.ASCII)
_FIX: Final = "Name a folder, or a model of the Hugging Face hub such as HuggingFaceTB/SmolLM2-135M-Instruct"


def model_in_queue(name: str) -> str:
    """What a model is called in the queue: a folder by its absolute path, so that it means the same everywhere.

    Jobs and workers are matched by it, hence a worker announces its own by this too.

    Raises:
        JobError: it is neither a folder that exists nor a name that a hub or a server could know.
    """
    name = name.strip()
    try:
        folder = Path(name).expanduser()
        if name and folder.is_dir():
            return str(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # too long for a path, a home that nobody has, a NUL
        pass
    if name.startswith((".", "/", "~")):
        raise JobError(f"model: there is no folder {name[:80]!r}. {_FIX}")
    if not _HUB_LIKE.fullmatch(name):
        raise JobError(f"model: {name[:80]!r} is no name of a model. {_FIX}")
    return name


def chosen_model(name: str | None, workers: Sequence[WorkerRecord]) -> str:
    """The model a job is for.

    Args:
        name: as given; None for the one that the workers run.
        workers: those alive.

    Raises:
        JobError: it is no model, or none is named and the workers do not all run the same.
    """
    announced = sorted({worker.model for worker in workers})
    if name is not None:
        return name if name in announced else model_in_queue(name)
    if len(announced) == 1:
        return announced[0]
    if announced:
        raise JobError(f"model: none is named, and the workers run {', '.join(announced)}. Name one")
    raise JobError(
        "model: none is named, and no worker is running that could tell. Name one, or start `sprout-like jobs worker` "
        "before"
    )


def model_note(model: str, workers: Sequence[WorkerRecord]) -> str | None:
    """What is to be said of a model that no worker runs now; None where one does."""
    announced = sorted({worker.model for worker in workers})
    if model in announced:
        return None
    start = f"Start one: sprout-like jobs worker --model {model}"
    if not announced:
        return f"No worker is running. {start}"
    near = get_close_matches(model, announced, n=1)
    meant = f"Did you mean {near[0]}?" if near else start
    return f"No worker runs {model}; those alive run {', '.join(announced)}. {meant}"
