"""Recorded requests: what is read, and what is said of a file that cannot be replayed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from sprout_like.errors import NothingToLearn
from sprout_like.replay.requests_file import read_requests
from tests.sprout_like.replay.recorded import Given, requests_columns

Columns = dict[str, list[Any]]
TASKS = ("songs", "sums")


def test_rows_are_prompts_and_columns_directives_full_first(given: Given) -> None:
    columns = requests_columns(2)
    given.write_requests(dict(sorted(columns.items())))  # `full` comes after `brief`
    prompts = read_requests(given.requests, TASKS).prompts
    assert prompts.directives == ("full", "brief", "very_brief")
    assert prompts.tasks == TASKS
    assert [prompts.tasks[task] for task in prompts.task] == columns["task"]
    assert prompts.text.tolist() == columns["prompt"]
    for name, figures in (("energy_j", prompts.energy_j), ("duration_s", prompts.time_s), ("quality", prompts.quality)):
        for kind, directive in enumerate(prompts.directives):
            assert figures[:, kind].tolist() == columns[f"{name}_{directive}"]


def test_only_tasks_of_the_mix_and_judged_directives_are_taken(given: Given) -> None:
    columns = requests_columns(2)
    columns |= {"energy_j_small": [1.0] * 4, "duration_s_small": [1.0] * 4}
    given.write_requests(columns)
    found = read_requests(given.requests, ("songs",))
    assert found.prompts.task.tolist() == [0, 0]
    assert (found.unasked, found.unjudged) == (("sums",), ("small",))


def test_scores_may_be_whole_numbers_or_truth_values(given: Given) -> None:
    columns = requests_columns(2) | {"quality_brief": [True] * 4, "quality_full": [1] * 4}
    given.write_requests(columns)
    assert read_requests(given.requests, TASKS).prompts.quality[:, :2].tolist() == [[1, 1]] * 4


def without(*names: str) -> Callable[[Columns], Columns]:
    return lambda columns: {name: cells for name, cells in columns.items() if name not in names}


def with_cell(column: str, row: int, value: object) -> Callable[[Columns], Columns]:
    return lambda columns: columns | {column: [*columns[column][:row], value, *columns[column][row + 1 :]]}


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (without("task"), "there is no column task; give one row per prompt"),
        (without("task", "prompt"), "there is no column task or prompt"),
        (without("energy_j_brief"), "directive 'brief' was judged, and there is no column energy_j_brief; measure it"),
        (without("duration_s_brief"), "there is no column duration_s_brief; measure it, or drop quality_brief"),
        (without("quality_full"), "no column quality_full, and all is measured against `full`; judge it"),
        (without("quality_brief", "quality_very_brief"), "nothing to choose from; judge one more"),
        (without("quality_brief", "quality_very_brief", "quality_full"), "no column quality_full"),
        (with_cell("energy_j_brief", 3, math.nan), "energy_j_brief is missing in row 4; give a figure from 0 on"),
        (with_cell("energy_j_brief", 3, None), "energy_j_brief is missing in row 4"),
        (with_cell("energy_j_brief", 3, math.inf), "energy_j_brief is inf in row 4"),
        (with_cell("duration_s_brief", 0, -0.5), "duration_s_brief is -0.5 in row 1"),
        (with_cell("energy_j_full", 1, 0.0), "energy_j_full is 0 in row 2; give a figure above 0"),
        (with_cell("quality_brief", 2, 1.5), "quality_brief is 1.5 in row 3; give a score from 0 to 1"),
        (with_cell("quality_brief", 2, -0.1), "quality_brief is -0.1 in row 3"),
        (lambda columns: columns | {"quality_brief": ["good"] * 120}, "quality_brief holds string instead of numbers"),
        (lambda columns: columns | {"prompt": [7] * 120}, "column prompt holds no text in row 1"),
        (with_cell("prompt", 5, None), "column prompt holds no text in row 6; give one, or drop the row"),
        (with_cell("task", 5, None), "column task holds no text in row 6"),
        (lambda columns: {name: [] for name in columns}, "it has no row; give one per prompt"),
    ],
)
def test_what_cannot_be_replayed_is_named(given: Given, spoilt: Callable[[Columns], Columns], said: str) -> None:
    given.write_requests(spoilt(requests_columns()))
    with pytest.raises(NothingToLearn) as caught:
        read_requests(given.requests, TASKS)
    assert str(caught.value).startswith(f"{given.requests}: ")
    assert said in str(caught.value)


def test_a_task_without_prompts_is_named(given: Given) -> None:
    with pytest.raises(NothingToLearn, match="of task 'poems', which is in the mix, there is no prompt"):
        read_requests(given.requests, ("sums", "poems"))


def test_a_column_that_is_there_twice_is_refused(given: Given) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = requests_columns()
    names, cells = [*columns, "quality_full"], [*columns.values(), columns["quality_full"]]
    with given.requests.open("wb") as raw:
        pq.write_table(pa.table([pa.array(each) for each in cells], names=names), raw)
    with pytest.raises(NothingToLearn, match="column quality_full is there twice; keep one"):
        read_requests(given.requests, TASKS)


@pytest.mark.parametrize("content", [b"", b"task,prompt\n", b"PAR1" + b"x" * 400 + b"PAR1"])
def test_what_is_no_parquet_file_is_refused(given: Given, content: bytes) -> None:
    given.requests.write_bytes(content)
    with pytest.raises(NothingToLearn, match=r"cannot be read as a Parquet file: .*; check the path"):
        read_requests(given.requests, TASKS)


def test_a_damaged_parquet_file_is_refused(given: Given) -> None:
    whole = given.requests.read_bytes()
    given.requests.write_bytes(whole[:50] + b"x" * 850 + whole[900:])
    with pytest.raises(NothingToLearn, match="cannot be read as a Parquet file"):
        read_requests(given.requests, TASKS)


def test_a_file_that_is_missing_or_a_folder_is_refused(given: Given) -> None:
    with pytest.raises(NothingToLearn, match="Is a directory; check the path"):
        read_requests(given.folder, TASKS)
    with pytest.raises(NothingToLearn, match="No such file or directory; check the path"):
        read_requests(given.folder / "none.parquet", TASKS)
