"""Traces: the window, the past before it, the year; and what is said of a trace that cannot be replayed."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

from grid import GridError
from sprout_like.errors import NothingToLearn
from sprout_like.replay.trace_file import DIRECT, Trace, read_trace, year_of
from tests.sprout_like.replay.recorded import Given, trace_rows

Rows = list[tuple[str, object]]


def rows_of(*figures: object) -> Rows:
    return [(stamp, figure) for (stamp, _), figure in zip(trace_rows(), figures, strict=False)]


def read(given: Given, start_hour: int = 48, hours: int = 48) -> Trace:
    return read_trace(given.trace, DIRECT, start_hour, hours)


def test_the_window_and_what_was_before(given: Given) -> None:
    given.write_trace(rows_of(1, 2, 3, 4, 5, 6))
    trace = read(given, 2, 3)
    assert f"{trace.start_utc:%Y-%m-%dT%H:%M%z}" == "2023-01-01T02:00+0000"
    assert trace.past_g_per_kwh.tolist() == [1, 2]
    assert trace.g_per_kwh.tolist() == [3, 4, 5]
    assert trace.all_g_per_kwh.tolist() == [1, 2, 3, 4, 5, 6]


def test_rows_may_come_in_any_order(given: Given) -> None:
    given.write_trace(rows_of(1, 2, 3, 4)[::-1])
    assert read(given, 1, 3).g_per_kwh.tolist() == [2, 3, 4]


def test_hours_count_from_the_first_row_even_where_its_figure_is_unknown(given: Given) -> None:
    given.write_trace(rows_of("", 2, 3, 4))
    trace = read(given, 2, 2)
    assert trace.g_per_kwh.tolist() == [3, 4]
    assert trace.past_g_per_kwh.tolist() == [2]


def test_the_past_ends_at_a_gap(given: Given) -> None:
    rows = rows_of(1, 2, 3, 4, 5)
    given.write_trace([rows[0], *rows[2:]])
    assert read(given, 3, 2).past_g_per_kwh.tolist() == [3]


def test_a_compressed_trace_and_a_parquet_file_are_the_same_trace(given: Given) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    plain = read(given)
    packed, columns = given.folder / "XX_2023.csv.gz", given.folder / "XX_2023.parquet"
    packed.write_bytes(gzip.compress(given.trace.read_bytes()))
    with columns.open("wb") as raw:
        stamps, figures = zip(*trace_rows(), strict=True)
        pq.write_table(pa.table({"time_utc": stamps, DIRECT: figures}), raw)
    for file in (packed, columns):
        trace = read_trace(file, DIRECT, 48, 48)
        assert trace.g_per_kwh.tolist() == plain.g_per_kwh.tolist()
        assert trace.start_utc == plain.start_utc


def halved(rows: Rows) -> Rows:
    return [each for stamp, g in rows for each in ((stamp, g), (stamp.replace("00:00Z", "30:00Z"), g))]


def replaced(row: int, stamp: str | None = None, figure: object = None) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        new = (rows[row][0] if stamp is None else stamp, rows[row][1] if figure is None else figure)
        return [*rows[:row], new, *rows[row + 1 :]]

    return change


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (lambda rows: rows[:95], "it has 95 hours, and the window ends at hour 96; ask for fewer --hours"),
        (lambda rows: [*rows[:60], *rows[61:]], f"column {DIRECT} has a gap at 2023-01-03T12:00Z; fill it, or choose"),
        (replaced(60, figure=""), "has a gap at 2023-01-03T12:00Z"),
        (replaced(60, figure="nan"), f"line 62: {DIRECT} is 'nan'; give g CO2e/kWh, or leave it empty where unknown"),
        (replaced(60, figure=-3), f"line 62: {DIRECT} is '-3'"),
        (replaced(60, figure="high"), f"line 62: {DIRECT} is 'high'"),
        (lambda rows: [*rows[:60], *rows[59:]], "line 62: 2023-01-03T11:00Z is there twice; give each hour once"),
        (halved, "not an hour apart (after 2023-01-01T00:00Z comes 2023-01-01T00:30Z); give the mean of each hour"),
        (lambda rows: rows[::2], "not an hour apart (after 2023-01-01T00:00Z comes 2023-01-01T02:00Z)"),
        (replaced(60, stamp="2023-01-03T12:15:00Z"), "after 2023-01-03T11:00Z comes 2023-01-03T12:15Z"),
        (replaced(60, stamp="yesterday"), "line 62: time_utc is 'yesterday'; give an ISO 8601 time in UTC"),
        (replaced(60, stamp=""), "line 62: time_utc is empty"),
        (lambda rows: [], f"column {DIRECT} holds no figure; name another by --column"),
    ],
)
def test_what_cannot_be_replayed_is_named(given: Given, spoilt: Callable[[Rows], Rows], said: str) -> None:
    given.write_trace(spoilt(trace_rows()))
    with pytest.raises(NothingToLearn) as caught:
        read(given)
    assert str(caught.value).startswith(str(given.trace))
    assert said in str(caught.value)


def test_hours_beyond_any_calendar_are_refused(given: Given) -> None:
    with pytest.raises(NothingToLearn, match="it has 120 hours"):
        read(given, start_hour=10**12)


def test_a_column_that_is_not_there_is_named_with_those_that_are(given: Given) -> None:
    with pytest.raises(NothingToLearn, match=f"there is no column marginal; it has time_utc, {DIRECT}"):
        read_trace(given.trace, "marginal", 0, 1)


def test_a_trace_that_is_missing_or_a_folder_is_refused(given: Given) -> None:
    for file in (given.folder, given.folder / "none.csv"):
        with pytest.raises(GridError, match="check the path"):
            read_trace(file, DIRECT, 0, 1)


HEADER = "zone,year_min_g_per_kwh,year_max_g_per_kwh,year_mean_g_per_kwh\n"


def test_the_year_is_that_of_the_zone_in_the_summary_beside_the_trace(given: Given) -> None:
    given.folder.joinpath("year_2023_summary.csv").write_text(f"{HEADER}YY,1,2,1.5\nXX,50,300,110\n")
    year, origin = year_of(read(given))
    assert (year.lowest_g_per_kwh, year.highest_g_per_kwh, year.mean_g_per_kwh) == (50, 300, 110)
    assert origin == "year_2023_summary.csv"


@pytest.mark.parametrize("summary", [None, f"{HEADER}YY,1,2,1.5\n", ""])
def test_without_a_summary_the_year_is_that_of_the_trace(given: Given, summary: str | None) -> None:
    if summary is not None:
        given.folder.joinpath("year_2023_summary.csv").write_text(summary)
    year, origin = year_of(read(given))
    assert (year.lowest_g_per_kwh, year.highest_g_per_kwh, year.mean_g_per_kwh) == (100, 210, 155)
    assert origin == "the trace itself"


def test_a_summary_of_another_column_is_not_taken(given: Given) -> None:
    given.folder.joinpath("year_2023_summary.csv").write_text(f"{HEADER}XX,50,300,110\n")
    given.write_trace(trace_rows(), column="lifecycle_g_per_kwh")
    assert year_of(read_trace(given.trace, "lifecycle_g_per_kwh", 0, 1))[1] == "the trace itself"


@pytest.mark.parametrize("summary", ["zone,mean\nXX,3\n", f"{HEADER}XX,50\n", f"{HEADER}XX,50,high,110\n"])
def test_a_summary_that_says_nothing_of_its_zone_is_refused(given: Given, summary: str) -> None:
    given.folder.joinpath("year_2023_summary.csv").write_text(summary)
    with pytest.raises(NothingToLearn, match=r"year_2023_summary.csv: .* of zone XX .*; repair it or take it away"):
        year_of(read(given))
