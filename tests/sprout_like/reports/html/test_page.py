"""The page as text: the same bytes for the same report, nothing from elsewhere, a figure for everything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sprout_like.errors import ReportError
from sprout_like.reports.html.canvas import Canvas, drawing
from sprout_like.reports.html.page import page
from sprout_like.reports.html.svg import Styles
from sprout_like.reports.interval import UNKNOWN
from sprout_like.reports.report import Savings
from tests.sprout_like.reports.html import made_up

MONTH = made_up.month(directives=12)

_ELSEWHERE = """
import hashlib, locale, sys
from sprout_like.reports.html.page import page
from tests.sprout_like.reports.html import made_up
print(hashlib.sha256(page(made_up.month(directives=12)).encode()).hexdigest())
"""


class _Elements(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)


@pytest.fixture(scope="module")
def month() -> str:
    return page(MONTH)


def test_the_same_report_is_the_same_bytes(month: str) -> None:
    assert page(MONTH) == month


def test_neither_another_process_nor_a_users_own_style_changes_a_byte(month: str, tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text(
        "figure.dpi: 300\nsvg.fonttype: path\naxes.grid: True\ntimezone: Asia/Tokyo\n"
    )
    environment = {**os.environ, "MPLCONFIGDIR": str(tmp_path), "PYTHONHASHSEED": "5", "TZ": "Asia/Tokyo"}
    root = Path(__file__).parents[4]
    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE], env=environment, cwd=root, capture_output=True, text=True, check=True
    )
    import hashlib

    assert done.stdout.split() == [hashlib.sha256(month.encode()).hexdigest()]


def test_nothing_in_it_points_elsewhere(month: str) -> None:
    found = _Elements(month)
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", month)
    assert {tag for tag in found.tags if tag in ("script", "link", "img", "iframe", "object", "embed", "base")} == set()
    assert all(value.startswith("#") for name, value in found.attributes if name in ("href", "xlink:href", "src"))
    assert [name for name, _ in found.attributes if name == "style" or name.startswith("on")] == []


def test_every_identifier_is_there_once_and_every_reference_leads_somewhere(month: str) -> None:
    found = _Elements(month)
    names = Counter(value for name, value in found.attributes if name == "id")
    assert set(names.values()) == {1}
    assert {value[1:] for name, value in found.attributes if name == "href"} <= set(names)
    assert set(re.findall(r"url\(#([^)]+)\)", month)) <= set(names)
    assert {value for name, value in found.attributes if name == "aria-labelledby"} <= set(names)


def test_a_month_is_small(month: str) -> None:
    assert len(month.encode()) < 1_000_000


def test_there_are_figures_behind_every_plot_and_words_for_who_cannot_see_it(month: str) -> None:
    found = _Elements(month)
    plots = [value for name, value in found.attributes if name == "class" and value == "plot"]
    assert len(plots) == 7
    assert found.tags["figure"] == found.tags["details"] == found.tags["figcaption"] == len(plots)
    said = [value for name, value in found.attributes if name == "aria-label"]
    assert all(len(text) > 3 for text in said)


def test_texts_of_plots_are_texts_and_colours_are_the_pages(month: str) -> None:
    drawn = "".join(re.findall(r"<svg.*?</svg>", month, flags=re.DOTALL))
    assert "<text" in drawn
    assert not re.search(r"#[0-9a-f]{6}", drawn)


def test_an_unknown_figure_is_a_dash_that_says_why() -> None:
    report = made_up.month()
    unknown = replace(report.headlines[0].usage, energy_j=UNKNOWN, embodied_g=UNKNOWN, new_tokens=None)
    told = page(replace(report, headlines=(replace(report.headlines[0], usage=unknown),), savings=Savings()))
    assert "no request here has a metered or estimated energy" in told
    assert "embodied emissions of the hardware" in told
    assert "no control group of two or more" in told
    for number in re.findall(r"–<sup>(\d+)</sup>", told):
        assert int(number) >= 1


def test_an_empty_ledger_is_said_to_be_empty() -> None:
    told = page(made_up.nothing())
    assert "The ledger holds no request in this span" in told
    assert "<svg" not in told


def test_a_saving_that_cannot_be_believed_says_so_beside_its_figure() -> None:
    report = made_up.month()
    measured = tuple(replace(each, doubts=("Its control group is uneven.",)) for each in report.savings.measured)
    told = page(replace(report, savings=replace(report.savings, measured=measured)))
    assert "not to be leant on as it stands" in told
    assert told.count("contextual-7f3a, energy and carbon: Its control group is uneven.") == 1


def test_a_saving_of_all_policies_together_stands_before_each_ones() -> None:
    report = made_up.month()
    one, other = (replace(each, policy_version="v1") for each in report.savings.measured)
    together = replace(other, policy_version=None, policy_n=2 * other.policy_n, saving=0.234)
    told = page(replace(report, savings=replace(report.savings, measured=(one, other), overall=(together,))))
    in_short, _, below = told.partition('id="saving"')
    assert "per request under all policies" in in_short
    assert "23.4" in in_short
    assert below.index("carbon, measured, all policies") < below.index("energy, measured, v1")


def test_what_the_parts_are_off_the_counter_is_found_in_the_page() -> None:
    report = made_up.month()
    off = replace(report.devices[0], worst_hour_share=-0.034)
    told = page(replace(report, devices=(off,)))
    assert "In every hour of every device the parts add up" not in told
    assert "−3.4\u00a0% off" in told


def test_a_colour_that_is_not_in_the_palette_is_refused() -> None:
    with drawing():
        canvas = Canvas("plot", [50])
        canvas.panels[0].plot([0, 1], [0, 1], color="#123456")
        with pytest.raises(ValueError, match="#123456 is not a colour of the palette"):
            canvas.svg("", Styles())


def test_without_matplotlib_it_says_what_to_install() -> None:
    script = (
        "import sys\n"
        "sys.modules['matplotlib'] = None\n"
        "from sprout_like.reports.html.page import page\n"
        "from tests.sprout_like.reports.html import made_up\n"
        "try: page(made_up.nothing())\n"
        "except Exception as exc: print(type(exc).__name__, exc)\n"
    )
    root = Path(__file__).parents[4]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.startswith(f"{ReportError.__name__} --format: html needs matplotlib")
    assert 'pip install "sprout-like[plot]"' in done.stdout
    assert done.stdout.count("\n") == 1


def test_plots_and_templates_are_loaded_only_to_make_a_page() -> None:
    script = (
        "import sys, sprout_like.reports.html.page; print([m for m in ('matplotlib', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
