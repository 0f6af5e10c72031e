"""Measured and judged requests, from a Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sprout_like.errors import NothingToLearn, SettingError

if TYPE_CHECKING:
    from directives.replay import Prompts

__all__ = ["Requests", "read_requests"]

_QUALITY: Final = "quality_"
_COSTS: Final = ("energy_j_", "duration_s_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What the file holds.

    Attributes:
        prompts: those of the tasks that were asked for.
        unjudged: directives whose answers were measured but not judged. unasked: tasks that were not asked for.
    """

    prompts: Prompts
    unjudged: tuple[str, ...]
    unasked: tuple[str, ...]


def read_requests(file: Path, tasks: Sequence[str]) -> Requests:
    """Read `task`, `prompt`, and per directive `quality_`, `energy_j_` and `duration_s_` columns.

    Args:
        file: the Parquet file, one row per prompt.
        tasks: the tasks to take, in this order.

    Raises:
        NothingToLearn: it is no Parquet file, or a column, a figure, `full` or a task is missing or impossible.
        SettingError: pyarrow is not installed.
    """
    import numpy as np

    from directives.replay import Prompts

    table = _table(file)
    directives, unjudged = _directives(file, table.column_names)
    task_of, text = _texts(file, table, "task"), _texts(file, table, "prompt")
    present = set(task_of)
    for task in tasks:
        if task not in present:
            raise NothingToLearn(
                f"{file}: of task {task!r}, which is in the mix, there is no prompt; add some, or drop it"
            )
    place = {name: index for index, name in enumerate(tasks)}
    rows = np.array([row for row, task in enumerate(task_of) if task in place], dtype=np.int64)

    def figures(prefix: str) -> Any:
        return np.stack([_numbers(file, table, prefix, name)[rows] for name in directives], axis=1)

    return Requests(
        prompts=Prompts(
            tasks=tuple(tasks),
            directives=directives,
            task=np.array([place[task_of[row]] for row in rows], dtype=np.int64),
            energy_j=figures("energy_j_"),
            time_s=figures("duration_s_"),
            quality=figures(_QUALITY),
            text=np.array(text, dtype=object)[rows],
        ),
        unjudged=unjudged,
        unasked=tuple(sorted(present - set(tasks))),
    )


def _table(file: Path) -> Any:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as exc:
        raise SettingError(
            "--requests", "pyarrow, which reads Parquet files, is not installed", 'pip install "sprout-like[parquet]"'
        ) from exc
    try:
        with file.open("rb") as raw, pq.ParquetFile(raw) as parquet:
            table = parquet.read()
    except (OSError, pa.ArrowException) as exc:
        said = getattr(exc, "strerror", None) or str(exc).partition("\n")[0].rpartition("'<Buffer>': ")[2].rstrip(".")
        raise NothingToLearn(f"{file}: cannot be read as a Parquet file: {said}; check the path") from exc
    names = table.column_names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise NothingToLearn(f"{file}: column {twice} is there twice; keep one")
    absent = [name for name in ("task", "prompt") if name not in names]
    if absent:
        raise NothingToLearn(
            f"{file}: there is no column {' or '.join(absent)}; give one row per prompt, with its task"
        )
    if not table.num_rows:
        raise NothingToLearn(f"{file}: it has no row; give one per prompt")
    return table


def _directives(file: Path, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that were judged, `full` first, and those that were only measured."""
    judged = [name.removeprefix(_QUALITY) for name in names if name.startswith(_QUALITY)]
    for name in judged:
        for prefix in _COSTS:
            if prefix + name not in names:
                raise NothingToLearn(
                    f"{file}: directive {name!r} was judged, and there is no column {prefix}{name}; measure it, "
                    f"or drop {_QUALITY}{name}"
                )
    if "full" not in judged:
        raise NothingToLearn(f"{file}: there is no column {_QUALITY}full, and all is measured against `full`; judge it")
    if len(judged) < 2:
        raise NothingToLearn(f"{file}: `full` alone was judged, so there is nothing to choose from; judge one more")
    measured = [name.removeprefix(_COSTS[0]) for name in names if name.startswith(_COSTS[0])]
    others = (name for name in judged if name != "full")
    return ("full", *others), tuple(name for name in measured if name not in judged)


def _texts(file: Path, table: Any, column: str) -> list[str]:
    texts: list[str] = table.column(column).to_pylist()
    row = next((row for row, text in enumerate(texts, start=1) if not isinstance(text, str)), None)
    if row is not None:
        raise NothingToLearn(f"{file}: column {column} holds no text in row {row}; give one, or drop the row")
    return texts


def _numbers(file: Path, table: Any, prefix: str, directive: str) -> Any:
    import numpy as np
    import pyarrow as pa

    name = prefix + directive
    kind = table.column(name).type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise NothingToLearn(f"{file}: column {name} holds {kind} instead of numbers; give one number per prompt")
    values = np.array(table.column(name).to_numpy(), dtype=float)
    if prefix == _QUALITY:
        good, wanted = (values >= 0) & (values <= 1), "a score from 0 to 1"
    elif directive == "full":
        good, wanted = values > 0, "a figure above 0, as all is measured against `full`"
    else:
        good, wanted = values >= 0, "a figure from 0 on"
    good &= np.isfinite(values)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        given = "missing" if np.isnan(values[row]) else f"{values[row]:g}"
        raise NothingToLearn(f"{file}: column {name} is {given} in row {row + 1}; give {wanted}, or drop the row")
    return values
