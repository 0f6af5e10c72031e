"""Traces as Parquet files and compressed CSV: the same readings, the same checks."""

from __future__ import annotations

import gzip
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import BadData, GridError, SourceSpecError, TraceSource, ZoneError, open_source, read_trace
from grid.testing import NOON, ManualClock

HOUR = timedelta(hours=1)
HOURS = [NOON + n * HOUR for n in range(4)]
CSV = "time_utc,g_per_kwh\n2026-03-02T12:00:00Z,100\n2026-03-02T13:00:00Z,110.5\n"


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def _write(**columns: Any) -> Path:
        path = tmp_path / "trace.parquet"
        pq.write_table(pa.table(columns), path)
        return path

    return _write


STAMPS = {
    "text": pa.array([when.isoformat() for when in HOURS]),
    "text without offset": pa.array([f"{when:%Y-%m-%d %H:%M}" for when in HOURS]),
    "categories": pa.array([when.isoformat() for when in HOURS]).dictionary_encode(),
    "s, naive": pa.array([when.replace(tzinfo=None) for when in HOURS], pa.timestamp("s")),
    "ms, UTC": pa.array(HOURS, pa.timestamp("ms", tz="UTC")),
    "us, naive": pa.array([when.replace(tzinfo=None) for when in HOURS], pa.timestamp("us")),
    "ns, naive": pa.array([when.replace(tzinfo=None) for when in HOURS], pa.timestamp("ns")),
    "ns, elsewhere": pa.array(HOURS, pa.timestamp("ns", tz="Asia/Kolkata")),
}


@pytest.mark.parametrize("stamps", STAMPS.values(), ids=STAMPS.keys())
def test_time_stamps_of_every_type_are_utc(write: Any, stamps: Any) -> None:
    series = read_trace(write(time_utc=stamps, g_per_kwh=[100, 110, 120, 130]), zone="GB", now_utc=ManualClock())
    assert [(r.start_utc, r.g_per_kwh) for r in series] == list(zip(HOURS, [100, 110, 120, 130], strict=True))
    assert {(r.source, r.fetched_at_utc, r.factors, r.status) for r in series} == {
        ("trace:trace.parquet", NOON, "lifecycle", "actual")
    }


@pytest.mark.parametrize(
    "figures",
    [
        pa.array([100, None, 120, 130], pa.int16()),
        pa.array([100, None, 120, 130], pa.float32()),
        pa.array([Decimal(100), None, Decimal(120), Decimal(130)]),
        pa.array(["100", None, "120", "130"]),
    ],
    ids=lambda figures: str(figures.type),
)
def test_figures_of_every_type_are_read_and_null_is_a_gap(write: Any, figures: Any) -> None:
    series = read_trace(write(time_utc=HOURS, g_per_kwh=figures), zone="GB")
    assert [(r.start_utc, r.end_utc - r.start_utc, r.g_per_kwh) for r in series] == [
        (NOON, HOUR, 100),
        (NOON + 2 * HOUR, HOUR, 120),
        (NOON + 3 * HOUR, HOUR, 130),
    ]


def test_the_other_columns_mean_what_they_mean_in_csv(write: Any) -> None:
    path = write(
        time_utc=HOURS, zone=["FR"] * 4, direct_g_per_kwh=[1.0] * 4, lifecycle_g_per_kwh=[2.0] * 4, estimated=[True] * 4
    )
    series = read_trace(path, factors="direct")
    assert {(r.zone, r.factors, r.g_per_kwh, r.status) for r in series} == {("FR", "direct", 1.0, "estimated")}
    assert isinstance(open_source(path.as_posix() + "?factors=lifecycle"), TraceSource)


