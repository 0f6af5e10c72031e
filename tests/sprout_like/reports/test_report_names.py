"""What the name of a report's file says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sprout_like.errors import ReportError
from sprout_like.reports.formats.written import format_of
from sprout_like.reports.manifest import manifest_file, report_file


@pytest.mark.parametrize(("name", "output"), [("a.HTML", "html"), ("a.htm", "html"), ("a.md", "md"), ("a.txt", "text")])
def test_it_says_the_format(name: str, output: str) -> None:
    assert format_of(Path(name)) == output


@pytest.mark.parametrize("name", ["march", "march.pdf", ".html", "march.html.bak"])
def test_a_name_that_says_none_is_an_error_that_lists_those_that_do(name: str) -> None:
    with pytest.raises(
        ReportError, match=rf"{re.escape(name)} tells no format.*\.txt, .*\.parquet or \.md, or give --format"
    ):
        format_of(Path(name))


def test_a_manifest_stands_for_its_report(tmp_path: Path) -> None:
    report = tmp_path / "march.json"

    assert report_file(manifest_file(report)) == report
    assert report_file(report) == report


def test_a_report_that_is_called_like_a_manifest_is_taken_for_itself(tmp_path: Path) -> None:
    report = tmp_path / "march.manifest.json"
    manifest_file(report).touch()

    assert report_file(report) == report
