"""The page as a browser shows it: without a network, in light and dark, on a phone and on paper, with hostile names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sprout_like.reports.html.page import page
from sprout_like.reports.report import Report
from tests.sprout_like.reports.html import made_up

HOSTILE = {
    "script": "</script><script>document.title='run'</script>",
    "element": "<img src=x onerror=\"document.title='run'\">",
    "attribute": '" onmouseover="document.title=\'run\'" x="',
    "style": "</style><style>*{display:none}</style>",
    "comment": "<!--",
    "svg": "</text></svg><svg onload=alert(1)>",
    "address": "javascript:document.title='run'",
    "template": "{{ 7 * 7 }}{% raw %}",
    "formula": r"$\frac{1}{0}$ and _{sub}^{super}",
    "emoji": "🌱🔥👩‍👩‍👧‍👦 温室効果ガス",
    "entity": "&lt;b&gt; &amp;amp; &#106;",
    "long": "long" * 2500,
    "words": " ".join(["many"] * 2000),
    "nothing": "",
    "stand-in": "name:0",
}


WHOLE_MONTH = made_up.month(directives=12)


class Shown:
    """Opens pages from files, without a network, and remembers what they say and ask for."""

    def __init__(self, browser: Any, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self._files: list[tuple[Report, Path]] = []
        self.said: list[str] = []

    def __call__(self, report: Report = WHOLE_MONTH, *, width: int = 1000, **options: Any) -> Any:
        file = self._file(report)
        context = self._browser.new_context(viewport={"width": width, "height": 800}, offline=True, **options)
        tab = context.new_page()
        tab.on("console", lambda message: self.said.append(message.text))
        tab.on("pageerror", lambda error: self.said.append(str(error)))
        tab.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        tab.on("request", lambda request: request.url == file.as_uri() or self.said.append(request.url))
        tab.goto(file.as_uri())
        return tab

    def _file(self, report: Report) -> Path:
        for made, file in self._files:
            if made is report:
                return file
        file = self._folder / f"{len(self._files)}.html"
        file.write_bytes(page(report).encode())
        self._files.append((report, file))
        return file


@pytest.fixture(scope="module")
def pages(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Pages, each made once."""
    return Shown(browser, tmp_path_factory.mktemp("pages"))


@pytest.fixture
def shown(pages: Shown) -> Iterator[Shown]:
    """Opens a report's page; fails if it says anything or asks for anything but itself."""
    pages.said.clear()
    yield pages
    for context in pages._browser.contexts:
        context.close()
    assert pages.said == []


def _named(*names: str) -> Report:
    """Wherever others choose a name, these."""
    report = made_up.month()
    first = report.headlines[0]
    quality = made_up.quality(1)[0]
    groups = [replace(report.lines[0], group=(name,)) for name in names]
    jobs = [replace(report.jobs[0], job_id=name, model=name, task=name, state=name) for name in names]
    served = [each for each in report.classes if each.directive == "brief"]
    saved = [made_up.savings(model=name, version=name) for name in names]
    return replace(
        report,
        by=(f"tag:{names[0]}",),
        lines=(*groups, *report.lines),
        classes=tuple(replace(each, directive=name) for each in served for name in names),
        savings=replace(
            saved[0],
            measured=tuple(replace(each, doubts=names) for one in saved for each in one.measured),
            modelled=tuple(replace(each, breaker=each.model) for one in saved for each in one.modelled),
            judging=tuple(each for one in saved for each in one.judging),
        ),
        quality=tuple(replace(quality, directive=name, model=name, judge=name, breaker=name) for name in names),
        jobs=tuple(replace(job, windows=(replace(job.windows[0], zone=job.model),)) for job in jobs),
        zones=tuple(replace(slot, zone=name) for slot in report.zones[:9] for name in names),
        devices=tuple(replace(report.devices[0], device_name=n, device_id=n, component=n, meter=n) for n in names),
        site=replace(report.site, wue_source=names[0], currency=names[0]),
        headlines=tuple(
            replace(first, purpose=name, emissions=(replace(first.emissions[0], intensity_factors=name),))
            for name in names
        ),
        method=replace(
            report.method,
            meters=tuple((name, name, 1) for name in names),
            intensities=tuple((name, None, None, 1) for name in names),
            sources=tuple((name, name, name, 1) for name in names),
            notes=names,
            gaps=tuple(replace(report.method.gaps[0], what=name, why=name) for name in names),
        ),
    )