@pytest.mark.parametrize(
    ("columns", "error", "told"),
    [
        ({"time": HOURS}, SourceSpecError, "no column time_utc; its header is time"),
        ({"time_utc": HOURS, "price": [1] * 4}, SourceSpecError, "no column g_per_kwh or .*header is time_utc, price"),
        ({"time_utc": HOURS, "g_per_kwh": [1, 2, float("nan"), 4]}, BadData, "row 3, column g_per_kwh: .*nan"),
        ({"time_utc": HOURS, "g_per_kwh": [1, 2, -3, 4]}, BadData, "row 3, column g_per_kwh: .*-3"),
        ({"time_utc": HOURS, "g_per_kwh": [True] * 4}, BadData, "row 1: g_per_kwh is True, not a figure"),
        ({"time_utc": HOURS, "g_per_kwh": [[1]] * 4}, BadData, r"row 1: g_per_kwh is \[1\], not a figure"),
        ({"time_utc": [1, 2, 3, 4], "g_per_kwh": [1] * 4}, BadData, "row 1: time_utc is 1, not an ISO 8601"),
        ({"time_utc": [None, *HOURS[1:]], "g_per_kwh": [1] * 4}, BadData, "row 1: time_utc is None"),
        ({"time_utc": [*HOURS[:3], NOON], "g_per_kwh": [1] * 4}, BadData, "row 4: time_utc .*not after the row before"),
        ({"time_utc": HOURS, "g_per_kwh": [1] * 4, "zone": ["GB", None] * 2}, BadData, "row 2: zone is None"),
        ({"time_utc": HOURS, "g_per_kwh": [1] * 4, "zone": ["FR"] * 4}, ZoneError, "there are FR, GB"),
        ({"time_utc": HOURS, "g_per_kwh": [1] * 4, "status": [None] * 4}, BadData, "row 1: status is None"),
        ({"time_utc": HOURS, "g_per_kwh": [1] * 4, "estimated": [1] * 4}, BadData, "row 1: estimated is 1"),
        ({"time_utc": HOURS[:1], "g_per_kwh": [1]}, BadData, "two rows or more"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_row(
    write: Any, columns: dict[str, Any], error: type[GridError], told: str
) -> None:
    path = write(**columns)
    with pytest.raises(error, match=told) as caught:
        read_trace(path, zone="GB")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"time_utc": pa.array([1, 3_600_000_000_000], pa.timestamp("ns"))}, "would lose data"),
        ({"time_utc": pa.array([1, 2**62], pa.timestamp("us"))}, "out of range"),
        ({"time_utc": HOURS[:2], "status": pa.array([b"\xff", b"\xff"]).view(pa.string())}, "can't decode byte 0xff"),
    ],
    ids=["finer than a microsecond", "after the year 9999", "not UTF-8"],
)
def test_cells_that_python_cannot_hold_are_an_error(write: Any, columns: dict[str, Any], told: str) -> None:
    path = write(**columns, g_per_kwh=[1, 2])
    with pytest.raises(SourceSpecError, match=f"^cannot read trace {path} as a Parquet file: .*{told}"):
        read_trace(path, zone="GB")


def test_a_file_that_is_not_parquet_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceSpecError, match=r"cannot read trace .*absent\.parquet .*: No such file"):
        read_trace(tmp_path / "absent.parquet", zone="GB")
    path = tmp_path / "trace.parquet"
    for content in (b"", b"PAR1", CSV.encode(), b"PAR1" + b"\0" * 40 + b"PAR1"):
        path.write_bytes(content)
        with pytest.raises(SourceSpecError, match=f"^cannot read trace {path} as a Parquet file: .*") as caught:
            read_trace(path, zone="GB")
        assert "\n" not in str(caught.value)


def test_without_pyarrow_the_extra_is_named(write: Any) -> None:
    path = write(time_utc=HOURS, g_per_kwh=[1] * 4)
    script = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from grid import SourceSpecError, read_trace\n"
        "try: read_trace(sys.argv[1], zone='GB')\n"
        "except SourceSpecError as exc: print(exc)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    said = f"trace {path} is a Parquet file, and pyarrow is not installed: pip install 'sprout-like[parquet]'\n"
    assert done.stdout == said


def test_compressed_csv_is_read_like_plain(tmp_path: Path) -> None:
    path = tmp_path / "day.csv.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + CSV.encode()))
    assert [(r.start_utc, r.g_per_kwh) for r in read_trace(path, zone="GB")] == [(NOON, 100), (NOON + HOUR, 110.5)]
    assert open_source(path, zone="GB").name == "trace:day.csv.gz"


def test_broken_compression_is_told(tmp_path: Path) -> None:
    path = tmp_path / "day.csv.gz"
    whole = gzip.compress(CSV.encode())
    for content in (CSV.encode(), whole[:-9], whole[:20], whole[:10] + b"\xff" * 20):
        path.write_bytes(content)
        with pytest.raises(SourceSpecError, match=f"trace {path}"):
            read_trace(path, zone="GB")


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from([".csv", ".csv.gz", ".parquet"])
)
def test_no_content_raises_anything_but_our_errors(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz{suffix}"
    header = b"time_utc,g_per_kwh,status\n2026-03-02T12:00Z,1,actual\n"
    for body in (content, header + content):
        path.write_bytes(gzip.compress(body) if suffix == ".csv.gz" and len(content) % 2 else body)
        with pytest.raises(GridError):
            raise_unless_read(path)


def raise_unless_read(path: Path) -> None:
    read_trace(path, zone="GB")
    raise GridError


@given(
    st.lists(
        st.none() | st.integers(-6_000_000_000, 6_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC)),
        min_size=2,
        max_size=4,
    ),
    st.data(),
)
def test_no_table_raises_anything_but_our_errors(
    tmp_path_factory: pytest.TempPathFactory, stamps: list[datetime | None], data: st.DataObject
) -> None:
    cells = st.none() | st.one_of(st.floats(), st.integers(-(2**63), 2**63 - 1), st.booleans(), st.text(max_size=3))
    kind = data.draw(st.sampled_from([float, int, bool, str]))
    figures = [one if type(one) is kind else None for one in data.draw(st.lists(cells, min_size=4, max_size=4))]
    path = tmp_path_factory.getbasetemp() / "table.parquet"
    pq.write_table(pa.table({"time_utc": stamps, "g_per_kwh": figures[: len(stamps)]}), path)
    with pytest.raises(GridError):
        raise_unless_read(path)
