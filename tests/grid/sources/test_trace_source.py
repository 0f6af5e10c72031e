from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import BadData, NoData, Series, SourceSpecError, Status, TraceSource, ZoneError, read_trace
from grid.testing import NOON, ManualClock, reading

HOUR = timedelta(hours=1)
PLAIN = """\
# synthetic
time_utc,g_per_kwh

2026-03-02T12:00:00Z,100
2026-03-02T13:00:00Z,110.5
2026-03-02T16:00:00Z,0
"""
BOTH = """\
time_utc,direct_g_per_kwh,lifecycle_g_per_kwh,estimated
2026-03-02T12:00:00Z,71.5,103.5,False
2026-03-02T13:00:00Z,65.3,95.6,True
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def _write(text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "trace.csv"
        path.write_text(text, encoding)
        return path

    return _write


def test_a_plain_trace_is_read_with_its_provenance(write: Any) -> None:
    series = read_trace(write(PLAIN), zone="GB", now_utc=ManualClock())
    assert [(r.start_utc - NOON, r.g_per_kwh) for r in series] == [(0 * HOUR, 100), (1 * HOUR, 110.5), (4 * HOUR, 0)]
    assert {r.end_utc - r.start_utc for r in series} == {HOUR}
    assert {(r.zone, r.kind, r.factors, r.status, r.source, r.fetched_at_utc) for r in series} == {
        ("GB", "average", "lifecycle", "actual", "trace:trace.csv", NOON)
    }


def test_a_gap_stays_a_gap(write: Any) -> None:
    source = TraceSource(read_trace(write(PLAIN), zone="GB"))
    assert source.slot_s == 3600
    in_gap = NOON + 3 * HOUR
    assert source.forecast("GB", NOON, NOON + 5 * HOUR).at(in_gap) is None
    latest = source.latest("GB", in_gap)
    assert (latest.g_per_kwh, latest.end_utc) == (110.5, NOON + 2 * HOUR)


def test_it_never_answers_beyond_what_it_holds(write: Any) -> None:
    source = TraceSource(read_trace(write(PLAIN), zone="GB"))
    held = "holds 2026-03-02 12:00:00.* to 2026-03-02 17:00:00"
    for now_utc in (NOON - timedelta(seconds=1), NOON + 5 * HOUR):
        with pytest.raises(NoData, match=held):
            source.latest("GB", now_utc)
    for start_utc in (NOON - 3 * HOUR, NOON + 5 * HOUR):
        with pytest.raises(NoData, match=held):
            source.history("GB", start_utc, start_utc + 2 * HOUR)


def test_a_range_that_goes_beyond_it_gets_what_is_held(write: Any) -> None:
    source = TraceSource(read_trace(write(PLAIN), zone="GB"))
    assert len(source.forecast("GB", NOON + HOUR, NOON + 99 * HOUR)) == 2


def test_an_empty_series_is_no_trace() -> None:
    with pytest.raises(SourceSpecError, match="empty"):
        TraceSource(Series([]))


@pytest.mark.parametrize(
    ("choice", "figure", "factors"),
    [
        ({"factors": "direct"}, 71.5, "direct"),
        ({"factors": "lifecycle"}, 103.5, "lifecycle"),
        ({"column": "direct_g_per_kwh"}, 71.5, "direct"),
        ({"column": "lifecycle_g_per_kwh", "factors": "lifecycle"}, 103.5, "lifecycle"),
    ],
)
def test_the_caller_picks_among_two_columns(write: Any, choice: Any, figure: float, factors: str) -> None:
    series = read_trace(write(BOTH), zone="GB", **choice)
    assert (series[0].g_per_kwh, series[0].factors) == (figure, factors)
    assert [r.status for r in series] == ["actual", "estimated"]


@pytest.mark.parametrize(
    ("text", "choice", "told"),
    [
        (BOTH, {}, "direct_g_per_kwh and lifecycle_g_per_kwh: pick one"),
        (BOTH, {"column": "g"}, "no column g; its header is time_utc, direct_g_per_kwh"),
        (BOTH, {"column": "direct_g_per_kwh", "factors": "lifecycle"}, "is direct, and factors= asks for lifecycle"),
        ("time_utc,direct_g_per_kwh\n", {"factors": "lifecycle"}, "no column lifecycle_g_per_kwh or g_per_kwh"),
        ("time_utc,price\n", {}, "no column g_per_kwh or direct_g_per_kwh or lifecycle_g_per_kwh"),
        ("time,g_per_kwh\n", {}, "no column time_utc; its header is time, g_per_kwh"),
        ("", {}, "no column time_utc; its header is empty"),
    ],
)
def test_columns_that_leave_the_choice_open_are_an_error(write: Any, text: str, choice: Any, told: str) -> None:
    with pytest.raises(SourceSpecError, match=told):
        read_trace(write(text), zone="GB", **choice)


def test_any_named_column_will_do_with_its_factors(write: Any) -> None:
    text = PLAIN.replace("g_per_kwh", "co2")
    series = read_trace(write(text), zone="GB", column="co2", factors="direct", kind="marginal", status="estimated")
    assert {(r.factors, r.kind, r.status) for r in series} == {("direct", "marginal", "estimated")}


def test_an_empty_cell_is_a_gap(write: Any) -> None:
    series = read_trace(write(PLAIN.replace("110.5", " ")), zone="GB")
    assert [(r.start_utc - NOON, r.end_utc - r.start_utc, r.g_per_kwh) for r in series] == [
        (0 * HOUR, HOUR, 100),
        (4 * HOUR, HOUR, 0),
    ]


def test_a_file_without_any_figure_is_told(write: Any) -> None:
    path = write("time_utc,g_per_kwh\n2026-03-02T12:00,\n2026-03-02T13:00,\n")
    with pytest.raises(BadData, match=f"{path}: column g_per_kwh holds no figure"):
        read_trace(path, zone="GB")


@pytest.mark.parametrize("cell", ["n/a", "nan", "inf", "-1", "5001", "1,5"])
def test_a_bad_figure_is_told_with_file_line_and_cell(write: Any, cell: str) -> None:
    path = write(PLAIN.replace("110.5", f'"{cell}"'))
    with pytest.raises(BadData, match=f"{path}, line 5.*{cell}"):
        read_trace(path, zone="GB")


@pytest.mark.parametrize(
    ("stamp", "told"),
    [
        ("yesterday", "time_utc is 'yesterday', not an ISO 8601 time stamp"),
        ("2026-03-02T13:00:00+01:00", "not in UTC"),
        ("2026-03-02T12:00:00Z", "not after the row before it"),
        ("2026-03-02T11:00:00Z", "not after the row before it"),
    ],
)
def test_a_bad_stamp_is_told_with_file_line_and_cell(write: Any, stamp: str, told: str) -> None:
    path = write(PLAIN.replace("2026-03-02T13:00:00Z", stamp))
    with pytest.raises(BadData, match="line 5: .*" + told.replace("+", r"\+")):
        read_trace(path, zone="GB")


@pytest.mark.parametrize(("column", "cell"), [("status", "guess"), ("status", ""), ("estimated", "maybe")])
def test_a_bad_label_is_told_with_file_line_and_cell(write: Any, column: str, cell: str) -> None:
    good = {"status": "actual", "estimated": "false"}[column]
    path = write(f"time_utc,g_per_kwh,{column}\n2026-03-02T12:00,1,{good}\n2026-03-02T13:00,1,{cell}\n")
    with pytest.raises(BadData, match=f"line 3: {column} is {repr(cell) if cell else None}, not"):
        read_trace(path, zone="GB")


@pytest.mark.parametrize("row", ["2026-03-02T14:00", "2026-03-02T14:00,1,2"])
def test_a_ragged_row_is_told(write: Any, row: str) -> None:
    with pytest.raises(BadData, match=r"line 7: \d cells, and the header has 2"):
        read_trace(write(PLAIN + row + "\n"), zone="GB")


def test_one_row_has_no_slot_length(write: Any) -> None:
    with pytest.raises(BadData, match="two rows or more"):
        read_trace(write("time_utc,g_per_kwh\n2026-03-02T12:00,1\n"), zone="GB")


def test_stamps_without_offset_and_a_byte_order_mark_are_fine(write: Any) -> None:
    path = write("time_utc,g_per_kwh\n2026-03-02T12:00,1\n2026-03-02T13:00,2\n", "utf-8-sig")
    assert read_trace(path, zone="GB")[0].start_utc == NOON


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceSpecError, match=r"cannot read trace .*absent\.csv: No such file"):
        read_trace(tmp_path / "absent.csv", zone="GB")
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceSpecError, match="not a CSV file in UTF-8"):
        read_trace(binary, zone="GB")


def _with_zones(*zones: str) -> str:
    rows = [f"2026-03-02T{12 + n}:00,1,{zone}\n" for n, zone in enumerate(zones)]
    return "time_utc,g_per_kwh,zone\n" + "".join(rows)


def test_the_zone_comes_from_the_file_or_the_caller(write: Any) -> None:
    path = write(_with_zones("FR", "FR"))
    assert TraceSource(read_trace(path)).zone == "FR"
    assert TraceSource(read_trace(path, zone="FR")).zone == "FR"


@pytest.mark.parametrize(
    ("text", "zone", "error", "told"),
    [
        (PLAIN, None, SourceSpecError, "does not say which zone"),
        (PLAIN, "GBB", ZoneError, "Did you mean 'GB'"),
        (_with_zones("FR", "DE"), None, ZoneError, "must be for one zone, and there are DE, FR"),
        (_with_zones("FR", "FR"), "GB", ZoneError, "must be for one zone, and there are FR, GB"),
    ],
)
def test_a_trace_is_for_one_known_zone(
    write: Any, text: str, zone: str | None, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        read_trace(write(text), zone=zone)


rows = st.lists(
    st.tuples(
        st.floats(0, 5000) | st.integers(0, 5000),
        st.integers(1, 5),
        st.sampled_from(get_args(Status)),
    ),
    min_size=2,
    max_size=20,
)


@given(rows, st.sampled_from([300, 1800, 3600]))
def test_a_series_survives_the_round_trip_through_a_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, int, Any]], slot_s: int
) -> None:
    # The first step is one slot, so that the smallest step is the slot's length.
    slot_of = [0, *(1 + sum(step for _, step, _ in rows[1:n]) for n in range(1, len(rows)))]
    series = Series(
        reading(
            g,
            start_utc=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=slot * slot_s),
            slot_s=slot_s,
            status=status,
            source="trace:trace.csv",
        )
        for slot, (g, _, status) in zip(slot_of, rows, strict=True)
    )
    path = tmp_path_factory.mktemp("round") / "trace.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time_utc", "zone", "direct_g_per_kwh", "status"])
        writer.writerows((r.start_utc.isoformat(), r.zone, r.g_per_kwh, r.status) for r in series)
    read = read_trace(path)
    assert [(r.start_utc, r.end_utc, r.g_per_kwh, r.status, r.zone, r.factors) for r in read] == [
        (r.start_utc, r.end_utc, r.g_per_kwh, r.status, r.zone, r.factors) for r in series
    ]
