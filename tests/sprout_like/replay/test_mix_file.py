"""Mixes: shares of tasks by hour, and what is said of a mix that cannot be replayed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sprout_like.errors import NothingToLearn
from sprout_like.replay.mix_file import read_mix
from tests.sprout_like.replay.recorded import Given, mix_rows

HEADER = ("hour", "sums", "songs")
GOOD = (1, 0.5, 0.5)


def test_shares_of_the_hours_asked_for(given: Given) -> None:
    given.write_mix([(0, 0.25, 0.75), (1, 1, 0), (2, "no", "share")])
    mix = read_mix(given.mix, 2)
    assert mix.tasks == ("sums", "songs")
    assert mix.shares.tolist() == [[0.25, 0.75], [1, 0]]


def test_a_task_that_never_comes_is_left_out(given: Given) -> None:
    given.write_mix([(0, 0, 1, 0), (1, 0, 0.5, 0.5)], header=("hour", "sums", "songs", "poems"))
    assert read_mix(given.mix, 1).tasks == ("songs",)
    assert read_mix(given.mix, 2).tasks == ("songs", "poems")


def test_rounded_shares_are_made_to_sum_to_one(given: Given) -> None:
    given.write_mix([(0, 0.3333, 0.6669)])
    assert read_mix(given.mix, 1).shares.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        (HEADER, (0, 0.5, 0.4), "row 1: the shares sum to 0.9; give shares that sum to 1"),
        (HEADER, (0, 0.6, 0.6), "row 1: the shares sum to 1.2"),
        (HEADER, (0, 0, 0), "row 1: the shares sum to 0"),
        (HEADER, (0, 1.5, -0.5), "row 1: the share of sums is 1.5; give one from 0 to 1"),
        (HEADER, (0, -0.5, 1), "row 1: the share of sums is -0.5"),
        (HEADER, (0, 50, 50), "row 1: the share of sums is 50"),
        (HEADER, (0, 0.5, "nan"), "row 1: the share of songs is nan"),
        (HEADER, (0, 0.5, "half"), "row 1: the share of songs is half"),
        (HEADER, (0, 0.5, ""), "row 1: the share of songs is empty"),
        (HEADER, (1, 0.5, 0.5), "row 1: it is not hour 0 with 2 shares; give every hour, from 0 on"),
        (HEADER, (0, 1), "row 1: it is not hour 0 with 2 shares"),
        (HEADER, (0, 0.5, 0.25, 0.25), "row 1: it is not hour 0 with 2 shares"),
        (("h", "sums", "songs"), (0, 0.5, 0.5), "its header is h,sums,songs; give hour and a column per task"),
        (("hour", "sums", "sums"), (0, 0.5, 0.5), "its header is hour,sums,sums"),
        (("hour", "sums", ""), (0, 0.5, 0.5), "its header is hour,sums,"),
        (("hour",), (0,), "its header is hour;"),
    ],
)
def test_what_cannot_be_replayed_is_named(
    given: Given, header: Sequence[object], row: Sequence[object], said: str
) -> None:
    given.write_mix([row, GOOD], header)
    with pytest.raises(NothingToLearn) as caught:
        read_mix(given.mix, 2)
    assert str(caught.value).startswith(str(given.mix))
    assert said in str(caught.value)


def test_a_missing_hour_is_named(given: Given) -> None:
    given.write_mix([row for row in mix_rows() if row[0] != 5])
    with pytest.raises(NothingToLearn, match="row 6: it is not hour 5"):
        read_mix(given.mix, 40)


def test_a_mix_that_is_too_short_is_refused(given: Given) -> None:
    with pytest.raises(NothingToLearn, match="it has 48 hours of the 49 asked for; give more, or fewer --hours"):
        read_mix(given.mix, 49)


def test_what_is_no_csv_file_is_refused(given: Given) -> None:
    given.mix.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NothingToLearn, match="it is no CSV file in UTF-8"):
        read_mix(given.mix, 1)
    given.mix.write_bytes(b"")
    with pytest.raises(NothingToLearn, match="its header is empty"):
        read_mix(given.mix, 1)


def test_a_mix_that_is_missing_or_a_folder_is_refused(given: Given) -> None:
    for file, said in ((given.folder, "Is a directory"), (given.folder / "none.csv", "No such file or directory")):
        with pytest.raises(NothingToLearn, match=f"{said}; check the path"):
            read_mix(file, 1)