def _texts(tab: Any, selector: str) -> list[str]:
    return tab.evaluate("selector => [...document.querySelectorAll(selector)].map(each => each.textContent)", selector)


# As many as are drawn at most, each.
@pytest.mark.parametrize("kinds", [list(HOSTILE)[:8], list(HOSTILE)[8:]], ids=" ".join)
def test_a_name_is_shown_as_it_is_and_nothing_it_says_is_done(shown: Shown, kinds: list[str]) -> None:
    names = [HOSTILE[kind] for kind in kinds]
    tab = shown(_named(*names))
    tab.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert tab.title() == "Carbon report, 2026-10"
    assert tab.locator("script, img, iframe, object, link, base, form, meta[http-equiv=refresh]").count() == 0
    assert tab.locator("style").count() == 1
    attributes = "[...document.querySelectorAll('*')].flatMap(each => [...each.attributes]).map(each => each.name)"
    assert not {each for each in tab.evaluate(attributes) if each.startswith("on")}
    assert tab.evaluate("[...document.querySelectorAll('a')].every(e => e.getAttribute('href').startsWith('#'))")
    assert tab.locator("main > section").count() == 11
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1000
    tab.set_viewport_size({"width": 375, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 375
    cells = _texts(tab, "td bdi")
    drawn = tab.evaluate("[...document.querySelectorAll('.plot text')].map(e => e.firstChild ? e.firstChild.data : '')")
    for name in names:
        assert cells.count(name) >= 12
        line = " ".join(name.split())
        assert any(text == line or (text.endswith("…") and line.startswith(text[:-1])) for text in drawn)


def test_control_characters_and_broken_text_are_replaced(shown: Shown) -> None:
    tab = shown(_named("a\x00b\x1b[2J\ud800c"))
    assert "a\ufffdb\ufffd[2J?c" in _texts(tab, "td bdi")


@pytest.mark.parametrize("selector", ["main p, .notes li, .reasons li, .of", "td bdi", ".plot text"])
def test_a_name_cannot_turn_the_direction_of_what_is_around_it(shown: Shown, selector: str) -> None:
    tab = shown(_named("\u202egnp.exe\u202c \u2067rtl\u2069\u2069"))
    texts = "".join(_texts(tab, selector))
    assert "\ufffdgnp.exe" in texts
    assert not {*texts} & {*"\u202e\u202c\u2067\u2069"}


@pytest.mark.parametrize("width", [320, 375, 768, 1400])
def test_no_width_makes_the_page_scroll_sideways_or_texts_of_plots_overlap(shown: Shown, width: int) -> None:
    tab = shown(width=width)
    assert tab.evaluate(_OVERLAPS) == []
    tab.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_light_and_dark_follow_the_system_until_one_is_chosen(shown: Shown) -> None:
    tab = shown()
    for system, choice, dark in [
        ("light", "auto", False),
        ("dark", "auto", True),
        ("dark", "light", False),
        ("light", "dark", True),
    ]:
        tab.emulate_media(color_scheme=system)
        tab.get_by_text(choice, exact=True).click()
        assert (_luminance(tab, "body", "backgroundColor") < 0.05) is dark
        assert (_luminance(tab, ".plot text", "fill") > 0.4) is dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_drawn_can_be_told_from_the_paper(shown: Shown, scheme: str) -> None:
    """WCAG 2.2: 4.5 : 1 for text (1.4.3), 3 : 1 for what is drawn (1.4.11; orange and sky have labels or hatches)."""
    tab = shown(color_scheme=scheme)
    paper = _luminance(tab, "body", "backgroundColor")
    for selector in ("body", ".span", ".of", "th", "summary"):
        assert _contrast(paper, _luminance(tab, selector, "color")) >= 4.5
    for name in ("blue", "green", "vermillion", "rest", "floor"):
        assert _contrast(paper, tab.evaluate(_OF_VARIABLE, f"--{name}")) >= 2.9


def test_paper_is_light_with_all_figures_on_it_whatever_the_screen_is(shown: Shown) -> None:
    tab = shown(color_scheme="dark")
    tab.emulate_media(media="print")
    assert _luminance(tab, "body", "backgroundColor") > 0.9
    tables = "[...document.querySelectorAll('details .scroll')]"
    assert tab.evaluate(f"{tables}.every(each => each.checkVisibility() && each.offsetHeight > 20)")
    assert not tab.locator("nav").is_visible()
    assert not tab.locator(".theme").is_visible()


def test_printing_makes_pages_of_a4_that_cut_nothing_off(shown: Shown) -> None:
    # 180 mm at 96 dpi: what a page of A4 leaves between margins of 15 mm.
    tab = shown(width=680)
    tab.emulate_media(media="print")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 680
    assert tab.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_it_needs_no_script(shown: Shown) -> None:
    tab = shown(java_script_enabled=False)
    tab.get_by_text("The figures behind this plot").first.click()
    assert tab.locator("details table").first.is_visible()


def test_the_policy_lets_nothing_run_and_nothing_load(shown: Shown) -> None:
    tab = shown(made_up.nothing())
    refused = tab.evaluate(
        """async () => {
          const refused = [];
          document.addEventListener('securitypolicyviolation', event => refused.push(event.effectiveDirective));
          document.body.insertAdjacentHTML('beforeend', '<p style="color:red">x</p>');
          const image = new Image();
          image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=';
          document.body.append(image);
          const script = document.createElement('script');
          script.textContent = 'window.ran = 1';
          document.body.append(script);
          await new Promise(done => setTimeout(done, 100));
          return [refused.sort(), window.ran ?? null];
        }"""
    )
    shown.said.clear()
    assert refused == [["img-src", "script-src-elem", "style-src-attr"], None]


@pytest.mark.parametrize(
    "report",
    [
        made_up.nothing(),
        replace(
            made_up.month(), points=made_up.points(1, timedelta(hours=1)), step="hour", classes=made_up.classes(1)[:1]
        ),
        replace(made_up.month(), points=made_up.points(365, timedelta(days=1))),
        replace(made_up.month(), points=made_up.points(30, timedelta(days=1), kinds=(None,)), classes=()),
        replace(made_up.month(), jobs=made_up.jobs(1)[0], zones=()),
    ],
    ids=["nothing", "one hour", "a year", "no intensity", "no forecast"],
)
def test_other_reports_are_shown_as_well(shown: Shown, report: Report) -> None:
    tab = shown(report, width=375)
    assert tab.evaluate(_OVERLAPS) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 375
    assert "None" not in tab.locator("body").inner_text()
    assert "nan" not in tab.locator("body").inner_text().split()


_OVERLAPS = """() => [...document.querySelectorAll('.plot')].flatMap(plot => {
  const texts = [...plot.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]);
  return texts.flatMap(([one, a], at) => texts.slice(at + 1)
    .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
    .map(([other]) => `${plot.id}: ${one} | ${other}`));
})"""

_CHANNELS = """text => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number);
  return [r, g, b].map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0); }"""

_OF_VARIABLE = f"""name => {{
  const probe = document.body.appendChild(document.createElement('i'));
  probe.className = name.slice(2);
  const text = getComputedStyle(probe).color;
  probe.remove();
  return ({_CHANNELS})(text); }}"""


def _luminance(tab: Any, selector: str, style: str) -> float:
    script = f"([selector, style]) => ({_CHANNELS})(getComputedStyle(document.querySelector(selector))[style])"
    return float(tab.evaluate(script, [selector, style]))


def _contrast(one: float, other: float) -> float:
    """Contrast ratio of two relative luminances (WCAG 2.2)."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
